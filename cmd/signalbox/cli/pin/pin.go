package pin

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/profile"
)

// File is the name of the file in the settings folder.
const File = "known_keys.toml"

// Workspace is whose key it is: by name, since that is what a person means, and
// by id, since a name can be given to another.
type Workspace struct {
	Server string
	// Name is organization/workspace.
	Name string
	ID   string
}

// entry is one remembered key.
type entry struct {
	Server      string    `toml:"server"`
	Workspace   string    `toml:"workspace"`
	ID          string    `toml:"id"`
	Fingerprint string    `toml:"fingerprint"`
	Since       time.Time `toml:"since"`
}

func (e entry) about(w Workspace) bool {
	return profile.SameServer(e.Server, w.Server) && (e.Workspace == w.Name || e.ID == w.ID)
}

type file struct {
	Keys []entry `toml:"key"`
}

// ChangedError says that a workspace's key is not the one that was remembered.
type ChangedError struct {
	Workspace Workspace
	Known     string
	Offered   string
	Since     time.Time
}

// Error says what is the matter; what to do is the command's to say.
func (e *ChangedError) Error() string {
	return fmt.Sprintf("the sealing key of %s has changed: %s since %s, now %s",
		e.Workspace.Name, e.Known, e.Since.UTC().Format(time.DateOnly), e.Offered)
}

// Check compares a key's fingerprint with the remembered one. The first key of
// a workspace is remembered, which first reports. It returns a *ChangedError for
// another key.
func Check(dir string, w Workspace, fingerprint string, now time.Time) (first bool, err error) {
	f, err := load(dir)
	if err != nil {
		return false, err
	}
	known := false
	for _, e := range f.Keys {
		if !e.about(w) {
			continue
		}
		if e.Fingerprint != fingerprint {
			return false, &ChangedError{Workspace: w, Known: e.Fingerprint, Offered: fingerprint, Since: e.Since}
		}
		known = true
	}
	if known {
		return false, nil
	}
	f.Keys = append(f.Keys, entry{w.Server, w.Name, w.ID, fingerprint, now.UTC().Truncate(time.Second)})
	return true, f.save(dir)
}

// Trust replaces what is remembered of a workspace.
func Trust(dir string, w Workspace, fingerprint string, now time.Time) error {
	f, err := load(dir)
	if err != nil {
		return err
	}
	kept := f.Keys[:0]
	for _, e := range f.Keys {
		if !e.about(w) {
			kept = append(kept, e)
		}
	}
	f.Keys = append(kept, entry{w.Server, w.Name, w.ID, fingerprint, now.UTC().Truncate(time.Second)})
	return f.save(dir)
}

// Known returns the remembered fingerprint of a workspace, empty where there is none.
func Known(dir string, w Workspace) (string, error) {
	f, err := load(dir)
	if err != nil {
		return "", err
	}
	for _, e := range f.Keys {
		if e.about(w) {
			return e.Fingerprint, nil
		}
	}
	return "", nil
}

// load returns an error for a file that cannot be read: to go on as if nothing
// were known would be to trust anything.
func load(dir string) (file, error) {
	var f file
	raw, err := os.ReadFile(filepath.Join(dir, File))
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err == nil {
		err = toml.Unmarshal(raw, &f)
	}
	if err != nil {
		return f, fmt.Errorf("read the known sealing keys: %w", err)
	}
	return f, nil
}

func (f file) save(dir string) error {
	raw, err := toml.Marshal(f)
	if err != nil {
		return fmt.Errorf("write the known sealing keys: %w", err)
	}
	return profile.WritePrivate(dir, File, raw)
}
