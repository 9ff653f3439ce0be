package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	poolv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

func (a *app) statusCommand() *cobra.Command {
	c := a.command("status", "Show the newest runs and the pools", noArgs, func(ctx context.Context, _ []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		s, err := a.settings()
		if err != nil {
			return err
		}
		runs, err := api.Run.ListRuns(ctx, &runv1.ListRunsRequest{PageSize: 8})
		if err != nil {
			return err
		}
		pools, err := api.Pool.ListPools(ctx, &poolv1.ListPoolsRequest{})
		if err != nil {
			return err
		}
		p, err := a.printer()
		if err != nil {
			return err
		}
		if p.Format.Structured() {
			both := output.Object{
				{Name: "server", Value: s.Server.Value},
				{Name: "organization", Value: s.Organization.Value},
				{Name: "workspace", Value: s.Workspace.Value},
			}
			both = append(both, output.Of(&runv1.ListRunsResponse{Runs: runs.GetRuns()})[0])
			return p.Value(append(both, output.Of(pools)...))
		}
		sheet := &output.Sheet{}
		sheet.Add("server", output.Text(s.Server.Value))
		sheet.Add("workspace", output.Text(s.Organization.Value+"/"+s.Workspace.Value))
		recent, all := a.runGrid(runs.GetRuns()), poolGrid(pools.GetPools())
		recent.Title, all.Title = "Runs", "Pools"
		return p.Print(output.View{
			Names:  output.NamesOf(runs.GetRuns(), (*runv1.Run).GetId),
			Blocks: []output.Block{sheet, recent, all},
		})
	})
	return c
}
