package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
)

// group makes a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{
		Use: use + " COMMAND", Short: short, Args: cobra.ArbitraryArgs, RunE: runGroup,
		SuggestionsMinimumDistance: 2,
	}
	g.AddCommand(commands...)
	return g
}

// runGroup is what happens when no command was found: alone it shows the help,
// with a word that is none it says which is near.
func runGroup(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	if cmd.SuggestionsMinimumDistance <= 0 {
		cmd.SuggestionsMinimumDistance = 2
	}
	e := exit.Usagef("unknown command %q for %q", args[0], cmd.CommandPath())
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return e.Advise("did you mean `%s %s`?", cmd.CommandPath(), strings.Join(near, "` or `"+cmd.CommandPath()+" "))
	}
	return e.Advise("`%s --help` lists the commands", cmd.CommandPath())
}

// noArgs, oneArg and upTo check the number of arguments and name the missing one.
func noArgs(cmd *cobra.Command, args []string) error { return counted(cmd, args, nil, 0) }

func oneArg(name string) cobra.PositionalArgs { return exactly(name) }

func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error { return counted(cmd, args, names, len(names)) }
}

// upTo takes at most so many arguments, of which the first required must be there.
func upTo(required int, names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error { return counted(cmd, args, names, required) }
}

func counted(cmd *cobra.Command, args, names []string, required int) error {
	hint := fmt.Sprintf("usage: %s", cmd.UseLine())
	if len(args) < required {
		return exit.Usagef("%s: %s is missing", cmd.CommandPath(), names[len(args)]).Advise("%s", hint)
	}
	if len(args) > len(names) {
		return exit.Usagef("%s: %q is one argument too many", cmd.CommandPath(), args[len(names)]).Advise("%s", hint)
	}
	return nil
}

// argument returns the i-th argument, or what stands for it where it is absent.
func argument(args []string, i int, absent string) string {
	if i < len(args) {
		return args[i]
	}
	return absent
}
