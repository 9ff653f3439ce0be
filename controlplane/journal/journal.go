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
	// BilledGPUMS is nil where nobody can tell: the entry is of a release that did
	// not note it.
	BilledGPUMS *int64
}

const entryColumns = `j.seq, j.v, j.at, j.kind, j.task, j.attempt, j.lease, j.agent_id, j.granted, j.started, j.finished,
		j.outcome, j.cause, j.exit_code, j.next, j.retry_at, j.reason, j.actor, j.detail`

const sqlReadEntries = `
	SELECT ` + entryColumns + `, j.path, j.generation, j.billed_ms, j.billed_gpu_ms
	FROM journal j
	WHERE j.org_id = @org_id
		AND j.run_id = @run_id
		AND j.seq > @after
	ORDER BY j.seq`

// Read returns a run's entries after a seq, oldest first.
func Read(ctx context.Context, q Querier, org, run id.UUID, after int64) ([]Row, error) {
	return read(ctx, q, sqlReadEntries, pgx.StrictNamedArgs{"org_id": org, "run_id": run, "after": after})
}

const sqlReadEntriesPage = sqlReadEntries + `
	LIMIT @limit`

// ReadPage is Read of at most so many entries.
func ReadPage(ctx context.Context, q Querier, org, run id.UUID, after int64, limit int) ([]Row, error) {
	return read(ctx, q, sqlReadEntriesPage, pgx.StrictNamedArgs{"org_id": org, "run_id": run, "after": after, "limit": limit})
}

func read(ctx context.Context, q Querier, sql string, args pgx.StrictNamedArgs) ([]Row, error) {
	rows, err := q.Query(ctx, sql, args)
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (Row, error) {
		var out Row
		var c columns
		if err := r.Scan(append(c.targets(&out.Entry), &out.Path, &out.Generation, &out.BilledMS, &out.BilledGPUMS)...); err != nil {
			return out, err
		}
		return out, c.into(&out.Entry)
	})
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	return out, nil
}

// Positions are seqs in several runs' journals.
type Positions struct {
	orgs, runs []id.UUID
	afters     []int64
}

// Add notes a run and the seq that is known of it.
func (p *Positions) Add(org, run id.UUID, after int64) {
	p.orgs, p.runs, p.afters = append(p.orgs, org), append(p.runs, run), append(p.afters, after)
}

// Len is how many runs there are.
func (p *Positions) Len() int { return len(p.orgs) }

const sqlReadManyEntries = `
	SELECT j.org_id, j.run_id, ` + entryColumns + `
	FROM unnest(@orgs::uuid[], @runs::uuid[], @afters::bigint[]) AS k (org_id, run_id, after)
	JOIN journal j ON j.org_id = k.org_id AND j.run_id = k.run_id AND j.seq > k.after
	ORDER BY j.org_id, j.run_id, j.seq`

// ReadMany reads what is new in several journals, one after the other, each
// oldest entry first. An entry that cannot be understood comes with an error:
// it concerns its run alone.
func ReadMany(ctx context.Context, q Querier, p Positions, each func(org, run id.UUID, e engine.Entry, err error)) error {
	rows, err := q.Query(ctx, sqlReadManyEntries, pgx.StrictNamedArgs{"orgs": p.orgs, "runs": p.runs, "afters": p.afters})
	if err != nil {
		return fmt.Errorf("read journals: %w", err)
	}
	var org, run id.UUID
	var c columns
	var e engine.Entry
	_, err = pgx.ForEachRow(rows, append([]any{&org, &run}, c.targets(&e)...), func() error {
		err := c.into(&e)
		each(org, run, e, err)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read journals: %w", err)
	}
	return nil
}

// columns are those of an entry that are stored in another form.
type columns struct {
	kind, outcome, cause, next          string
	agent                               *id.UUID
	granted, started, finished, retryAt *time.Time
	detail                              []byte
}

// targets are what entryColumns are scanned into.
func (c *columns) targets(e *engine.Entry) []any {
	return []any{
		&e.Seq, &e.V, &e.At, &c.kind, &e.Task, &e.Attempt, &e.Lease, &c.agent, &c.granted, &c.started, &c.finished,
		&c.outcome, &c.cause, &e.ExitCode, &c.next, &c.retryAt, &e.Reason, &e.Actor, &c.detail,
	}
}

// into completes an entry.
func (c *columns) into(e *engine.Entry) error {
	e.Agent = id.Nil
	if c.agent != nil {
		e.Agent = *c.agent
	}
	e.Granted, e.Started, e.Finished, e.RetryAt = deref(c.granted), deref(c.started), deref(c.finished), deref(c.retryAt)
	var err error
	if e.Kind, err = engine.ParseKind(c.kind); err != nil {
		return err
	}
	if e.Detail, err = engine.DecodeDetail(c.detail); err != nil {
		return err
	}
	if e.Outcome, err = engine.ParseOutcome(c.outcome); err != nil {
		return err
	}
	if e.Cause, err = engine.ParseCause(c.cause); err != nil {
		return err
	}
	if e.Detail, err = engine.DecodeDetail(c.detail); err != nil {
		return err
	}
	e.Next, err = engine.ParseTaskState(c.next)
	return err
}

func deref(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// Body is what an attempt left, or a task that had none (id.Nil for the agent,
// its state for the outcome): an encoded run.v1.Body, opaque here.
type Body struct {
	Seq     int64 // of BodiesAt only
	Task    int32
	Path    string
	Attempt int32
	Agent   id.UUID
	Outcome string
	Bytes   []byte
}

// Lengths are summed before any body is read: what is beyond the bound stays
// where it is.
const sqlReadBodies = `
	SELECT task, path, attempt, agent_id, outcome, body
	FROM (
		SELECT seq, task, path, attempt, coalesce(agent_id, '00000000-0000-0000-0000-000000000000') AS agent_id,
			CASE kind WHEN 'task_ended' THEN next ELSE outcome END AS outcome, body, sum(octet_length(body)) OVER (ORDER BY seq) AS total
		FROM journal
		WHERE org_id = @org_id
			AND run_id = @run_id
			AND kind IN ('attempt_ended', 'task_ended')
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
		err := r.Scan(&b.Task, &b.Path, &b.Attempt, &b.Agent, &b.Outcome, &b.Bytes)
		return b, err
	})
	if err != nil {
		return nil, fmt.Errorf("read bodies: %w", err)
	}
	return out, nil
}
