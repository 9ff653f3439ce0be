package runapi

import (
	"context"

	"github.com/signalboxhq/signalbox/controlplane/actor"
	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/rundb"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// PauseRun keeps a run from starting anything.
func (h *Handler) PauseRun(ctx context.Context, req *runv1.PauseRunRequest) (*runv1.PauseRunResponse, error) {
	by := caller.From(ctx)
	run, err := h.act(ctx, by, req.GetId(), func(run *rundb.Run, key advance.RunKey) error {
		return h.advancer.PauseRun(ctx, advance.PauseRun{RunKey: key, Actor: actor.Text(by), Suspend: req.GetSuspend(), Seen: run.Seq})
	})
	if err != nil {
		return nil, err
	}
	return &runv1.PauseRunResponse{Run: runMessage(run)}, nil
}

// ResumeRun lets a paused run go on.
func (h *Handler) ResumeRun(ctx context.Context, req *runv1.ResumeRunRequest) (*runv1.ResumeRunResponse, error) {
	by := caller.From(ctx)
	run, err := h.act(ctx, by, req.GetId(), func(run *rundb.Run, key advance.RunKey) error {
		return h.advancer.ResumeRun(ctx, advance.ResumeRun{RunKey: key, Actor: actor.Text(by), Seen: run.Seq})
	})
	if err != nil {
		return nil, err
	}
	return &runv1.ResumeRunResponse{Run: runMessage(run)}, nil
}
