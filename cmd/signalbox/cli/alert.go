package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

func (a *app) alertCommand() *cobra.Command {
	return group("alert", "Alerts: what to look at although no run failed of it", a.alertListCommand())
}

func (a *app) alertListCommand() *cobra.Command {
	var page string
	c := a.command("list", "List the open alerts, newest first", noArgs, func(ctx context.Context, _ []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Alert.ListAlerts(ctx, &runv1.ListAlertsRequest{PageToken: page})
		if err != nil {
			return err
		}
		err = a.print(output.View{
			Answer: res,
			Items:  output.Items(res.GetAlerts()),
			Names:  output.NamesOf(res.GetAlerts(), (*runv1.Alert).GetRunId),
			Blocks: []output.Block{a.alertGrid(res.GetAlerts())},
		})
		if next := res.GetNextPageToken(); err == nil && next != "" {
			a.note("There is more: --page %s", next)
		}
		return err
	})
	c.Long = `List the open alerts, newest first; of each pipeline the newest. An alert is over by
itself: when a retry of its run, or a later run of the same pipeline, ends without
what it is about.`
	c.Flags().StringVar(&page, "page", "", "the page `TOKEN` that the page before was answered with")
	return c
}

func (a *app) alertGrid(list []*runv1.Alert) *output.Grid {
	g := &output.Grid{
		Columns: []output.Column{
			{Head: "TIER"},
			{Head: "RUN"},
			{Head: "SINCE", Right: true},
			{Head: "WHAT"},
			{Head: "KIND", Wide: true},
			{Head: "ID", Wide: true},
		},
		Empty: "Nothing needs looking at.",
	}
	for _, x := range list {
		g.Add(output.Text(x.GetTier()), output.Text(x.GetPipeline()+"#"+strconv.FormatInt(x.GetNumber(), 10)),
			output.Text(output.Duration(a.now().Sub(x.GetSince().AsTime()))), output.Text(x.GetText()),
			output.Text(x.GetKind()), output.Text(x.GetRunId()))
	}
	return g
}
