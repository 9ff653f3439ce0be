package config

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/sethvargo/go-envconfig"

	"github.com/signalboxhq/signalbox/agent/host"
)

// DefaultFile is read if it exists and --config names no other.
const DefaultFile = "/etc/signalbox/agent.toml"

// Origin says where a setting came from.
type Origin string

// The origins; a file's is its path.
const (
	OriginFlag    Origin = "flag"
	OriginEnv     Origin = "environment"
	OriginDefault Origin = "default"
)

// Input is where settings are read from.
type Input struct {
	Args   []string                    // without the command's name
	Lookup func(string) (string, bool) // os.LookupEnv
	File   string                      // used if it exists and --config is not given
	Stderr io.Writer                   // for the help text
}

// Loaded is a configuration and how it came about.
type Loaded struct {
	Config  Config
	Origins map[string]Origin // by key
	Rest    []string          // arguments that are no flags
}

// ErrFlags is wrapped by errors of the command line itself.
var ErrFlags = errors.New("command line")

// Load reads the configuration. It returns flag.ErrHelp after --help; all other
// errors are sentences for the person who started the agent.
func Load(ctx context.Context, in Input) (*Loaded, error) {
	flags, file, rest, err := parseFlags(in)
	if err != nil {
		return nil, err
	}
	if file == "" {
		if path, ok := in.Lookup(Prefix + "CONFIG"); ok {
			file = path
		} else if _, err := os.Stat(in.File); err == nil {
			file = in.File
		}
	}
	fromFile := map[string]string{}
	if file != "" {
		if fromFile, err = readFile(file); err != nil {
			return nil, err
		}
	}
	loaded := &Loaded{Origins: map[string]Origin{}, Rest: rest}
	for _, s := range settings() {
		loaded.Origins[s.key()] = OriginDefault
	}
	note := func(origin Origin, lookup func(string) (string, bool)) envconfig.Lookuper {
		return envconfig.LookuperFunc(func(name string) (string, bool) {
			value, ok := lookup(name)
			if ok {
				loaded.Origins[setting{env: name}.key()] = origin
			}
			return value, ok
		})
	}
	err = envconfig.ProcessWith(ctx, &envconfig.Config{
		Target: &loaded.Config,
		Lookuper: envconfig.MultiLookuper(
			note(OriginFlag, lookupIn(flags)),
			note(OriginEnv, func(name string) (string, bool) { return in.Lookup(Prefix + name) }),
			note(Origin(file), lookupIn(fromFile)),
		),
	})
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return loaded, loaded.Config.complete(in.Lookup)
}

func lookupIn(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}

// parseFlags returns the flags that were given, by the settings' env names.
func parseFlags(in Input) (given map[string]string, file string, rest []string, err error) {
	set := flag.NewFlagSet("signalbox-agent", flag.ContinueOnError)
	set.SetOutput(io.Discard) // a wrong flag is one line, not the whole help
	set.StringVar(&file, "config", "", "configuration file (TOML); default: "+DefaultFile)
	given = map[string]string{}
	for _, s := range settings() {
		take := func(value string) error {
			if before, ok := given[s.env]; ok && s.isMany {
				value = before + "," + value // --labels a=1 --labels b=2
			}
			given[s.env] = value
			return nil
		}
		if s.isBool {
			set.BoolFunc(s.flag(), s.usage, take)
		} else {
			set.Func(s.flag(), s.usage, take)
		}
	}
	switch err := set.Parse(in.Args); {
	case errors.Is(err, flag.ErrHelp):
		set.SetOutput(in.Stderr)
		set.Usage()
		return nil, "", nil, err
	case err != nil:
		return nil, "", nil, fmt.Errorf("%w: %w", ErrFlags, err)
	}
	return given, file, set.Args(), nil
}

// complete fills in what depends on the machine and makes paths absolute.
func (c *Config) complete(lookup func(string) (string, bool)) error {
	if c.Name == "" {
		if name, err := os.Hostname(); err == nil {
			c.Name = name
		}
	}
	if c.Address == "" {
		c.Address = host.Address()
	}
	if c.Dir == "" {
		home, ok := lookup("HOME")
		if !ok || home == "" {
			return errors.New("configuration: set dir, the agent's folder: there is no HOME to put it in")
		}
		c.Dir = filepath.Join(home, ".signalbox-agent")
	}
	if c.Slots == 0 {
		c.Slots = runtime.NumCPU()
	}
	for _, path := range []*string{&c.Dir, &c.Policy, &c.WorkspaceKeys, &c.Sources, &c.Artifacts} {
		if *path == "" {
			continue
		}
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return fmt.Errorf("configuration: %w", err)
		}
		*path = absolute
	}
	return nil
}
