// Signalbox is the command for people and for hosting: the command line, the
// control plane (`signalbox server`) and one that needs nothing else
// (`signalbox dev`).
//
// This package only wires: it holds no rule and no SQL. The command line itself
// is in cli.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli"
)

// version is set by the linker in releases.
var version = "dev"

func main() {
	os.Exit(run())
}

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := cli.New(os.Stdout, os.Stderr, os.Stdin, cli.Options{Version: version, Local: startLocal})
	const servers = "servers"
	root.AddGroup(&cobra.Group{ID: servers, Title: "A server of your own:"})
	for _, c := range []*cobra.Command{serverCommand(), devCommand(), demoCommand()} {
		c.GroupID = servers
		root.AddCommand(c)
	}
	if err := root.ExecuteContext(ctx); err != nil {
		cli.Report(root, err)
		return cli.ExitCode(err)
	}
	return 0
}
