package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

func (a *app) unblockCommand() *cobra.Command {
	c := a.command("unblock RUN", "Let the runs go on that wait for one that failed", oneArg("RUN"), func(ctx context.Context, args []string) error {
		return a.changeRun(ctx, args[0], func(api *client.Clients, id string) (*runv1.Run, output.View, error) {
			res, err := api.Run.UnblockRun(ctx, &runv1.UnblockRunRequest{Id: id})
			return res.GetRun(), output.View{Answer: res}, err
		})
	})
	c.Long = `Let the runs go on that wait for one that failed: with the concurrency policy
strict it holds the others up until it is retried with success, or unblocked.
RUN is the failed run, or one of those that wait.` + runHelp
	c.ValidArgsFunction = a.completeRuns
	return c
}

// waitingText says in a line what a run waits for.
func waitingText(w *runv1.Waiting) string {
	switch w.GetReason() {
	case "start_at":
		return "it begins at " + w.GetStartAt().AsTime().Format("2006-01-02 15:04:05Z")
	case "concurrency":
		what := "others of the pipeline go first"
		if w.GetConcurrencyKey() != "" {
			what = fmt.Sprintf("others with the concurrency key %s go first", w.GetConcurrencyKey())
		}
		if w.GetPosition() > 0 {
			return fmt.Sprintf("%s, position %d", what, w.GetPosition())
		}
		return what
	case "blocked_by":
		return fmt.Sprintf("%s failed and holds the others up; retry it, or `signalbox run unblock %[1]s`", w.GetBlockedBy())
	case "pipeline_paused":
		return "the pipeline is paused"
	}
	return w.GetReason()
}

// startAt reads --at: a moment, or a while from now.
func (s *start) startAt() (*timestamppb.Timestamp, error) {
	if s.at == "" {
		return nil, nil
	}
	if d, err := time.ParseDuration(s.at); err == nil && d >= 0 {
		return timestamppb.New(s.now().Add(d)), nil
	}
	at, err := time.Parse(time.RFC3339, s.at)
	if err != nil {
		return nil, exit.Usagef("--at: want a moment, as 2026-11-20T02:00:00Z, or a while, as 90m; got %q", s.at)
	}
	return timestamppb.New(at), nil
}
