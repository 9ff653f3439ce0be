package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

// showAt shows a run as it stood.
func (a *app) showAt(ctx context.Context, api *client.Clients, ref, at string) error {
	req := &runv1.GetRunAtRequest{Id: ref}
	if seq, err := strconv.ParseInt(at, 10, 64); err == nil {
		req.Moment = &runv1.GetRunAtRequest_Seq{Seq: seq}
	} else {
		t, err := a.timeFlag("--at", at)
		if err != nil {
			return exit.Usagef("--at: want a time as 2026-11-20T08:00:00Z, how long ago, as 10m, or the number of an entry; got %q", at)
		}
		req.Moment = &runv1.GetRunAtRequest_At{At: t}
	}
	res, err := api.History.GetRunAt(ctx, req)
	if err != nil {
		return err
	}
	// Durations of what ran then are those of then.
	then := *a
	then.opts.Now = res.GetAt().AsTime
	view := then.runView(&runv1.GetRunResponse{Run: res.GetRun(), Tasks: res.GetTasks()})
	view.Answer = res
	head := fmt.Sprintf("As it stood at %s, after entry %d of %d.",
		res.GetAt().AsTime().UTC().Format("2006-01-02 15:04:05.000Z"), res.GetRun().GetSeq(), res.GetLastSeq())
	view.Blocks = append([]output.Block{output.Prose(head)}, view.Blocks...)
	return a.print(view)
}
