package profile

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// The environment variables of the command line.
const (
	EnvServer    = "SIGNALBOX_SERVER"
	EnvToken     = "SIGNALBOX_TOKEN"
	EnvOrg       = "SIGNALBOX_ORG"
	EnvWorkspace = "SIGNALBOX_WORKSPACE"
	EnvProfile   = "SIGNALBOX_PROFILE"
)

// Flags are the settings of the command line itself; empty means not given.
type Flags struct {
	Server       string
	Organization string
	Workspace    string
	Profile      string
}

// Source is the kind of place a setting came from.
type Source int

// The sources; a smaller one has precedence.
const (
	FromFlag Source = iota
	FromEnvironment
	FromFolder
	FromProfile
	FromDefault
)

// Setting is a value and where it came from.
type Setting struct {
	Value  string
	Source Source
	// Origin says the source in words: "flag --org", a file's path.
	Origin string
}

// Settings are what a command works with.
type Settings struct {
	Profile      Setting
	Server       Setting
	Token        Setting
	Organization Setting
	Workspace    Setting
	// NoToken says why there is no token although there might be one; empty
	// where that is plain.
	NoToken string
}

// layer is what one source says.
type layer struct {
	server, org, workspace Setting
}

// Resolve puts the sources together: flag before environment before folder
// before profile. It returns an error for a profile that does not exist and for
// a server that is no address.
func Resolve(flags Flags, getenv func(string) string, folder *Folder, config *Config) (Settings, error) {
	s := Settings{Profile: nameOf(flags, getenv, config)}
	prof, ok := config.Profiles[s.Profile.Value]
	if !ok {
		if s.Profile.Source != FromDefault {
			return s, fmt.Errorf("there is no profile %q (named by %s); there are: %s",
				s.Profile.Value, s.Profile.Origin, strings.Join(slices.Sorted(maps.Keys(config.Profiles)), ", "))
		}
		prof = &Profile{}
	}
	for _, l := range layersOf(flags, getenv, folder, prof, "profile "+s.Profile.Value) {
		s.take(l)
	}
	if s.Server.Value == "" {
		s.Server = Setting{DefaultServer, FromDefault, "default"}
	}
	if err := checkServer(&s.Server); err != nil {
		return s, err
	}
	chooseToken(&s, getenv, config, prof)
	return s, nil
}

func layersOf(flags Flags, getenv func(string) string, folder *Folder, prof *Profile, profile string) []layer {
	env := func(name string) Setting { return Setting{getenv(name), FromEnvironment, "environment " + name} }
	return []layer{
		{
			server:    Setting{flags.Server, FromFlag, "flag --server"},
			org:       Setting{flags.Organization, FromFlag, "flag --org"},
			workspace: Setting{flags.Workspace, FromFlag, "flag --workspace"},
		},
		{server: env(EnvServer), org: env(EnvOrg), workspace: env(EnvWorkspace)},
		{
			server:    Setting{folder.Server, FromFolder, folder.Path},
			org:       Setting{folder.Organization, FromFolder, folder.Path},
			workspace: Setting{folder.Workspace, FromFolder, folder.Path},
		},
		{
			server:    Setting{prof.server(), FromProfile, profile},
			org:       Setting{prof.Organization, FromProfile, profile},
			workspace: Setting{prof.Workspace, FromProfile, profile},
		},
	}
}

// server is the profile's own server; a profile that holds anything at all and
// names none means the default one.
func (p *Profile) server() string {
	if p.Server == "" && *p != (Profile{}) {
		return DefaultServer
	}
	return p.Server
}

func nameOf(flags Flags, getenv func(string) string, config *Config) Setting {
	for _, s := range []Setting{
		{flags.Profile, FromFlag, "flag --profile"},
		{getenv(EnvProfile), FromEnvironment, "environment " + EnvProfile},
		{config.Profile, FromProfile, ConfigFile},
	} {
		if s.Value != "" {
			return s
		}
	}
	return Setting{DefaultName, FromDefault, "default"}
}

// take fills from a layer what no layer above it has said. What stands beside
// another server, or a workspace beside another organization, means other
// things than those chosen above, and is left out.
func (s *Settings) take(l layer) {
	if org, ws, both := strings.Cut(l.workspace.Value, "/"); both {
		l.org = Setting{org, l.workspace.Source, l.workspace.Origin}
		l.workspace.Value = ws
	}
	elsewhere := s.Server.Value != "" && l.server.Value != "" && !SameServer(s.Server.Value, l.server.Value)
	if elsewhere {
		return
	}
	fill(&s.Server, l.server)
	fill(&s.Organization, l.org)
	if l.org.Value == "" || l.org.Value == s.Organization.Value {
		fill(&s.Workspace, l.workspace)
	}
}

func fill(s *Setting, from Setting) {
	if s.Value == "" && from.Value != "" {
		*s = from
	}
}

// checkServer brings a server's address into one spelling, scheme://host[:port].
func checkServer(s *Setting) error {
	u, err := url.Parse(s.Value)
	if err == nil && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		err = errors.New("want http://… or https://…")
	}
	if err != nil {
		return fmt.Errorf("the server %q of %s is no address: %w", s.Value, s.Origin, err)
	}
	s.Value = strings.TrimRight(u.Scheme+"://"+strings.ToLower(u.Host)+u.Path, "/")
	return nil
}

// SameServer reports whether two addresses mean one server.
func SameServer(a, b string) bool {
	x, y := Setting{Value: a}, Setting{Value: b}
	return checkServer(&x) == nil && checkServer(&y) == nil && x.Value == y.Value
}
