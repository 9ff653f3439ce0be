package poolapi

import (
	"context"
	"fmt"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/pooldb"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Advancer is what ends sessions and the leases they held.
type Advancer interface {
	EndSession(ctx context.Context, c advance.EndSession) (bool, error)
	Lose(ctx context.Context, c advance.Lose) error
}

// revoke refuses an agent from now on and takes its work away. The reaper would
// lose the leases of an ended session too, a second later; what is interrupted
// here it finishes, and repeating it is harmless.
func (h *Handler) revoke(ctx context.Context, by caller.Caller, agent id.UUID) error {
	sessions, err := h.store.RevokeAgent(ctx, by, agent)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		if _, err := h.advancer.EndSession(ctx, advance.EndSession{Org: by.OrgID, Session: s, Force: true}); err != nil {
			return fmt.Errorf("end a revoked agent's session: %w", err)
		}
	}
	leases, err := h.store.LeasesOf(ctx, by, sessions)
	if err != nil {
		return err
	}
	for _, l := range leases {
		if err := h.advancer.Lose(ctx, loseOf(by.OrgID, l)); err != nil {
			return fmt.Errorf("lose a revoked agent's lease: %w", err)
		}
	}
	return nil
}

func loseOf(org id.UUID, l pooldb.Lease) advance.Lose {
	return advance.Lose{RunKey: advance.RunKey{Org: org, Run: l.RunID}, Lease: l.ID, Session: l.Session}
}

func parseAgent(text string) (id.UUID, error) {
	agent, err := id.Parse(id.Agent, text)
	if err != nil {
		return id.Nil, fault.Invalid(pooldb.ReasonInvalid, "%s", err)
	}
	return agent, nil
}
