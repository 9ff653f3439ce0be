package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

func (a *app) approvalCommand() *cobra.Command {
	return group("approval", "Approvals: what waits for somebody to say yes",
		a.approvalListCommand(), a.approveCommand())
}

func (a *app) approvalListCommand() *cobra.Command {
	var page string
	v := &values{app: a}
	c := a.command("list", "List what waits for somebody, the oldest first", noArgs, func(ctx context.Context, _ []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Approval.ListApprovals(ctx, &runv1.ListApprovalsRequest{PageToken: page})
		if err != nil {
			return err
		}
		if err := v.openMessages(ctx, api, res.GetApprovals()); err != nil {
			return err
		}
		err = a.print(output.View{
			Answer: res,
			Items:  output.Items(res.GetApprovals()),
			Names:  output.NamesOf(res.GetApprovals(), (*runv1.Approval).GetRunId),
			Blocks: []output.Block{a.approvalGrid(res.GetApprovals())},
		})
		if next := res.GetNextPageToken(); err == nil && next != "" {
			a.note("There is more: --page %s", next)
		}
		return err
	})
	c.Flags().StringVar(&page, "page", "", "the page `TOKEN` that the page before was answered with")
	v.flags(c)
	return c
}

func (a *app) approvalGrid(list []*runv1.Approval) *output.Grid {
	g := &output.Grid{
		Columns: []output.Column{
			{Head: "RUN"},
			{Head: "TASK"},
			{Head: "WAITING"},
			{Head: "APPROVED", Right: true},
			{Head: "STARTED BY"},
			{Head: "YOU"},
			{Head: "ASKS"},
			{Head: "WHO MAY", Wide: true},
			{Head: "ID", Wide: true},
		},
		Empty: "Nothing waits for anybody.",
	}
	for _, x := range list {
		g.Add(output.Text(x.GetPipeline()+"#"+strconv.FormatInt(x.GetNumber(), 10)), output.Text(x.GetTask()),
			output.Text(output.Duration(a.now().Sub(x.GetSince().AsTime()))),
			output.Text(strconv.Itoa(int(x.GetApproved()))+"/"+strconv.Itoa(int(x.GetRequired()))), output.Text(x.GetRequester()),
			mayVote(x), messageCell(x.GetMessage()), output.Text(strings.Join(x.GetBy(), ", ")), output.Text(x.GetRunId()))
	}
	return g
}

// mayVote says whether the caller may vote, and if not, why.
func mayVote(x *runv1.Approval) output.Cell {
	switch x.GetDenied() {
	case "":
		return output.Text("may decide")
	case "FOUR_EYES":
		return output.Cell{Text: "no: you asked for it", Tone: output.Faint}
	case "NOT_AN_APPROVER":
		return output.Cell{Text: "no: others are named", Tone: output.Faint}
	}
	return output.Cell{Text: "no: not your role", Tone: output.Faint}
}

func (a *app) approveCommand() *cobra.Command {
	req := &runv1.DecideApprovalRequest{}
	v := &values{app: a}
	c := a.command("approve RUN TASK", "Approve of what a run waits for, or reject it", exactly("RUN", "TASK"), func(ctx context.Context, args []string) error {
		return a.changeRun(ctx, args[0], func(api *client.Clients, id string) (*runv1.Run, output.View, error) {
			req.RunId, req.Task = id, args[1]
			v.showMessage(ctx, api, id, args[1])
			res, err := api.Approval.DecideApproval(ctx, req)
			return res.GetRun(), output.View{Answer: res}, err
		})
	})
	c.Long = `Approve of what a run waits for, or reject it. Each person has one vote, and the
last word counts until the approval closes: at the first rejection, or when as
many approve as it requires. What is asked is shown first, opened as by
` + "`signalbox run values`" + `; ` + "`signalbox approval list`" + ` shows it without a vote. Votes and comments are kept in the run's journal, in
the open, and votes in the audit log.` + runHelp
	c.Example = `  signalbox approve train#12 sign-off --comment "AUC is fine"
  signalbox approve train#12 sign-off --reject`
	c.Flags().BoolVar(&req.Reject, "reject", false, "say no")
	c.Flags().StringVar(&req.Comment, "comment", "", "a `TEXT` for whoever reads the run's history")
	v.flags(c)
	c.ValidArgsFunction = a.completeRuns
	return c
}
