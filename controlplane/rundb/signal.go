package rundb

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

const sqlReadSealingKey = `
	SELECT coalesce(w.sealing_kid, '')
	FROM workspace w
	WHERE w.org_id = @org_id
		AND w.id = @workspace_id`

// Awaited is what a signal of that name carries.
type Awaited struct {
	Run  Run
	Plan *plan.Signal // nil: no task of the run waits for it
	// SealingKID names the key that values are sealed to; empty: there is none.
	SealingKID string
}

// FindSignal looks up what a signal is about. Errors: NotFound.
func (s *Store) FindSignal(ctx context.Context, by caller.Caller, ref Ref, name string) (Awaited, error) {
	var out Awaited
	var g *engine.Graph
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		if out.Run, err = get(ctx, tx, by, ref); err != nil {
			return err
		}
		if g, err = s.graph(ctx, tx, by.OrgID, out.Run.PipelineID, plan.Digest(out.Run.Digest)); err != nil {
			return err
		}
		err = tx.QueryRow(ctx, sqlReadSealingKey, pgx.StrictNamedArgs{"org_id": by.OrgID, "workspace_id": by.WorkspaceID}).Scan(&out.SealingKID)
		if err != nil {
			return fmt.Errorf("read the sealing key: %w", err)
		}
		return nil
	})
	if err != nil {
		return out, err
	}
	for i := range g.Plan.Tasks {
		if sig := g.Plan.Tasks[i].Signal; sig != nil && sig.Name == name && (out.Plan == nil || out.Plan.Type == "") {
			out.Plan = sig
		}
	}
	return out, nil
}

// folded is a run with its plan and its journal's fold.
func (s *Store) folded(ctx context.Context, by caller.Caller, ref Ref) (Run, *engine.Graph, *engine.State, error) {
	r := s.Reader(by, ref)
	var run Run
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		if run, err = get(ctx, tx, by, ref); err != nil {
			return err
		}
		return r.catchUp(ctx, tx, &run)
	})
	if err != nil {
		return run, nil, nil, err
	}
	return run, r.history.graph, r.history.state, nil
}
