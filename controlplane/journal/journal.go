// Package journal reads the append-only log of runs: entries as the engine
// folds them, and the bodies (outputs, sealed errors) kept beside them.
//
// It never writes: only the group commit (controlplane/advance) appends, in the
// transaction that also writes what follows from an entry.
package journal

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Querier is what reading needs: a pool, a connection or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Row is an entry with what the journal keeps beside it.
type Row struct {
	engine.Entry

	Path       string
	Generation int32
	BilledMS   int64
}

const sqlReadEntries = `
	SELECT seq, v, at, kind, task, attempt, lease, agent_id, granted, started, finished,
		outcome, cause, exit_code, next, retry_at, reason, actor, path, generation, billed_ms
	FROM journal
	WHERE org_id = @org_id
		AND run_id = @run_id
		AND seq > @after
	ORDER BY seq`

// Read returns a run's entries after a seq, oldest first.
func Read(ctx context.Context, q Querier, org, run id.UUID, after int64) ([]Row, error) {
	rows, err := q.Query(ctx, sqlReadEntries, pgx.StrictNamedArgs{"org_id": org, "run_id": run, "after": after})
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	out, err := pgx.CollectRows(rows, scanRow)
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	return out, nil
}

func scanRow(r pgx.CollectableRow) (Row, error) {
	var out Row
	var kind, outcome, cause, next string
	var agent *id.UUID
	var granted, started, finished, retryAt *time.Time
	e := &out.Entry
	err := r.Scan(&e.Seq, &e.V, &e.At, &kind, &e.Task, &e.Attempt, &e.Lease, &agent, &granted, &started, &finished,
		&outcome, &cause, &e.ExitCode, &next, &retryAt, &e.Reason, &e.Actor, &out.Path, &out.Generation, &out.BilledMS)
	if err != nil {
		return out, err
	}
	if agent != nil {
		e.Agent = *agent
	}
	e.Granted, e.Started, e.Finished, e.RetryAt = deref(granted), deref(started), deref(finished), deref(retryAt)
	if e.Kind, err = engine.ParseKind(kind); err != nil {
		return out, err
	}
	if e.Outcome, err = engine.ParseOutcome(outcome); err != nil {
		return out, err
	}
	if e.Cause, err = engine.ParseCause(cause); err != nil {
		return out, err
	}
	e.Next, err = engine.ParseTaskState(next)
	return out, err
}

func deref(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// Body is what an attempt left: an encoded run.v1.Body, opaque here.
type Body struct {
	Task    int32
	Attempt int32
	Agent   id.UUID
	Outcome string
	Bytes   []byte
}

// Lengths are summed before any body is read: what is beyond the bound stays
// where it is.
const sqlReadBodies = `
	SELECT task, attempt, agent_id, outcome, body
	FROM (
		SELECT seq, task, attempt, agent_id, outcome, body, sum(octet_length(body)) OVER (ORDER BY seq) AS total
		FROM journal
		WHERE org_id = @org_id
			AND run_id = @run_id
			AND kind = 'attempt_ended'
			AND body IS NOT NULL
			AND (@all OR task = ANY(@tasks))
	) b
	WHERE b.total <= @most
	ORDER BY seq`

// Bodies returns what the attempts of the given tasks left, in journal order; of
// all tasks where tasks is nil. Of more than most bytes together it returns the
// first: a run of many tasks may have left more than fits into memory.
func Bodies(ctx context.Context, q Querier, org, run id.UUID, tasks []int32, most int64) ([]Body, error) {
	rows, err := q.Query(ctx, sqlReadBodies, pgx.StrictNamedArgs{
		"org_id": org, "run_id": run, "all": tasks == nil, "tasks": tasks, "most": most,
	})
	if err != nil {
		return nil, fmt.Errorf("read bodies: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (Body, error) {
		var b Body
		err := r.Scan(&b.Task, &b.Attempt, &b.Agent, &b.Outcome, &b.Bytes)
		return b, err
	})
	if err != nil {
		return nil, fmt.Errorf("read bodies: %w", err)
	}
	return out, nil
}
