package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	usagev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/usage/v1"
)

func (a *app) usageCommand() *cobra.Command {
	return group("usage", "What was used: by team, pipeline, pool, run and attempt",
		a.usageShowCommand(), a.usageRunCommand(), a.usageRunsCommand(), a.usageAttemptsCommand())
}

// quantityText spells a meter's quantity in the meter's unit.
func quantityText(meter string, n int64) string {
	switch meter {
	case "task_ms", "gpu_ms":
		return output.Millis(n)
	}
	return strconv.FormatInt(n, 10)
}

// meterName is how people call a meter.
func meterName(meter string) string {
	switch meter {
	case "runs":
		return "runs"
	case "task_attempts":
		return "attempts"
	case "task_ms":
		return "task time"
	case "gpu_ms":
		return "GPU time"
	}
	return meter
}

func (a *app) usageShowCommand() *cobra.Command {
	req := &usagev1.GetUsageRequest{}
	c := a.command("show", "Sum up a month", noArgs, func(ctx context.Context, _ []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Usage.GetUsage(ctx, req)
		if err != nil {
			return err
		}
		return a.print(a.usageView(res, req.GetBy()))
	})
	c.Example = `  signalbox usage show --by pipeline
  signalbox usage show --month 2026-11 --by label:team`
	c.Flags().StringVar(&req.Month, "month", "", "the `MONTH`, as 2026-11, in UTC (default this one)")
	c.Flags().StringVar(&req.By, "by", "", "also by `DIMENSION`: workspace, pool, pipeline, day or label:KEY")
	return c
}

func (a *app) usageView(res *usagev1.GetUsageResponse, by string) output.View {
	sheet := &output.Sheet{}
	sheet.Add("month", output.Text(res.GetMonth()))
	for _, m := range res.GetTotals() {
		sheet.Add(meterName(m.GetMeter()), output.Text(quantityText(m.GetMeter(), m.GetQuantity())))
	}
	sheet.Add("as of", a.moment(res.GetAsOf()))
	v := output.View{Answer: res, Items: output.Items(res.GetGroups()), Blocks: []output.Block{sheet}}
	if by == "" {
		v.Items = output.Items(res.GetTotals())
		return v
	}
	v.Names = output.NamesOf(res.GetGroups(), (*usagev1.UsageGroup).GetKey)
	grid := &output.Grid{Columns: []output.Column{{Head: upper(by)}}, Empty: "Nothing was used."}
	for _, m := range res.GetTotals() {
		grid.Columns = append(grid.Columns, output.Column{Head: upper(meterName(m.GetMeter())), Right: true})
	}
	for _, g := range res.GetGroups() {
		quantities := map[string]int64{}
		for _, m := range g.GetMeters() {
			quantities[m.GetMeter()] = m.GetQuantity()
		}
		row := []output.Cell{output.Text(g.GetKey())}
		for _, m := range res.GetTotals() {
			row = append(row, output.Text(quantityText(m.GetMeter(), quantities[m.GetMeter()])))
		}
		grid.Add(row...)
	}
	v.Blocks = append(v.Blocks, grid)
	return v
}

func (a *app) usageRunsCommand() *cobra.Command {
	req := &usagev1.ListUsageRunsRequest{}
	c := a.command("runs", "List the runs behind a meter", noArgs, func(ctx context.Context, _ []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Usage.ListUsageRuns(ctx, req)
		if err != nil {
			return err
		}
		grid := &output.Grid{
			Columns: []output.Column{{Head: "RUN"}, {Head: "ID"}, {Head: "WORKSPACE"}, {Head: "STARTED"}, {Head: upper(meterName(req.GetMeter())), Right: true}},
			Empty:   "No runs used it.",
		}
		for _, r := range res.GetRuns() {
			grid.Add(output.Text(fmt.Sprintf("%s#%d", r.GetPipeline(), r.GetNumber())), output.Text(r.GetRunId()),
				output.Text(r.GetWorkspace()), a.ago(r.GetStartedAt()), output.Text(quantityText(req.GetMeter(), r.GetQuantity())))
		}
		a.more(res.GetNextPageToken())
		return a.print(output.View{
			Answer: res,
			Items:  output.Items(res.GetRuns()),
			Names:  output.NamesOf(res.GetRuns(), (*usagev1.UsageRun).GetRunId),
			Blocks: []output.Block{grid},
		})
	})
	c.Flags().StringVar(&req.Month, "month", "", "the `MONTH`, as 2026-11, in UTC (default this one)")
	c.Flags().StringVar(&req.Meter, "meter", "task_ms", "the `METER`: runs, task_attempts, task_ms or gpu_ms")
	a.pageFlags(c, &req.PageSize, &req.PageToken)
	return c
}

func (a *app) usageAttemptsCommand() *cobra.Command {
	var month string
	c := a.command("attempts RUN", "List the attempts of a run that were billed", oneArg("RUN"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		run, err := resolveRun(ctx, api, args[0])
		if err != nil {
			return err
		}
		res, err := api.Usage.ListUsageAttempts(ctx, &usagev1.ListUsageAttemptsRequest{RunId: run, Month: month})
		if err != nil {
			return err
		}
		grid := &output.Grid{
			Columns: []output.Column{{Head: "TASK"}, {Head: "ATTEMPT", Right: true}, {Head: "OUTCOME"}, {Head: "STARTED"}, {Head: "TASK TIME", Right: true}, {Head: "GPU TIME", Right: true}},
			Empty:   "No attempt of this run was billed.",
		}
		for _, x := range res.GetAttempts() {
			grid.Add(output.Text(x.GetTask()), output.Number(x.GetAttempt()), output.State(x.GetOutcome()),
				a.ago(x.GetStartedAt()), output.Text(output.Millis(x.GetTaskMs())), output.Text(output.Millis(x.GetGpuMs())))
		}
		return a.print(output.View{Answer: res, Items: output.Items(res.GetAttempts()), Blocks: []output.Block{grid}})
	})
	c.Flags().StringVar(&month, "month", "", "only what falls into this `MONTH`, as 2026-11")
	c.ValidArgsFunction = a.completeRuns
	return c
}
