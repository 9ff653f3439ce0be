package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli"
	"github.com/signalboxhq/signalbox/controlplane/pipeline"
	poolv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1/poolv1connect"
)

type demoOptions struct {
	dir, agent, pipeline string
}

func demoCommand() *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Sign up, install an agent, run the digits example and show its bill",
		Long: `Go the whole way of a new customer on this machine: start the control plane with
a private PostgreSQL, sign up, start a real agent, run examples/digits on real
data, and show what it did and what it costs. Afterwards everything is stopped;
` + "`signalbox dev`" + ` brings it back with its data.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := loadConfig(cmd.Context())
			if err != nil {
				return err
			}
			return demo(cmd.Context(), config, o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&o.dir, "dir", ".signalbox", "where data is kept")
	cmd.Flags().StringVar(&o.agent, "agent", "signalbox-agent", "the agent's program")
	cmd.Flags().StringVar(&o.pipeline, "pipeline", "examples/digits/pipeline.yaml", "what to run")
	return cmd
}

// demo runs the server in this process, and everything else as a customer would.
func demo(ctx context.Context, config Config, o demoOptions, out, logs io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	begin := time.Now()
	database, err := startDatabase(ctx, o.dir, out)
	if err != nil {
		return err
	}
	defer func() { _ = database.Stop() }()
	mail, err := filepath.Abs(filepath.Join(o.dir, "mail"))
	if err != nil {
		return fmt.Errorf("find the mail folder: %w", err)
	}
	config.DatabaseURL, config.Mail, config.LogLevel = Secret(database.URL()), Secret("file:"+mail), "error"

	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- serve(ctx, config, logs, func(address string) { ready <- address }) }()
	select {
	case err := <-ended:
		return err
	case address := <-ready:
		err := demoStory(ctx, "http://"+address, mail, o, out)
		stop()
		if serr := <-ended; err == nil {
			err = serr
		}
		if err == nil {
			_, _ = fmt.Fprintf(out, "\nDone in %s. `make dev` brings it back at http://%s.\n", time.Since(begin).Round(100*time.Millisecond), address)
		}
		return err
	}
}

func demoStory(ctx context.Context, server, mail string, o demoOptions, out io.Writer) error {
	account, err := ensureDemoAccount(ctx, server, mail, filepath.Join(o.dir, "demo.json"))
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "Signed up as %s, organization %s.\n", account.Email, account.Organization)
	agent, err := startDemoAgent(ctx, server, account, o)
	if err != nil {
		return err
	}
	defer stopProcess(agent)
	if err := awaitAgent(ctx, server, account); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(out, "An agent is online.")
	home, err := filepath.Abs(o.dir)
	if err != nil {
		return fmt.Errorf("find the demo's folder: %w", err)
	}
	name, err := pipelineName(o.pipeline)
	if err != nil {
		return err
	}
	for _, line := range [][]string{
		{"apply", o.pipeline},
		{"run", "start", name, "--watch"},
		{"run", "values", "@latest"},
		{"usage", "show"},
		{"invoice", "preview"},
	} {
		_, _ = fmt.Fprintf(out, "\n$ signalbox %s\n", strings.Join(line, " "))
		if err := runCommand(ctx, server, home, account, line, out); err != nil {
			return err
		}
	}
	_, _ = fmt.Fprintf(out, "\nThe web app is at %s; sign in as %s with the password %q.\n", server, account.Email, account.Password)
	return nil
}

// pipelineName is the name that a pipeline's file gives it.
func pipelineName(file string) (string, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the pipeline: %w", err)
	}
	compiled, err := pipeline.Compile(file, source)
	if err != nil {
		return "", fmt.Errorf("compile the pipeline: %w", err)
	}
	return compiled.Plan.Name, nil
}

// runCommand runs one command of the command line, as the demo's user.
func runCommand(ctx context.Context, server, dir string, account demoAccount, line []string, out io.Writer) error {
	env := map[string]string{
		"SIGNALBOX_SERVER": server, "SIGNALBOX_TOKEN": account.Token, "SIGNALBOX_ORG": account.Organization,
		"SIGNALBOX_WORKSPACE": account.Workspace,
		// The demo's pins and profile stay with the demo.
		"HOME": dir, "XDG_CONFIG_HOME": dir, "NO_COLOR": "1",
	}
	root := cli.New(out, out, strings.NewReader(""), cli.Options{Version: version, Getenv: func(k string) string { return env[k] }})
	root.SetArgs(line)
	if err := root.ExecuteContext(ctx); err != nil {
		return fmt.Errorf("signalbox %s: %w", strings.Join(line, " "), err)
	}
	return nil
}

func startDemoAgent(ctx context.Context, server string, account demoAccount, o demoOptions) (*exec.Cmd, error) {
	pools := poolv1connect.NewPoolServiceClient(account.client(), server)
	join, err := pools.CreateJoinToken(ctx, &poolv1.CreateJoinTokenRequest{Pool: "default"})
	if err != nil {
		return nil, fmt.Errorf("make a join token: %w", err)
	}
	return startAgent(ctx, server, join.GetToken(), o)
}

// startAgent starts the agent's program in the demo's folder. One that has
// joined before needs no token.
func startAgent(ctx context.Context, server, token string, o demoOptions) (*exec.Cmd, error) {
	program, err := exec.LookPath(o.agent)
	if err != nil {
		return nil, fmt.Errorf("find the agent: %w; build it with `make build`", err)
	}
	dir := filepath.Join(o.dir, "agent")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the agent's folder: %w", err)
	}
	log, err := os.Create(filepath.Join(o.dir, "agent.log"))
	if err != nil {
		return nil, fmt.Errorf("make the agent's log: %w", err)
	}
	defer func() { _ = log.Close() }()
	args := []string{"start", "--server", server, "--name", "demo", "--slots", "4", "--dir", dir}
	cmd := exec.CommandContext(ctx, program, args...)
	if token != "" {
		// In the environment, where no list of processes shows it.
		cmd.Env = append(os.Environ(), "SIGNALBOX_AGENT_TOKEN="+token)
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the agent: %w", err)
	}
	return cmd, nil
}

func stopProcess(cmd *exec.Cmd) {
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
}

func awaitAgent(ctx context.Context, server string, account demoAccount) error {
	pools := poolv1connect.NewPoolServiceClient(account.client(), server)
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		list, err := pools.ListAgents(ctx, &poolv1.ListAgentsRequest{Pool: "default"})
		if err != nil {
			return fmt.Errorf("list agents: %w", err)
		}
		for _, a := range list.GetAgents() {
			if a.GetName() == "demo" && a.GetState() == "online" {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return errors.New("the agent did not come online within 30 s; its log is .signalbox/agent.log")
		case <-tick.C:
		}
	}
}
