package rundb

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Origin is a run from which another one takes over.
type Origin struct {
	Run   Run
	Graph *engine.Graph
	State *engine.State
	// Params as given, encoded.
	Params []byte
	// Decided are the encoded bodies of the entries that tell what the items of
	// its maps are.
	Decided map[int64][]byte
}

// ReadOrigin returns a run with all that decides what of it is taken over.
// Errors: NotFound, JOURNAL_ARCHIVED.
func (s *Store) ReadOrigin(ctx context.Context, by caller.Caller, ref Ref) (Origin, error) {
	out := Origin{Decided: map[int64][]byte{}}
	r := s.Reader(by, ref)
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		if out.Run, err = get(ctx, tx, by, ref); err != nil {
			return err
		}
		if err := r.catchUp(ctx, tx, &out.Run); errors.Is(err, errGone) {
			return errArchived(&out.Run)
		} else if err != nil {
			return err
		}
		out.Graph, out.State = r.history.graph, r.history.state
		if err := tx.QueryRow(ctx, sqlReadParams, pgx.StrictNamedArgs{"org_id": by.OrgID, "id": out.Run.ID}).Scan(&out.Params); err != nil {
			return fmt.Errorf("read params: %w", err)
		}
		return out.readDecided(ctx, tx, by)
	})
	return out, err
}

func (o *Origin) readDecided(ctx context.Context, tx pgx.Tx, by caller.Caller) error {
	var seqs []int64
	for _, f := range o.State.Fans {
		if f.AskedSeq > 0 {
			seqs = append(seqs, f.AskedSeq)
		}
	}
	bodies, err := journal.BodiesAt(ctx, tx, by.OrgID, o.Run.ID, seqs)
	if err != nil {
		return err
	}
	for i := range bodies {
		o.Decided[bodies[i].Seq] = bodies[i].Bytes
	}
	return nil
}
