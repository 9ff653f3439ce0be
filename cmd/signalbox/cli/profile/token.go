package profile

import (
	"fmt"
	"maps"
	"slices"
)

// chooseToken finds the token for the chosen server. A token is bound to a
// server: the environment's to one that the user chose (not a folder's file
// alone), a profile's to the profile's own.
func chooseToken(s *Settings, getenv func(string) string, config *Config, prof *Profile) {
	if token := getenv(EnvToken); token != "" {
		if s.Server.Source == FromFolder && !SameServer(s.Server.Value, prof.server()) {
			s.NoToken = fmt.Sprintf("%s names the server %s, and %s is not sent to a server that only a folder's file names: set %s=%s as well if it belongs there",
				s.Server.Origin, s.Server.Value, EnvToken, EnvServer, s.Server.Value)
			return
		}
		s.Token = Setting{token, FromEnvironment, "environment " + EnvToken}
		return
	}
	candidates := append([]string{s.Profile.Value}, slices.Sorted(maps.Keys(config.Profiles))...)
	for _, name := range candidates {
		p := config.Profiles[name]
		if p != nil && p.Token != "" && SameServer(s.Server.Value, p.server()) {
			s.Token = Setting{p.Token, FromProfile, "profile " + name}
			return
		}
	}
	if prof.Token != "" {
		s.NoToken = fmt.Sprintf("the token of profile %s belongs to %s, not to %s (named by %s)",
			s.Profile.Value, prof.server(), s.Server.Value, s.Server.Origin)
	}
}
