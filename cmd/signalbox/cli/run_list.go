package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func (a *app) runListCommand() *cobra.Command {
	req := &runv1.ListRunsRequest{}
	var since, until string
	c := a.command("list", "List runs, newest first", noArgs, func(ctx context.Context, _ []string) error {
		var err error
		if req.Since, err = a.timeFlag("--since", since); err != nil {
			return err
		}
		if req.Until, err = a.timeFlag("--until", until); err != nil {
			return err
		}
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Run.ListRuns(ctx, req)
		if err != nil {
			return adviseStates(err)
		}
		a.more(res.GetNextPageToken())
		return a.print(output.View{
			Answer: res,
			Items:  output.Items(res.GetRuns()),
			Names:  output.NamesOf(res.GetRuns(), (*runv1.Run).GetId),
			Blocks: []output.Block{a.runGrid(res.GetRuns())},
		})
	})
	c.Example = `  signalbox run list --state failed --since 24h
  signalbox run list --pipeline fraud-train --label team=risk -o wide
  signalbox run list -o name --state running | xargs -n1 signalbox cancel`
	c.Flags().StringVar(&req.Pipeline, "pipeline", "", "only those of this `PIPELINE`")
	c.Flags().StringSliceVar(&req.States, "state", nil, "only those in this `STATE`; may be repeated")
	c.Flags().StringArrayVar(&req.Labels, "label", nil, "only those with this label, as `KEY=VALUE`; all must match")
	c.Flags().StringVar(&since, "since", "", "created since this `TIME`: 24h, 7d, or RFC 3339")
	c.Flags().StringVar(&until, "until", "", "created before this `TIME`")
	a.pageFlags(c, &req.PageSize, &req.PageToken)
	return c
}

// runStates are the states of runs that this release knows.
const runStates = "pending, running, paused, canceling, finalizing, succeeded, failed, canceled, dropped"

// adviseStates lists the states where the service refused one. It decides which
// there are: a newer one may know more.
func adviseStates(err error) error {
	e := exit.From(err)
	for _, v := range e.Violations {
		if v.GetPath() == "states" {
			return e.Advise("the states of runs are %s", runStates)
		}
	}
	return err
}

// timeFlag reads a moment: absolute, or so long ago.
func (a *app) timeFlag(flag, text string) (*timestamppb.Timestamp, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // an absent filter
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return timestamppb.New(t), nil
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return timestamppb.New(t), nil
	}
	ms, err := plan.ParseDuration(text)
	if err != nil {
		return nil, exit.Usagef("%s: want a time as 2026-11-20T08:00:00Z, a date, or how long ago, as 24h or 7d; got %q", flag, text)
	}
	return timestamppb.New(a.now().Add(-time.Duration(ms) * time.Millisecond)), nil
}
