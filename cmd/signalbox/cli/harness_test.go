package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/profile"
)

// desk is where somebody sits and types commands: a home, a folder, an
// environment, a server.
type desk struct {
	t    *testing.T
	fake *fake
	home string
	dir  string
	env  map[string]string
	// input is what standard input holds for the next command.
	input string
	// password is what somebody types where nothing is shown; empty means that
	// nobody sits there.
	password string
	// screen makes standard output a terminal.
	screen bool
	opened []string
}

// setup gives a desk at which somebody is logged in to a fake server.
func setup(t *testing.T) *desk {
	t.Helper()
	d := setupLoggedOut(t)
	config := &profile.Config{Profiles: map[string]*profile.Profile{
		"default": {Server: serverURL, Token: token, Organization: "acme", Workspace: "main"},
	}}
	require.NoError(t, config.Save(d.configDir()))
	return d
}

func setupLoggedOut(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, fake: newFake(t), home: t.TempDir(), dir: t.TempDir(), env: map[string]string{}}
	d.env["HOME"] = d.home
	d.write("pipeline.yaml", sourceText)
	d.write("broken.yaml", sourceText+"tasks:\n")
	return d
}

func (d *desk) configDir() string { return filepath.Join(d.home, ".config", "signalbox") }

func (d *desk) write(name, content string) {
	d.t.Helper()
	require.NoError(d.t, os.WriteFile(filepath.Join(d.dir, name), []byte(content), 0o600))
}

func (d *desk) config() *profile.Config {
	d.t.Helper()
	c, err := profile.LoadConfig(d.configDir())
	require.NoError(d.t, err)
	return c
}

// result is what a command left behind.
type result struct {
	out, err string
	code     int
}

// run types a command.
func (d *desk) run(args ...string) result {
	d.t.Helper()
	return d.runContext(d.t.Context(), args...)
}

func (d *desk) runContext(ctx context.Context, args ...string) result {
	d.t.Helper()
	var stdout, stderr bytes.Buffer
	terminal := &cli.Terminal{
		In: d.password != "", Out: d.screen, Size: func() (int, int) { return 100, 30 },
		ReadSecret: func() ([]byte, error) { return []byte(d.password), nil },
	}
	root := cli.New(&stdout, &stderr, strings.NewReader(d.input), cli.Options{
		Version: "1.0.0", Getenv: func(k string) string { return d.env[k] }, Dir: d.dir, Now: func() time.Time { return noon },
		Transport: d.fake.transport(), Terminal: terminal, RetryDelay: func(int) time.Duration { return time.Millisecond },
		Browse: func(url string) error { d.opened = append(d.opened, url); return nil },
	})
	root.SetArgs(append([]string{}, args...)) // nil would mean those of the test
	err := root.ExecuteContext(ctx)
	cli.Report(root, err)
	d.input = ""
	return result{d.stable(stdout.String()), d.stable(stderr.String()), cli.ExitCode(err)}
}

// stable takes out what differs from one test run to the next.
func (d *desk) stable(s string) string {
	s = strings.ReplaceAll(s, d.home, "~")
	return strings.ReplaceAll(s, d.dir, ".")
}
