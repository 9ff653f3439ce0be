package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

func (a *app) runHistoryCommand() *cobra.Command {
	req := &runv1.ListEntriesRequest{}
	c := a.command("history [RUN]", "List what happened to a run, as sentences", upTo(0, "RUN"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		req.Id = argument(args, 0, latest)
		res, err := api.History.ListEntries(ctx, req)
		if err != nil {
			return err
		}
		if next := res.GetNextAfter(); next != 0 {
			a.note("There is more: --after %d", next)
		}
		return a.print(a.historyView(res))
	})
	c.Long = "List the journal of a run, oldest first: all that ever happened to it, one sentence\neach. `signalbox run show RUN --at N` shows the run after entry N." + runHelp
	c.Flags().Int64Var(&req.After, "after", 0, "go on after this `ENTRY`")
	c.Flags().Uint32Var(&req.PageSize, "limit", 0, "at most so `MANY`")
	c.ValidArgsFunction = a.completeRuns
	return c
}

func (a *app) historyView(res *runv1.ListEntriesResponse) output.View {
	grid := &output.Grid{
		Columns: []output.Column{
			{Head: "SEQ", Right: true},
			{Head: "AT"},
			{Head: "WHAT HAPPENED"},
			{Head: "KIND", Wide: true},
			{Head: "GENERATION", Right: true, Wide: true},
			{Head: "BILLED", Right: true, Wide: true},
		},
		Empty: "Nothing happened after that.",
	}
	for _, e := range res.GetEntries() {
		grid.Add(output.Number(e.GetSeq()), output.Text(e.GetAt().AsTime().UTC().Format("2006-01-02 15:04:05.000Z")),
			output.Text(e.GetSentence()), output.Text(e.GetKind()), output.Number(e.GetGeneration()), output.Text(output.Millis(e.GetBilledMs())))
	}
	return output.View{
		Answer: res,
		Items:  output.Items(res.GetEntries()),
		Names:  output.NamesOf(res.GetEntries(), func(e *runv1.Entry) string { return strconv.FormatInt(e.GetSeq(), 10) }),
		Blocks: []output.Block{grid},
	}
}
