package cli

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

func (a *app) runReplayCommand() *cobra.Command {
	var verify bool
	c := a.command("replay [RUN]", "Fold a run's journal again and compare", upTo(0, "RUN"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.History.ReplayRun(ctx, &runv1.ReplayRunRequest{Id: argument(args, 0, latest)})
		if err != nil {
			return err
		}
		if err := a.print(replayView(res)); err != nil {
			return err
		}
		if verify && len(res.GetDifferences()) > 0 {
			return &exit.QuietError{Code: exit.Failed}
		}
		return nil
	})
	c.Long = `Fold a run's journal from nothing, as the service did step by step while it ran, and
compare what follows from it with what is stored: the run's row, where its open tasks
stand, what each attempt was billed, and the digests that were noted when the run was
archived. Each difference is one line. With --verify it exits 1 if there are any.
` + runHelp
	c.Flags().BoolVar(&verify, "verify", false, "exit 1 if anything differs")
	c.ValidArgsFunction = a.completeRuns
	return c
}

func replayView(res *runv1.ReplayRunResponse) output.View {
	s := &output.Sheet{}
	s.Add("run", output.Text(runName(res.GetRun())))
	s.Add("id", output.Text(res.GetRun().GetId()))
	s.Add("entries", output.Text(fmt.Sprintf("%d, folded from nothing", res.GetEntries())))
	s.Add("state", output.Text(cmp.Or(res.GetStateDigest(), "there is none: the journal cannot be folded")))
	s.Add("row", output.Text(res.GetRowDigest()))
	s.Add("row, folded", output.Text(res.GetFoldedRowDigest()))
	for _, n := range res.GetNoted() {
		text := n.GetDigest() + " then, " + n.GetFolded() + " now"
		switch n.GetFolded() {
		case n.GetDigest():
			text = n.GetDigest() + ", then and now"
		case "":
			text = n.GetDigest() + ", of another version: not comparable"
		}
		s.Add(fmt.Sprintf("archived at %d", n.GetSeq()), output.Text(text))
	}
	grid := &output.Grid{
		Columns: []output.Column{{Head: "ABOUT"}, {Head: "DIFFERENCE"}},
		Empty:   "All is as the journal says.",
	}
	for _, d := range res.GetDifferences() {
		grid.Add(output.Cell{Text: d.GetKind(), Tone: output.Bad}, output.Text(d.GetText()))
	}
	return output.View{
		Answer: res,
		Items:  output.Items(res.GetDifferences()),
		Names:  output.NamesOf(res.GetDifferences(), (*runv1.ReplayDifference).GetText),
		Blocks: []output.Block{s, grid},
	}
}
