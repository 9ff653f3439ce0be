// Command signalbox-agent runs the tasks of one pool on a customer's machine.
//
// This package reads the command line and wires the packages of the agent
// together; what an agent does stands in agent/work.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/signalboxhq/signalbox/agent/config"
	"github.com/signalboxhq/signalbox/agent/execute/guard"
)

// version is set by the linker; else it is what Go knows of the build.
var version string

const usage = `signalbox-agent runs the tasks of one pool of Signalbox on this machine.

  signalbox-agent start --server URL --token sbj_…   join the pool, then run its tasks; later, start alone
  signalbox-agent key export                         write the workspace's sealing keys
  signalbox-agent key import < FILE                  take them in on another agent
  signalbox-agent config print [--origin]            show the settings, and where each comes from
  signalbox-agent doctor                             look for what could keep the agent from working
  signalbox-agent version

Every command takes the settings as flags (start --help lists them), as variables
SIGNALBOX_AGENT_*, or in a TOML file (--config).
`

// guardCommand leads the agent's binary to its second life as the parent of a
// step. People have no use for it.
const guardCommand = "step-guard"

// app is what a command works with.
type app struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	lookup func(string) (string, bool)
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == guardCommand {
		os.Exit(guard.Main())
	}
	a := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	a.lookup = os.LookupEnv //nolint:forbidigo // the one place; settings, secrets and what steps inherit get it from here
	os.Exit(a.main(context.Background(), os.Args[1:]))
}

// errUsage is answered with the usage text.
var errUsage = errors.New("unknown command")

// errShown has been told already.
var errShown = errors.New("shown")

// main runs a command and returns the exit code: 0, 1 for a failure, 2 for a
// command line that makes no sense.
func (a *app) main(ctx context.Context, args []string) int {
	err := a.run(ctx, args)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errShown):
		return 1
	case errors.Is(err, errUsage):
		_, _ = fmt.Fprintf(a.stderr, "signalbox-agent: %v\n\n%s", err, usage)
		return 2
	case errors.Is(err, config.ErrFlags):
		_, _ = fmt.Fprintf(a.stderr, "signalbox-agent: %v; `signalbox-agent start --help` lists the flags\n", err)
		return 2
	}
	_, _ = fmt.Fprintf(a.stderr, "signalbox-agent: %v\n", err)
	return 1
}

func (a *app) run(ctx context.Context, args []string) error {
	command, rest := "help", []string(nil)
	if len(args) > 0 {
		command, rest = args[0], args[1:]
	}
	switch command {
	case "start":
		return a.start(ctx, rest)
	case "key":
		return a.key(ctx, rest)
	case "config":
		return a.config(ctx, rest)
	case "doctor":
		return a.doctor(ctx, rest)
	case "version", "--version":
		_, err := fmt.Fprintln(a.stdout, versionText())
		return err
	case "help", "--help", "-h":
		_, err := fmt.Fprint(a.stdout, usage)
		return err
	}
	return fmt.Errorf("%w %q", errUsage, command)
}

// load reads the settings; what is no flag is refused.
func (a *app) load(ctx context.Context, args []string) (*config.Loaded, error) {
	loaded, err := config.Load(ctx, config.Input{Args: args, Lookup: a.lookup, File: config.DefaultFile, Stderr: a.stderr})
	if err != nil {
		return nil, err
	}
	if len(loaded.Rest) > 0 {
		return nil, fmt.Errorf("%w: unexpected argument %q", config.ErrFlags, loaded.Rest[0])
	}
	return loaded, nil
}

func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}
