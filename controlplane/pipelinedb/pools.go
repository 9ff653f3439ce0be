package pipelinedb

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// missingPool is a pool that does not exist and the first task that names it.
type missingPool struct{ pool, task string }

const sqlPoolNames = `
	SELECT p.name
	FROM pool p
	WHERE p.org_id = @org_id
		AND p.workspace_id = @workspace_id
		AND p.name = ANY(@names)`

func findMissingPools(ctx context.Context, tx pgx.Tx, by caller.Caller, p *plan.Plan) ([]missingPool, error) {
	var wanted []missingPool
	for i := range p.Tasks {
		t := &p.Tasks[i]
		if !slices.ContainsFunc(wanted, func(m missingPool) bool { return m.pool == t.Pool }) {
			wanted = append(wanted, missingPool{t.Pool, t.Name})
		}
	}
	names := make([]string, len(wanted))
	for i := range wanted {
		names[i] = wanted[i].pool
	}
	rows, _ := tx.Query(ctx, sqlPoolNames, pgx.StrictNamedArgs{"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "names": names})
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look for the pools of a pipeline: %w", err)
	}
	return slices.DeleteFunc(wanted, func(m missingPool) bool { return slices.Contains(found, m.pool) }), nil
}

func requirePools(ctx context.Context, tx pgx.Tx, by caller.Caller, p *plan.Plan) error {
	missing, err := findMissingPools(ctx, tx, by, p)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return errNoPools(missing)
	}
	return nil
}

// MissingPools returns the names of the pools that a plan names and the caller's
// workspace does not have, for a warning before it is applied.
func (s *Store) MissingPools(ctx context.Context, by caller.Caller, p *plan.Plan) ([]string, error) {
	var names []string
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		missing, err := findMissingPools(ctx, tx, by, p)
		for _, m := range missing {
			names = append(names, m.pool)
		}
		return err
	})
	return names, err
}
