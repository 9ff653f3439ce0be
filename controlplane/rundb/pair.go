package rundb

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Side is one of two runs that are compared.
type Side struct {
	View

	Plan *plan.Plan
	// Params as given, encoded.
	Params []byte
}

// Pair returns two runs, each as of its own moment. Errors: NotFound,
// INVALID_ARGUMENT for the name of the second.
func (s *Store) Pair(ctx context.Context, by caller.Caller, ref Ref, other string) (one, two Side, err error) {
	if one, err = s.side(ctx, by, ref); err != nil {
		return one, two, err
	}
	second, err := ParseRef(other)
	if err != nil {
		return one, two, err
	}
	two, err = s.side(ctx, by, second)
	return one, two, err
}

func (s *Store) side(ctx context.Context, by caller.Caller, ref Ref) (Side, error) {
	r := s.Reader(by, ref)
	view, err := r.Read(ctx)
	if err != nil {
		return Side{}, err
	}
	out := Side{View: view, Plan: r.history.graph.Plan}
	err = pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, sqlReadParams, pgx.StrictNamedArgs{"org_id": by.OrgID, "id": view.Run.ID}).Scan(&out.Params)
	})
	if err != nil {
		return out, fmt.Errorf("read params: %w", err)
	}
	return out, nil
}
