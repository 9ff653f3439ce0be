package rundb

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/controlplane/replay"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Replayed is a run that was folded again from nothing.
type Replayed struct {
	Run     Run
	Entries int
	// State is the fold's digest; zero where the journal cannot be folded.
	State engine.StateDigest
	// Row and FoldedRow are digests of the run's row, as it is stored and as it
	// follows from the journal; FoldedRow is empty where there is no fold.
	Row, FoldedRow string
	Noted          []replay.Noted
	Differences    []replay.Difference
}

// Replay folds a run's journal again and compares all that is stored beside it.
// Errors: NotFound, JOURNAL_ARCHIVED.
func (s *Store) Replay(ctx context.Context, by caller.Caller, ref Ref) (Replayed, error) {
	var out Replayed
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		if out.Run, err = get(ctx, tx, by, ref); err != nil {
			return err
		}
		g, err := s.graph(ctx, tx, by.OrgID, out.Run.PipelineID, plan.Digest(out.Run.Digest))
		if err != nil {
			return err
		}
		return out.replay(ctx, tx, by, g)
	})
	return out, err
}

func (out *Replayed) replay(ctx context.Context, tx pgx.Tx, by caller.Caller, g *engine.Graph) error {
	rows, err := replay.ReadRow(ctx, tx, by.OrgID, out.Run.ID)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return errNoRun(out.Run.Pipeline)
	}
	row := &rows[0]
	places, err := replay.ReadPlaces(ctx, tx, by.OrgID, rows)
	if err != nil {
		return err
	}
	now, _, err := readLeases(ctx, tx, by.OrgID, row.ID)
	if err != nil {
		return err
	}
	noted, err := replay.ReadNoted(ctx, tx, by.OrgID, row.ID)
	if err != nil {
		return err
	}
	entries, err := journal.Read(ctx, tx, by.OrgID, row.ID, 0)
	if err != nil {
		return err
	}
	r := replay.Replay(&replay.Version{Graph: g}, replay.Facts{
		Org: by.OrgID, Row: row, Entries: entries, Noted: noted, Where: places[row.ID], Now: now,
	}, nil)
	if r.Archived {
		return errArchived(&out.Run)
	}
	out.Entries, out.Row, out.Differences, out.Noted = len(entries), row.Columns().Digest(), r.Differences, noted
	if r.State != nil {
		out.State, out.FoldedRow = r.State.Digest(), replay.Shown(g, r.State).Digest()
	}
	return nil
}
