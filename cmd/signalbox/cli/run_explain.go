package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

func (a *app) runExplainCommand() *cobra.Command {
	c := a.command("explain [RUN] [TASK]", "Say why tasks do not run", cobra.MaximumNArgs(2), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Run.ExplainRun(ctx, &runv1.ExplainRunRequest{Id: argument(args, 0, latest), Task: argument(args, 1, "")})
		if err != nil {
			return err
		}
		return a.print(output.View{
			Answer: res,
			Items:  output.Items(res.GetTasks()),
			Names:  output.NamesOf(res.GetTasks(), (*runv1.Explanation).GetTask),
			Blocks: []output.Block{explainGrid(res.GetTasks())},
		})
	})
	c.Long = "Say of each task that waits why it does, in one sentence: the first reason that\nkeeps it from running." + runHelp
	c.Example = "  signalbox run explain\n  signalbox run explain fraud-train#12 train"
	c.ValidArgsFunction = a.completeRuns
	return c
}

func explainGrid(list []*runv1.Explanation) *output.Grid {
	g := &output.Grid{
		Columns: []output.Column{{Head: "TASK"}, {Head: "STATE"}, {Head: "WHY"}, {Head: "DO"}},
		Empty:   "Nothing waits.",
	}
	for _, e := range list {
		g.Add(output.Text(e.GetTask()), output.State(e.GetState()), output.Text(e.GetText()), output.Text(e.GetHint()))
	}
	return g
}
