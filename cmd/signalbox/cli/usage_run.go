package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	usagev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/usage/v1"
)

func (a *app) usageRunCommand() *cobra.Command {
	c := a.command("run RUN", "Sum up a run, and the runs that its tasks started", oneArg("RUN"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		run, err := resolveRun(ctx, api, args[0])
		if err != nil {
			return err
		}
		res, err := api.Usage.GetRunUsage(ctx, &usagev1.GetRunUsageRequest{RunId: run})
		if err != nil {
			return err
		}
		return a.print(runUsageView(res))
	})
	c.Long = `Sum up what a run used, and what the runs below it did, which its tasks
started (pipeline: …). The cost is what that adds to a bill beyond what the plan
includes; an invoice rates a month as a whole.`
	c.ValidArgsFunction = a.completeRuns
	return c
}

func runUsageView(res *usagev1.GetRunUsageResponse) output.View {
	grid := &output.Grid{Columns: []output.Column{{Head: "RUN"}, {Head: "TASK"}}}
	for _, m := range res.GetMeters() {
		grid.Columns = append(grid.Columns, output.Column{Head: upper(meterName(m.GetMeter())), Right: true})
	}
	grid.Columns = append(grid.Columns, output.Column{Head: "COST", Right: true})
	add := func(run, task, cost string, meters []*usagev1.Meter) {
		row := []output.Cell{output.Text(run), output.Text(task)}
		for _, m := range meters {
			row = append(row, output.Text(quantityText(m.GetMeter(), m.GetQuantity())))
		}
		grid.Add(append(row, output.Text(cost))...)
	}
	add("itself", "", output.NanoUSD(res.GetCostNanoUsd()), res.GetMeters())
	if len(res.GetChildren()) > 0 {
		add("below", "", output.NanoUSD(res.GetChildrenCostNanoUsd()), res.GetChildrenMeters())
	}
	for _, c := range res.GetChildren() {
		add(fmt.Sprintf("%s#%d", c.GetPipeline(), c.GetNumber()), c.GetTask(), "", c.GetMeters())
	}
	return output.View{
		Answer: res,
		Items:  output.Items(res.GetChildren()),
		Names:  output.NamesOf(res.GetChildren(), (*usagev1.ChildUsage).GetRunId),
		Blocks: []output.Block{grid},
	}
}
