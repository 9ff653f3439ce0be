package rundb

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

const sqlReadParams = `
	SELECT r.params
	FROM run r
	WHERE r.org_id = @org_id
		AND r.id = @id`

const sqlReadBodies = `
	SELECT j.task, j.attempt, j.body
	FROM journal j
	WHERE j.org_id = @org_id
		AND j.run_id = @run_id
		AND j.seq = ANY(@seqs)
		AND j.body IS NOT NULL
	ORDER BY j.task`

// Values is what went into a run.
type Values struct {
	Plan *plan.Plan
	// Params as given, encoded.
	Params []byte
}

// Left is what the attempt that ended a task left, encoded.
type Left struct {
	Task    string
	Attempt int32
	Body    []byte
}

// ReadValues returns what went into a run, and hands what came out of each of
// its ended tasks to each, one after the other: together they may be large.
// Errors: NotFound, JOURNAL_ARCHIVED, and those of each.
func (s *Store) ReadValues(ctx context.Context, by caller.Caller, ref Ref, each func(Left) error) (Values, error) {
	var out Values
	r := s.Reader(by, ref)
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		run, err := get(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		if err := r.catchUp(ctx, tx, &run); errors.Is(err, errGone) {
			return errArchived(&run)
		} else if err != nil {
			return err
		}
		out.Plan = r.history.graph.Plan
		if err := tx.QueryRow(ctx, sqlReadParams, pgx.StrictNamedArgs{"org_id": by.OrgID, "id": run.ID}).Scan(&out.Params); err != nil {
			return fmt.Errorf("read params: %w", err)
		}
		return eachBody(ctx, tx, by.OrgID, run.ID, r.history, each)
	})
	return out, err
}

func eachBody(ctx context.Context, tx pgx.Tx, org, run id.UUID, h *history, each func(Left) error) error {
	rows, err := tx.Query(ctx, sqlReadBodies, pgx.StrictNamedArgs{"org_id": org, "run_id": run, "seqs": endSeqs(h.state)})
	if err != nil {
		return fmt.Errorf("read values: %w", err)
	}
	var task int32
	var left Left
	_, err = pgx.ForEachRow(rows, []any{&task, &left.Attempt, &left.Body}, func() error {
		left.Task = h.graph.Path(h.state, task)
		return each(left)
	})
	if err != nil {
		return fmt.Errorf("read values: %w", err)
	}
	return nil
}

// endSeqs lists the entries that ended the tasks of this generation.
func endSeqs(s *engine.State) []int64 {
	out := []int64{}
	for i := range s.Tasks {
		if s.Tasks[i].State.Terminal() && s.Tasks[i].EndSeq > 0 {
			out = append(out, s.Tasks[i].EndSeq)
		}
	}
	return out
}
