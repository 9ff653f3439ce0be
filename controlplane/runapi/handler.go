// Package runapi serves signalbox.run.v1.RunService, HistoryService and
// ApprovalService.
//
// It judges what a start was given against the plan (the only place where a
// value is looked at, and then only one that was declared open), hands what
// changes a run to the group commit, and turns runs into messages. Reading is
// controlplane/rundb's, under the caller's organization's policy: a run is
// always found there first, so that the group commit, which serves all
// organizations, is only ever told of runs that the caller may see.
package runapi

import (
	"context"

	"connectrpc.com/connect"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/controlplane/watch"
	"github.com/signalboxhq/signalbox/internal/pg"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1/runv1connect"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Advancer is what changes runs.
type Advancer interface {
	StartRun(ctx context.Context, c advance.StartRun) (advance.Started, error)
	CancelRun(ctx context.Context, c advance.CancelRun) error
	RetryRun(ctx context.Context, c advance.RetryRun) error
	PauseRun(ctx context.Context, c advance.PauseRun) error
	ResumeRun(ctx context.Context, c advance.ResumeRun) error
	SignalRun(ctx context.Context, c advance.SignalRun) error
	Vote(ctx context.Context, c advance.Vote) error
	UnblockLine(ctx context.Context, c advance.UnblockLine) error
}

// Watcher is what tells of changes.
type Watcher interface {
	Subscribe(run watch.Run) (*watch.Subscription, error)
}

// Handler is the service.
type Handler struct {
	store    *rundb.Store
	advancer Advancer
	watcher  Watcher
}

var _ runv1connect.RunServiceHandler = (*Handler)(nil)

// New makes the service.
func New(db *pg.DB, advancer Advancer, watcher Watcher) *Handler {
	return &Handler{store: rundb.NewStore(db), advancer: advancer, watcher: watcher}
}

// StartRun starts a run of the deployed or the named version.
func (h *Handler) StartRun(ctx context.Context, req *runv1.StartRunRequest) (*runv1.StartRunResponse, error) {
	by := caller.From(ctx)
	started, err := h.start(ctx, by, req)
	if err != nil {
		return nil, err
	}
	if m := freshMessage(by, req, &started); m != nil {
		return &runv1.StartRunResponse{Run: m, Created: true}, nil
	}
	run, err := h.store.Get(ctx, by, rundb.RefTo(started.Run))
	if err != nil {
		return nil, err
	}
	return &runv1.StartRunResponse{Run: runMessage(&run), Created: started.Created}, nil
}

// GetRun returns a run as it stands.
func (h *Handler) GetRun(ctx context.Context, req *runv1.GetRunRequest) (*runv1.GetRunResponse, error) {
	ref, err := rundb.ParseRef(req.GetId())
	if err != nil {
		return nil, err
	}
	view, err := h.store.View(ctx, caller.From(ctx), ref)
	if err != nil {
		return nil, err
	}
	run, tasks, err := viewMessages(&view)
	if err != nil {
		return nil, err
	}
	return &runv1.GetRunResponse{Run: run, Tasks: tasks}, nil
}

// ListRuns returns a page of runs, newest first.
func (h *Handler) ListRuns(ctx context.Context, req *runv1.ListRunsRequest) (*runv1.ListRunsResponse, error) {
	filter, err := filterOf(req)
	if err != nil {
		return nil, err
	}
	page, err := h.store.List(ctx, caller.From(ctx), filter)
	if err != nil {
		return nil, err
	}
	res := &runv1.ListRunsResponse{NextPageToken: page.Next}
	for i := range page.Runs {
		res.Runs = append(res.Runs, runMessage(&page.Runs[i]))
	}
	return res, nil
}

// WatchRun sends the run whole, then again at every change.
func (h *Handler) WatchRun(ctx context.Context, req *runv1.WatchRunRequest, stream *connect.ServerStream[runv1.WatchRunResponse]) error {
	ref, err := rundb.ParseRef(req.GetId())
	if err != nil {
		return err
	}
	return h.watch(ctx, caller.From(ctx), ref, stream.Send)
}

// CancelRun asks steps to stop and lets exit handlers run; force skips them.
func (h *Handler) CancelRun(ctx context.Context, req *runv1.CancelRunRequest) (*runv1.CancelRunResponse, error) {
	run, err := h.cancel(ctx, caller.From(ctx), req.GetId(), req.GetForce())
	if err != nil {
		return nil, err
	}
	return &runv1.CancelRunResponse{Run: runMessage(run)}, nil
}

// RetryRun opens a new generation of the same run.
func (h *Handler) RetryRun(ctx context.Context, req *runv1.RetryRunRequest) (*runv1.RetryRunResponse, error) {
	run, err := h.retry(ctx, caller.From(ctx), req.GetId())
	if err != nil {
		return nil, err
	}
	return &runv1.RetryRunResponse{Run: runMessage(run)}, nil
}

// GetRunValues returns the params of a run and the outputs of its tasks.
func (h *Handler) GetRunValues(ctx context.Context, req *runv1.GetRunValuesRequest) (*runv1.GetRunValuesResponse, error) {
	ref, err := rundb.ParseRef(req.GetId())
	if err != nil {
		return nil, err
	}
	return h.values(ctx, caller.From(ctx), ref, req.GetTask())
}
