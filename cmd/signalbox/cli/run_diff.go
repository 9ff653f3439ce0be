package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func (a *app) runDiffCommand() *cobra.Command {
	var all bool
	c := a.command("diff RUN OTHER", "Say in what two runs differ", exactly("RUN", "OTHER"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.History.DiffRuns(ctx, &runv1.DiffRunsRequest{Id: args[0], Other: args[1]})
		if err != nil {
			return err
		}
		return a.print(diffView(res, all))
	})
	c.Long = `Say in what two runs differ: version, params, labels, and of each task what it does,
how it ended, after how many attempts and how long. Sealed params are compared without
being opened: the same envelope is the same value, values of clearly different length
differ, and of others only an agent could tell.
` + runHelp
	c.Flags().BoolVar(&all, "all", false, "show what is the same, too")
	c.ValidArgsFunction = a.completeRuns
	return c
}

func diffView(res *runv1.DiffRunsResponse, all bool) output.View {
	one, two := res.GetRun(), res.GetOther()
	facts := &output.Grid{Columns: []output.Column{{Head: ""}, {Head: runName(one)}, {Head: runName(two)}}}
	row := func(name, a, b string) {
		if all || a != b {
			facts.Add(output.Text(name), output.Text(a), output.Text(b))
		}
	}
	row("version", short(one.GetVersion()), short(two.GetVersion()))
	row("state", one.GetState(), two.GetState())
	row("reason", one.GetReason(), two.GetReason())
	row("generation", strconv.Itoa(int(one.GetGeneration())), strconv.Itoa(int(two.GetGeneration())))
	row("priority", strconv.Itoa(int(one.GetPriority())), strconv.Itoa(int(two.GetPriority())))
	for _, d := range res.GetParams() {
		if all || d.GetLikeness() != runv1.Likeness_LIKENESS_SAME {
			facts.Add(output.Text("params."+d.GetName()), paramText(d, d.GetValue()), paramText(d, d.GetOther()))
		}
	}
	for _, d := range res.GetLabels() {
		row("labels."+d.GetKey(), d.GetValue(), d.GetOther())
	}
	facts.Empty = "Version, params and labels are the same."
	grid := taskDiffGrid(res.GetTasks(), all)
	return output.View{Answer: res, Items: output.Items(res.GetTasks()), Names: []string{one.GetId(), two.GetId()}, Blocks: []output.Block{facts, grid}}
}

// paramText is one side of a param that differs.
func paramText(d *runv1.ParamDifference, v *runv1.Value) output.Cell {
	switch {
	case v == nil:
		return output.Text("")
	case len(v.GetOpenJson()) > 0:
		return output.Text(strings.ReplaceAll(plan.Text(v.GetOpenJson()), "\n", "⏎"))
	case d.GetLikeness() == runv1.Likeness_LIKENESS_NOT_COMPARABLE:
		return output.Cell{Text: "sealed, not comparable", Tone: output.Faint}
	}
	return output.Cell{Text: "not shown, " + likenessText(d.GetLikeness()), Tone: output.Faint}
}

func likenessText(l runv1.Likeness) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(l.String(), "LIKENESS_")), "_", " ")
}

func taskDiffGrid(tasks []*runv1.TaskDifference, all bool) *output.Grid {
	grid := &output.Grid{
		Columns: []output.Column{
			{Head: "TASK"},
			{Head: "DOES"},
			{Head: "STATE"},
			{Head: "OTHER"},
			{Head: "ATTEMPTS", Right: true},
			{Head: "OTHER", Right: true},
			{Head: "DURATION", Right: true},
			{Head: "OTHER", Right: true},
			{Head: "WHY", Wide: true},
			{Head: "OTHER", Wide: true},
		},
		Empty: "Every task does the same and ended the same way.",
	}
	for _, d := range tasks {
		alike := d.GetSpec() == runv1.Likeness_LIKENESS_SAME && d.GetState() == d.GetOtherState() && d.GetAttempts() == d.GetOtherAttempts()
		if alike && !all {
			continue
		}
		grid.Add(output.Text(d.GetName()), output.Text(likenessText(d.GetSpec())), output.State(d.GetState()), output.State(d.GetOtherState()),
			output.Number(d.GetAttempts()), output.Number(d.GetOtherAttempts()), length(d.GetDurationMs()), length(d.GetOtherDurationMs()),
			output.Text(d.GetReason()), output.Text(d.GetOtherReason()))
	}
	return grid
}

// length is a duration, nothing where there is none.
func length(ms int64) output.Cell {
	if ms == 0 {
		return output.Text("")
	}
	return output.Text(output.Millis(ms))
}
