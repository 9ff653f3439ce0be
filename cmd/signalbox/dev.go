package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/profile"
	"github.com/signalboxhq/signalbox/internal/pg/local"
)

func devCommand() *cobra.Command {
	var dir, address, agent string
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run the control plane here, with a PostgreSQL of its own",
		Long: `Run the control plane on this machine. It starts a private PostgreSQL from the
binaries found here, keeps its data in ./.signalbox, and needs no other set-up.
Mail is written to the terminal. Where ` + "`signalbox demo`" + ` was run before, its agent
is started too.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := loadConfig(cmd.Context())
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("address") {
				config.Address = address
			}
			return dev(cmd.Context(), config, demoOptions{dir: dir, agent: agent}, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&dir, "dir", ".signalbox", "where data is kept")
	cmd.Flags().StringVar(&agent, "agent", "signalbox-agent", "the agent's program")
	cmd.Flags().StringVar(&address, "address", "127.0.0.1:7070", "where to listen")
	return cmd
}

// dev runs a replica on a private PostgreSQL, until ctx ends.
func dev(ctx context.Context, config Config, o demoOptions, out, logs io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	database, err := startDatabase(ctx, o.dir, out)
	if err != nil {
		return err
	}
	defer func() { _ = database.Stop() }()
	config.DatabaseURL = Secret(database.URL())
	if config.LogLevel == "info" {
		config.LogLevel = "warn" // the terminal belongs to the person
	}
	var agent *exec.Cmd
	defer func() {
		if agent != nil {
			stopProcess(agent)
		}
	}()
	return serve(ctx, config, logs, func(address string) {
		_, _ = fmt.Fprint(out, greeting("http://"+address, database.URL(), knownAccount(o.dir)))
		if _, err := os.Stat(filepath.Join(o.dir, "agent")); err == nil {
			agent = startKnownAgent(ctx, "http://"+address, o, out)
		}
		_, _ = fmt.Fprintln(out)
	})
}

// greeting says where everything is, and how the account of an earlier demo opens
// it, if there is one. The command line has to be told of another address than its
// own default.
func greeting(url, database string, known *demoAccount) string {
	login := "signalbox login"
	if url != profile.DefaultServer {
		login += " --server " + url
	}
	enter := "Sign up there"
	if known != nil {
		enter = fmt.Sprintf("Sign in there as %s with the password %q, or sign up", known.Email, known.Password)
	}
	return fmt.Sprintf(`
  Signalbox is running at %s
  %s, then `+"`%s`"+`. Ctrl-C stops it; the data stays.
  For `+"`signalbox server doctor`"+`: export DATABASE_URL='%s'
`, url, enter, login, database)
}

// startKnownAgent starts the agent that an earlier demo installed.
func startKnownAgent(ctx context.Context, server string, o demoOptions, out io.Writer) *exec.Cmd {
	agent, err := startAgent(ctx, server, "", o)
	if err != nil {
		_, _ = fmt.Fprintf(out, "  The demo's agent was not started: %s\n", err)
		return nil
	}
	_, _ = fmt.Fprintln(out, "  The demo's agent runs.")
	return agent
}

// startDatabase starts the private PostgreSQL and says where its data lies if
// that is not where one would look.
func startDatabase(ctx context.Context, dir string, out io.Writer) (*local.Server, error) {
	path, err := filepath.Abs(filepath.Join(dir, "postgres"))
	if err != nil {
		return nil, fmt.Errorf("find the data folder: %w", err)
	}
	database, err := local.Start(ctx, local.Options{Dir: path})
	if err != nil {
		return nil, err
	}
	if database.Relocated() {
		_, _ = fmt.Fprintf(out, "  PostgreSQL does not run as root, and its user cannot reach %s:\n  the data lies in %s\n", path, database.DataDir())
	}
	return database, nil
}
