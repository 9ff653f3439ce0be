package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// sealCommand makes a private default for a pipeline file. Sealing is
// randomised, so it is done once, by a person: done at each apply it would
// change the version's digest each time.
func (a *app) sealCommand() *cobra.Command {
	kind := string(plan.TypeString)
	c := a.command("seal PARAM", "Seal a param's default for a pipeline file", oneArg("PARAM"), func(ctx context.Context, args []string) error {
		text, err := a.readFile("-")
		if err != nil {
			return fmt.Errorf("read the value: %w", err)
		}
		value, err := plan.ParseValue(plan.Type(kind), strings.TrimSuffix(string(text), "\n"))
		if err != nil {
			return exit.Usagef("the value of %s does not fit: %s", args[0], err.Error()).Because(err)
		}
		api, err := a.api()
		if err != nil {
			return err
		}
		envelope, err := a.sealer(ctx, api)(args[0], value)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(a.out, seal.Text(envelope))
		return err
	})
	c.Long = `Seal a private default to the workspace's key, and print the line that stands in
the pipeline file as the param's default. The value is read from standard input,
so that it is in no shell's history.`
	c.Example = `  signalbox seal bucket < bucket.txt
  printf %s "$DSN" | signalbox seal dsn --type uri`
	c.Flags().StringVar(&kind, "type", kind, "the param's declared `TYPE`")
	return c
}
