package rundb

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Waiting is what a pending run waits for. What of it changes without the run is
// of the moment at which it was read.
type Waiting struct {
	// Reason is one of the engine's holds.
	Reason  string
	StartAt time.Time
	// Key is the concurrency key; Position 1 is the next of its line, 0 far
	// behind.
	Key      string
	Position int32
	Blocker  id.UUID
}

// How far behind a run may stand for its position to be counted.
const (
	countOne  = 10_000 // when it is asked for itself
	countMany = 100    // in a list
)

// The queries within are bounded: no cost grows with the length of a line.
const sqlReadWaiting = `
	SELECT r.id, r.start_at, a.key, a.slot IS NULL AS waits,
		(
			SELECT b.run_id
			FROM admission b
			WHERE b.org_id = a.org_id
				AND b.pipeline_id = a.pipeline_id
				AND b.key = a.key
				AND b.slot IS NOT NULL
				AND b.blocking
			ORDER BY b.slot
			LIMIT 1
		) AS blocker,
		(
			SELECT count(*)
			FROM (
				SELECT 1
				FROM admission q
				WHERE q.org_id = a.org_id
					AND q.pipeline_id = a.pipeline_id
					AND q.key = a.key
					AND q.slot IS NULL
					AND q.ticket < a.ticket
				LIMIT @most
			) x
		) AS ahead
	FROM run r
	LEFT JOIN admission a ON a.org_id = r.org_id AND a.run_id = r.id
	WHERE r.org_id = @org_id
		AND r.id = ANY(@ids)`

type waitingRow struct {
	ID      id.UUID
	StartAt *time.Time
	Key     *string
	Waits   bool
	Blocker *id.UUID
	Ahead   int64
}

// tellWaiting says of the pending runs of a list what they wait for.
func tellWaiting(ctx context.Context, tx pgx.Tx, org id.UUID, list []Run, most int64) error {
	var ids []id.UUID
	for i := range list {
		if list[i].State == engine.RunPending.String() {
			ids = append(ids, list[i].ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	rows, _ := tx.Query(ctx, sqlReadWaiting, pgx.StrictNamedArgs{"org_id": org, "ids": ids, "most": most})
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[waitingRow])
	if err != nil {
		return fmt.Errorf("read what runs wait for: %w", err)
	}
	by := map[id.UUID]*waitingRow{}
	for i := range found {
		by[found[i].ID] = &found[i]
	}
	for i := range list {
		if row := by[list[i].ID]; row != nil {
			list[i].Waiting = row.waiting(list[i].Reason, most)
			list[i].Reason = list[i].Waiting.String()
		}
	}
	return nil
}

func (w *waitingRow) waiting(reason string, most int64) *Waiting {
	out := &Waiting{Reason: reason}
	switch reason {
	case engine.HoldStartAt:
		if w.StartAt != nil {
			out.StartAt = w.StartAt.UTC()
		}
	case engine.HoldConcurrency, engine.HoldBlocked:
		out.Reason = engine.HoldConcurrency
		if w.Key != nil {
			out.Key = *w.Key
		}
		if w.Waits && w.Ahead < most {
			out.Position = int32(w.Ahead) + 1
		}
		if w.Blocker != nil {
			out.Reason, out.Blocker = engine.HoldBlocked, *w.Blocker
		}
	}
	return out
}

// String is the reason with what belongs to it: `concurrency(s3://lake, 3)`.
func (w *Waiting) String() string {
	switch w.Reason {
	case engine.HoldStartAt:
		return w.Reason + "(" + w.StartAt.Format(time.RFC3339) + ")"
	case engine.HoldConcurrency:
		at := "far behind"
		if w.Position > 0 {
			at = strconv.Itoa(int(w.Position))
		}
		if w.Key == "" {
			return w.Reason + "(" + at + ")"
		}
		return w.Reason + "(" + w.Key + ", " + at + ")"
	case engine.HoldBlocked:
		return w.Reason + "(" + id.Format(id.Run, w.Blocker) + ")"
	}
	return w.Reason
}

const sqlLineOfRun = `
	SELECT r.pipeline_id, r.concurrency_key
	FROM run r
	WHERE r.org_id = @org_id
		AND r.workspace_id = @workspace_id
		AND r.id = @id`

// LineOf returns the concurrency line in which a run stands or stood; a nil key
// for one of a pipeline that has none. Errors: NotFound.
func (s *Store) LineOf(ctx context.Context, by caller.Caller, run id.UUID) (pipeline id.UUID, key *string, err error) {
	err = pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		args := pgx.StrictNamedArgs{"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "id": run}
		err := tx.QueryRow(ctx, sqlLineOfRun, args).Scan(&pipeline, &key)
		if pg.NoRows(err) {
			return errNoRun(id.Format(id.Run, run))
		}
		if err != nil {
			return fmt.Errorf("read the line of a run: %w", err)
		}
		return nil
	})
	return pipeline, key, err
}
