package runapi

import (
	"context"

	"github.com/signalboxhq/signalbox/controlplane/actor"
	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// cancel and retry are two steps each: the run is found under the caller's
// policy, then the group commit is told of it.

func (h *Handler) cancel(ctx context.Context, by caller.Caller, text string, force bool) (*rundb.Run, error) {
	return h.act(ctx, by, text, func(run *rundb.Run, key advance.RunKey) error {
		return h.advancer.CancelRun(ctx, advance.CancelRun{RunKey: key, Actor: actor.Text(by), Force: force})
	})
}

func (h *Handler) retry(ctx context.Context, by caller.Caller, text string) (*rundb.Run, error) {
	return h.act(ctx, by, text, func(run *rundb.Run, key advance.RunKey) error {
		// The generation that the caller saw: of two at once, one opens the next.
		return h.advancer.RetryRun(ctx, advance.RetryRun{RunKey: key, Actor: actor.Text(by), Generation: run.Generation})
	})
}

func (h *Handler) act(ctx context.Context, by caller.Caller, text string, do func(*rundb.Run, advance.RunKey) error) (*rundb.Run, error) {
	ref, err := rundb.ParseRef(text)
	if err != nil {
		return nil, err
	}
	run, err := h.store.Get(ctx, by, ref)
	if err != nil {
		return nil, err
	}
	if err := do(&run, advance.RunKey{Org: by.OrgID, Run: run.ID}); err != nil {
		return nil, err
	}
	after, err := h.store.Get(ctx, by, rundb.RefTo(run.ID))
	return &after, err
}
