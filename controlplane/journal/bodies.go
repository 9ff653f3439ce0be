package journal

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/proto/id"
)

const sqlReadBodiesAt = `
	SELECT seq, task, path, attempt, agent_id, CASE kind WHEN 'task_ended' THEN next ELSE outcome END AS outcome, body
	FROM journal
	WHERE org_id = @org_id
		AND run_id = @run_id
		AND seq = ANY(@seqs)
		AND body IS NOT NULL
	ORDER BY seq`

// BodiesAt returns what stands beside the entries with these seqs, in journal
// order; entries without a body are left out.
func BodiesAt(ctx context.Context, q Querier, org, run id.UUID, seqs []int64) ([]Body, error) {
	if len(seqs) == 0 {
		return nil, nil
	}
	rows, err := q.Query(ctx, sqlReadBodiesAt, pgx.StrictNamedArgs{"org_id": org, "run_id": run, "seqs": seqs})
	if err != nil {
		return nil, fmt.Errorf("read bodies: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (Body, error) {
		var b Body
		var agent *id.UUID
		err := r.Scan(&b.Seq, &b.Task, &b.Path, &b.Attempt, &agent, &b.Outcome, &b.Bytes)
		if agent != nil {
			b.Agent = *agent
		}
		return b, err
	})
	if err != nil {
		return nil, fmt.Errorf("read bodies: %w", err)
	}
	return out, nil
}

const sqlSeeded = `
	SELECT EXISTS (
		SELECT
		FROM journal
		WHERE org_id = @org_id
			AND run_id = @run_id
			AND seq = 1
			AND kind = 'run_seeded'
	)`

// Seeded reports whether a run takes over from another one.
func Seeded(ctx context.Context, q Querier, org, run id.UUID) (bool, error) {
	rows, _ := q.Query(ctx, sqlSeeded, pgx.StrictNamedArgs{"org_id": org, "run_id": run})
	out, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[bool])
	if err != nil {
		return false, fmt.Errorf("read the first entry: %w", err)
	}
	return out, nil
}
