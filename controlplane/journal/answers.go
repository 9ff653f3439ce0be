package journal

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/proto/id"
)

const sqlReadAnswers = `
	SELECT DISTINCT ON (task) seq, task, path, attempt, body
	FROM journal
	WHERE org_id = @org_id
		AND run_id = @run_id
		AND kind = 'task_decided'
		AND task = ANY(@tasks)
		AND body IS NOT NULL
	ORDER BY task, seq DESC`

// Answers returns what agents made for the given tasks before these began, the
// latest of each; of those for which nothing was made it returns none.
func Answers(ctx context.Context, q Querier, org, run id.UUID, tasks []int32) ([]Body, error) {
	if len(tasks) == 0 {
		return nil, nil
	}
	rows, err := q.Query(ctx, sqlReadAnswers, pgx.StrictNamedArgs{"org_id": org, "run_id": run, "tasks": tasks})
	if err != nil {
		return nil, fmt.Errorf("read answers: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (Body, error) {
		var b Body
		err := r.Scan(&b.Seq, &b.Task, &b.Path, &b.Attempt, &b.Bytes)
		return b, err
	})
	if err != nil {
		return nil, fmt.Errorf("read answers: %w", err)
	}
	return out, nil
}
