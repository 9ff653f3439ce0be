// Command signalbox-bench measures Signalbox on this machine: it starts a
// PostgreSQL and a server, puts scenarios on them, and compares what it finds
// with the machine's own limits. See loadtest/README.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/signalboxhq/signalbox/loadtest/agentsim"
)

const usage = `signalbox-bench run [flags] scenario.yaml …   measure, print the table, write results
signalbox-bench report [flags] result.json …  print the table of results again
signalbox-bench agents                        be a fleet of agents (used by run)
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "signalbox-bench:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string, in io.Reader, out, logs io.Writer) error {
	if len(args) == 0 {
		_, _ = io.WriteString(logs, usage)
		return errors.New("a command is missing")
	}
	switch args[0] {
	case "run":
		return runCommand(ctx, args[1:], out, logs)
	case "report":
		return reportCommand(args[1:], out)
	case "agents":
		var config agentsim.Config
		if err := json.NewDecoder(in).Decode(&config); err != nil {
			return fmt.Errorf("read the agents' settings: %w", err)
		}
		// Whoever started us holds our input open for as long as we are wanted.
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		go func() {
			_, _ = io.Copy(io.Discard, in)
			cancel()
		}()
		return agentsim.Run(ctx, config, out)
	}
	_, _ = io.WriteString(logs, usage)
	return fmt.Errorf("%q is no command", args[0])
}
