package profile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pelletier/go-toml/v2"
)

// DefaultName is the profile that is used where none is named.
const DefaultName = "default"

// DefaultServer is where `signalbox dev` listens.
const DefaultServer = "http://127.0.0.1:7070"

// Config is the user's config.toml.
type Config struct {
	// Profile names the profile in use; empty means DefaultName.
	Profile  string              `toml:"profile,omitempty"`
	Profiles map[string]*Profile `toml:"profiles,omitempty"`
}

// Profile is one server and who one is there.
type Profile struct {
	Server       string `toml:"server,omitempty"`
	Token        string `toml:"token,omitempty"`
	Organization string `toml:"organization,omitempty"`
	Workspace    string `toml:"workspace,omitempty"`
}

// ConfigFile is the name of the user's file in a config folder.
const ConfigFile = "config.toml"

// Dir is the folder of this program's settings: $XDG_CONFIG_HOME/signalbox, by
// default ~/.config/signalbox.
func Dir(getenv func(string) string) (string, error) {
	if base := getenv("XDG_CONFIG_HOME"); filepath.IsAbs(base) {
		return filepath.Join(base, "signalbox"), nil
	}
	home := getenv("HOME")
	if home == "" {
		return "", errors.New("neither HOME nor XDG_CONFIG_HOME is set: there is no place for settings")
	}
	return filepath.Join(home, ".config", "signalbox"), nil
}

// LoadConfig reads the config.toml of a folder; a file that is missing is an
// empty one. An unknown key is an error, since a misspelt one would be ignored.
func LoadConfig(dir string) (*Config, error) {
	path := filepath.Join(dir, ConfigFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &Config{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	var c Config
	if err := decodeStrictly(path, raw, &c); err != nil {
		return nil, err
	}
	return &c, nil
}

// Exposed reports whether others on this machine can read the config.toml of a
// folder, which holds tokens.
func Exposed(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, ConfigFile))
	return err == nil && info.Mode().Perm()&0o077 != 0
}

// Save writes the config.toml of a folder, readable by the user alone. The file
// is replaced whole, so a crash leaves the old one.
func (c *Config) Save(dir string) error {
	raw, err := toml.Marshal(c)
	if err != nil {
		return fmt.Errorf("write the settings: %w", err)
	}
	return WritePrivate(dir, ConfigFile, raw)
}

// Named returns a profile, made empty where there is none of that name.
func (c *Config) Named(name string) *Profile {
	if c.Profiles == nil {
		c.Profiles = map[string]*Profile{}
	}
	if c.Profiles[name] == nil {
		c.Profiles[name] = &Profile{}
	}
	return c.Profiles[name]
}

// WritePrivate replaces a file of the settings folder by one that only the user
// can read.
func WritePrivate(dir, name string, content []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write the settings: %w", err)
	}
	f, err := os.CreateTemp(dir, name+".*") // made with 0600
	if err != nil {
		return fmt.Errorf("write the settings: %w", err)
	}
	_, err = f.Write(content)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("write the settings: %w", err)
	}
	return nil
}

func decodeStrictly(path string, raw []byte, into any) error {
	err := toml.NewDecoder(bytes.NewReader(raw)).DisallowUnknownFields().Decode(into)
	if missing, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		return fmt.Errorf("%s: unknown key:\n%s", path, missing.String())
	}
	if wrong, ok := errors.AsType[*toml.DecodeError](err); ok {
		return fmt.Errorf("%s: %w:\n%s", path, err, wrong.String())
	}
	return err
}
