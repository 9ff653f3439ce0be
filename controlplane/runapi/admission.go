package runapi

import (
	"context"
	"slices"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/internal/fault"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// farthest is how far ahead a run may be started.
const farthest = 366 * 24 * time.Hour

// checkKnown judges what a start says about runs that its key has started, and
// about its time.
func checkKnown(req *runv1.StartRunRequest) error {
	running := []advance.IfRunning{"", advance.IfRunningUse, advance.IfRunningFail, advance.IfRunningCancel}
	done := []advance.IfDone{"", advance.IfDoneAllow, advance.IfDoneFailedOnly, advance.IfDoneReject}
	switch {
	case !slices.Contains(running, advance.IfRunning(req.GetIfRunning())):
		return fault.Invalid(rundb.ReasonInvalid, "if_running must be use, fail or cancel")
	case !slices.Contains(done, advance.IfDone(req.GetIfDone())):
		return fault.Invalid(rundb.ReasonInvalid, "if_done must be allow, failed_only or reject")
	case req.GetIdempotencyKey() == "" && req.GetIfRunning()+req.GetIfDone() != "":
		return fault.Invalid(rundb.ReasonInvalid, "if_running and if_done are about the run of a key: name an idempotency key")
	case req.GetStartAt() != nil && (!req.GetStartAt().IsValid() || time.Until(req.GetStartAt().AsTime()) > farthest):
		return fault.Invalid(rundb.ReasonInvalid, "start_at must lie within a year from now")
	}
	return nil
}

func startAt(req *runv1.StartRunRequest) time.Time {
	if req.GetStartAt() == nil {
		return time.Time{}
	}
	return req.GetStartAt().AsTime().Truncate(time.Millisecond)
}

// UnblockRun lets the runs go on that wait for one that failed.
func (h *Handler) UnblockRun(ctx context.Context, req *runv1.UnblockRunRequest) (*runv1.UnblockRunResponse, error) {
	by := caller.From(ctx)
	run, err := h.act(ctx, by, req.GetId(), func(run *rundb.Run, key advance.RunKey) error {
		pipeline, line, err := h.store.LineOf(ctx, by, run.ID)
		if err != nil || line == nil {
			return err
		}
		return h.advancer.UnblockLine(ctx, advance.UnblockLine{Org: key.Org, Pipeline: pipeline, Key: *line})
	})
	if err != nil {
		return nil, err
	}
	return &runv1.UnblockRunResponse{Run: runMessage(run)}, nil
}

// waitingMessage says what a run waits for; nil once it has begun.
func waitingMessage(w *rundb.Waiting) *runv1.Waiting {
	if w == nil {
		return nil
	}
	m := &runv1.Waiting{Reason: w.Reason, StartAt: stamp(w.StartAt), ConcurrencyKey: w.Key, Position: uint32(w.Position)}
	if w.Blocker != id.Nil {
		m.BlockedBy = id.Format(id.Run, w.Blocker)
	}
	return m
}
