package cli

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/profile"
	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
)

// app is what all commands share: the surroundings and the global flags.
type app struct {
	lines *bufio.Reader // standard input
	out   io.Writer
	err   io.Writer
	opts  Options
	flags globalFlags

	// allTasks makes a run that is followed show the items of its maps.
	allTasks bool
	// local are the clients of a local run, which stand for those of the settings.
	local *client.Clients
}

func newApp(stdout, stderr io.Writer, stdin io.Reader, opts Options) *app {
	if opts.Version == "" {
		opts.Version = "dev"
	}
	if opts.Getenv == nil {
		opts.Getenv = os.Getenv //nolint:forbidigo // the one place: package profile reads settings through this function
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Terminal == nil {
		opts.Terminal = detectTerminal(stdin, stdout)
	}
	if opts.Browse == nil {
		opts.Browse = browse
	}
	if opts.RetryDelay == nil {
		opts.RetryDelay = retryDelay
	}
	if opts.Random == nil {
		opts.Random = rand.Reader
	}
	return &app{lines: bufio.NewReader(stdin), out: stdout, err: stderr, opts: opts}
}

// retryDelay doubles from half a second to eight: short enough for a deploy of
// the server to go unnoticed, long enough not to hammer one that is down.
func retryDelay(attempt int) time.Duration {
	return 500 * time.Millisecond << min(max(attempt-1, 0), 4)
}

// action is what a command does.
type action func(ctx context.Context, args []string) error

// command makes a command. Its use line names the arguments, which args checks.
func (a *app) command(use, short string, args cobra.PositionalArgs, do action) *cobra.Command {
	return &cobra.Command{
		Use:               use,
		Short:             short,
		Args:              args,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              do.run,
	}
}

// run is the action as cobra calls it.
func (do action) run(cmd *cobra.Command, args []string) error {
	err := do(cmd.Context(), args)
	if errors.Is(err, client.ErrWritten) {
		return nil // --curl: the call was printed, which is what was asked for
	}
	return err
}

func (a *app) configDir() (string, error) {
	dir, err := profile.Dir(a.opts.Getenv)
	if err != nil {
		return "", exit.New(exit.Failed, "%s", err.Error())
	}
	return dir, nil
}

func (a *app) config() (*profile.Config, string, error) {
	dir, err := a.configDir()
	if err != nil {
		return nil, "", err
	}
	config, err := profile.LoadConfig(dir)
	if err != nil {
		return nil, "", exit.Wrongf("%s", err.Error())
	}
	return config, dir, nil
}

// settings puts flags, environment, folder and profile together.
func (a *app) settings() (profile.Settings, error) {
	config, dir, err := a.config()
	if err != nil {
		return profile.Settings{}, err
	}
	s, err := a.resolve(config)
	if err == nil && s.Token.Source == profile.FromProfile && s.Token.Value != "" && profile.Exposed(dir) {
		a.note("warning: %s/%s holds a token and others can read it: chmod 600 it", dir, profile.ConfigFile)
	}
	return s, err
}

func (a *app) resolve(config *profile.Config) (profile.Settings, error) {
	folder, err := profile.FindFolder(a.dir())
	if err != nil {
		return profile.Settings{}, exit.Wrongf("%s", err.Error())
	}
	s, err := profile.Resolve(a.flags.place(), a.opts.Getenv, folder, config)
	if err != nil {
		return s, exit.Wrongf("%s", err.Error())
	}
	return s, nil
}

func (a *app) dir() string {
	if a.opts.Dir != "" {
		return a.opts.Dir
	}
	dir, err := os.Getwd()
	if err != nil {
		return "." // a removed working folder has no .signalbox.toml either
	}
	return dir
}

// api makes the clients for the settings in use. It refuses to go on without a
// token, since every command but login needs one.
func (a *app) api() (*client.Clients, error) { return a.apiIn("") }

// apiIn is api in another workspace than that of the settings, if it is given.
func (a *app) apiIn(workspace string) (*client.Clients, error) {
	if a.local != nil {
		return a.local, nil
	}
	s, err := a.settings()
	if err != nil {
		return nil, err
	}
	if workspace != "" {
		s.Workspace.Value = workspace
	}
	if s.Token.Value == "" && !a.flags.curl {
		e := exit.New(exit.Auth, "not logged in to %s", s.Server.Value)
		if s.NoToken != "" {
			e = exit.New(exit.Auth, "%s", s.NoToken)
		}
		return nil, e.Advise("log in with `signalbox login`, or set SIGNALBOX_TOKEN")
	}
	c := a.clientConfig(s)
	var clients *client.Clients
	c.Place = func(ctx context.Context) (org, ws string) {
		who, err := clients.Account.WhoAmI(ctx, &tenancyv1.WhoAmIRequest{})
		if err != nil {
			return "", "" // the call's own refusal says more
		}
		return onlyPlace(who, s.Organization.Value, s.Workspace.Value)
	}
	clients = client.New(c)
	return clients, nil
}

func (a *app) clientConfig(s profile.Settings) client.Config {
	c := client.Config{
		Server: s.Server.Value, Token: s.Token.Value,
		Organization: s.Organization.Value, Workspace: s.Workspace.Value,
		Version: a.opts.Version, Transport: a.opts.Transport,
	}
	if a.flags.curl {
		c.Curl = a.out
		if c.Token == "" {
			c.Token = "none" // stands for $SIGNALBOX_TOKEN in what is printed
		}
	}
	return c
}

func (a *app) printer() (*output.Printer, error) {
	format, err := a.flags.format()
	if err != nil {
		return nil, err
	}
	p := &output.Printer{Out: a.out, Format: format, NoHeaders: a.flags.noHeaders, Painter: a.painter()}
	if a.flags.jq != "" {
		if p.Filter, err = output.ParseFilter(a.flags.jq); err != nil {
			return nil, exit.Usagef("%s", err.Error())
		}
	}
	return p, nil
}

func (a *app) print(v output.View) error {
	p, err := a.printer()
	if err != nil {
		return err
	}
	return p.Print(v)
}

// done prints an answer that says little in itself: people get the sentence,
// programs the answer.
func (a *app) done(v output.View, format string, args ...any) error {
	v.Blocks = []output.Block{output.Prose(fmt.Sprintf(format, args...))}
	return a.print(v)
}

// note tells something beside the answer, on standard error.
func (a *app) note(format string, args ...any) {
	_, _ = fmt.Fprintf(a.err, format+"\n", args...)
}

func (a *app) now() time.Time { return a.opts.Now() }
