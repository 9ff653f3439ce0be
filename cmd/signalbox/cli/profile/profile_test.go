package profile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/profile"
)

func env(pairs ...string) func(string) string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(k string) string { return m[k] }
}

func home() *profile.Config {
	return &profile.Config{Profiles: map[string]*profile.Profile{
		"default": {Server: "https://home.test", Token: "t-home", Organization: "acme", Workspace: "main"},
		"work":    {Server: "https://work.test/", Token: "t-work", Organization: "corp", Workspace: "prod"},
	}}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	type want struct{ server, org, workspace, token string }
	folder := func(server, org, ws string) *profile.Folder {
		return &profile.Folder{Server: server, Organization: org, Workspace: ws, Path: "/x/.signalbox.toml"}
	}
	none := folder("", "", "")
	for _, c := range []struct {
		name   string
		flags  profile.Flags
		env    func(string) string
		folder *profile.Folder
		config *profile.Config
		want   want
	}{
		{"nothing at all", profile.Flags{}, env(), none, &profile.Config{}, want{profile.DefaultServer, "", "", ""}},
		{"the profile", profile.Flags{}, env(), none, home(), want{"https://home.test", "acme", "main", "t-home"}},
		{"another profile", profile.Flags{Profile: "work"}, env(), none, home(), want{"https://work.test", "corp", "prod", "t-work"}},
		{"a profile of the environment", profile.Flags{}, env("SIGNALBOX_PROFILE", "work"), none, home(), want{"https://work.test", "corp", "prod", "t-work"}},
		{"folder over profile", profile.Flags{}, env(), folder("", "beta", "dev"), home(), want{"https://home.test", "beta", "dev", "t-home"}},
		{"environment over folder", profile.Flags{}, env("SIGNALBOX_WORKSPACE", "env"), folder("", "acme", "dev"), home(), want{"https://home.test", "acme", "env", "t-home"}},
		{"flag over environment", profile.Flags{Workspace: "flag"}, env("SIGNALBOX_WORKSPACE", "env"), none, home(), want{"https://home.test", "acme", "flag", "t-home"}},
		{"both in one", profile.Flags{Workspace: "beta/dev"}, env(), none, home(), want{"https://home.test", "beta", "dev", "t-home"}},
		{"an organization hides the workspace beside another", profile.Flags{Organization: "beta"}, env(), none, home(), want{"https://home.test", "beta", "", "t-home"}},
		{"the same organization does not", profile.Flags{Organization: "acme"}, env(), none, home(), want{"https://home.test", "acme", "main", "t-home"}},
		{"a server hides all that belongs to another", profile.Flags{Server: "https://else.test"}, env(), none, home(), want{"https://else.test", "", "", ""}},
		{"a server that another profile knows", profile.Flags{Server: "https://WORK.test"}, env(), none, home(), want{"https://work.test", "", "", "t-work"}},
		{"a token of the environment", profile.Flags{Server: "https://else.test"}, env("SIGNALBOX_TOKEN", "t-env"), none, home(), want{"https://else.test", "", "", "t-env"}},
		{"not for a folder's server", profile.Flags{}, env("SIGNALBOX_TOKEN", "t-env"), folder("https://evil.test", "", ""), home(), want{"https://evil.test", "", "", ""}},
		{"but for a folder that says the profile's", profile.Flags{}, env("SIGNALBOX_TOKEN", "t-env"), folder("https://home.test", "", ""), home(), want{"https://home.test", "acme", "main", "t-env"}},
		{"and for one that the environment repeats", profile.Flags{}, env("SIGNALBOX_TOKEN", "t-env", "SIGNALBOX_SERVER", "https://evil.test"), folder("https://evil.test", "a", "b"), home(), want{"https://evil.test", "a", "b", "t-env"}},
		{"a folder's server gets its own profile's token", profile.Flags{}, env(), folder("https://work.test", "corp", "dev"), home(), want{"https://work.test", "corp", "dev", "t-work"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := profile.Resolve(c.flags, c.env, c.folder, c.config)
			require.NoError(t, err)
			require.Equal(t, c.want, want{s.Server.Value, s.Organization.Value, s.Workspace.Value, s.Token.Value})
		})
	}
}

func TestResolveRefuses(t *testing.T) {
	t.Parallel()
	_, err := profile.Resolve(profile.Flags{Profile: "nowhere"}, env(), &profile.Folder{}, home())
	require.ErrorContains(t, err, "there are: default, work")
	for _, server := range []string{"home", "ftp://home", "http://", "://"} {
		_, err = profile.Resolve(profile.Flags{Server: server}, env(), &profile.Folder{}, home())
		require.ErrorContains(t, err, "flag --server", server)
	}
}

func TestConfigIsPrivateAndComesBack(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "signalbox")
	empty, err := profile.LoadConfig(dir)
	require.NoError(t, err)
	require.Empty(t, empty.Profiles)

	require.NoError(t, home().Save(dir))
	back, err := profile.LoadConfig(dir)
	require.NoError(t, err)
	require.Equal(t, home(), back)
	require.False(t, profile.Exposed(dir))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing is left beside it")

	require.NoError(t, os.Chmod(filepath.Join(dir, profile.ConfigFile), 0o644))
	require.True(t, profile.Exposed(dir))
	require.NoError(t, home().Save(dir))
	require.False(t, profile.Exposed(dir), "saving repairs it")
}

func TestConfigRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"profil = 'x'\n":                        "unknown key",
		"[profiles.default]\nserver = 7\n":      "config.toml",
		"[profiles.default\nserver = 'https'\n": "config.toml",
	} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, profile.ConfigFile), []byte(text), 0o600))
		_, err := profile.LoadConfig(dir)
		require.ErrorContains(t, err, want)
	}
}

func TestDirFollowsXDG(t *testing.T) {
	t.Parallel()
	dir, err := profile.Dir(env("HOME", "/home/ada"))
	require.NoError(t, err)
	require.Equal(t, "/home/ada/.config/signalbox", dir)
	dir, err = profile.Dir(env("HOME", "/home/ada", "XDG_CONFIG_HOME", "/etc/xdg"))
	require.NoError(t, err)
	require.Equal(t, "/etc/xdg/signalbox", dir)
	_, err = profile.Dir(env())
	require.Error(t, err)
}

func TestTheNearestFoldersFileIsUsed(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	deep := filepath.Join(top, "a", "b")
	require.NoError(t, os.MkdirAll(deep, 0o700))
	f, err := profile.FindFolder(deep)
	require.NoError(t, err)
	require.Empty(t, f.Organization)

	require.NoError(t, os.WriteFile(filepath.Join(top, profile.FolderFile), []byte("organization = 'top'\n"), 0o600))
	f, err = profile.FindFolder(deep)
	require.NoError(t, err)
	require.Equal(t, "top", f.Organization)
	require.Equal(t, filepath.Join(top, profile.FolderFile), f.Path)

	require.NoError(t, os.WriteFile(filepath.Join(top, "a", profile.FolderFile), []byte("workspace = 'near'\n"), 0o600))
	f, err = profile.FindFolder(deep)
	require.NoError(t, err)
	require.Equal(t, "near", f.Workspace)
	require.Empty(t, f.Organization)
}
