package rundb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/actor"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Run is what a list shows of a run.
type Run struct {
	ID         id.UUID
	PipelineID id.UUID
	Pipeline   string
	Digest     []byte
	Number     int64
	State      string
	Reason     string
	Outcome    string
	Cause      string
	// Actor is who started it: a name, or an id where the name is not known.
	Actor      string
	Labels     map[string]string
	Priority   int32
	Generation int32
	// Seq is the journal's length.
	Seq                                int64
	CreatedAt                          time.Time
	StartedAt, FinishedAt              *time.Time
	TasksTotal, TasksDone, TasksFailed int32
	// ExitsFailed are the exit handlers among TasksFailed.
	ExitsFailed int32
	// Fire is of a run that a schedule started; else nil.
	Fire *Fire `db:"-"`
	// Waiting is set while the run has not begun.
	Waiting *Waiting `db:"-"`
	// Parent is set where another run's task started this one.
	Parent *Parent `db:"-"`
}

// Terminal reports whether the run has ended.
func (r *Run) Terminal() bool { return r.FinishedAt != nil }

const runColumns = `r.id, r.pipeline_id, p.name AS pipeline, r.digest, r.number, r.state, r.reason, r.outcome, r.cause, r.actor,
		l.labels, r.priority, r.generation, r.seq, r.created_at, r.started_at, r.finished_at,
		r.tasks_total, r.tasks_done, r.tasks_failed, r.exits_failed`

const runJoins = `
	JOIN pipeline p ON p.org_id = r.org_id AND p.id = r.pipeline_id
	JOIN label_set l ON l.org_id = r.org_id AND l.id = r.label_set_id`

const sqlRunByID = `
	SELECT ` + runColumns + `
	FROM run r` + runJoins + `
	WHERE r.org_id = @org_id
		AND r.workspace_id = @workspace_id
		AND r.id = @id`

const sqlRunByNumber = `
	SELECT ` + runColumns + `
	FROM pipeline p
	JOIN run r ON r.org_id = p.org_id AND r.pipeline_id = p.id
	JOIN label_set l ON l.org_id = r.org_id AND l.id = r.label_set_id
	WHERE p.org_id = @org_id
		AND p.workspace_id = @workspace_id
		AND p.name = @pipeline
		AND r.number = @number`

const sqlLatestRun = `
	SELECT ` + runColumns + `
	FROM run r` + runJoins + `
	WHERE r.org_id = @org_id
		AND r.workspace_id = @workspace_id
	ORDER BY r.id DESC
	LIMIT 1`

const sqlLatestFailedRun = `
	SELECT ` + runColumns + `
	FROM run r` + runJoins + `
	WHERE r.org_id = @org_id
		AND r.workspace_id = @workspace_id
		AND r.outcome = 'failed'
		AND r.finished_at IS NOT NULL
	ORDER BY r.id DESC
	LIMIT 1`

// Get returns the run that ref means. Errors: NotFound.
func (s *Store) Get(ctx context.Context, by caller.Caller, ref Ref) (Run, error) {
	var run Run
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		run, err = get(ctx, tx, by, ref)
		return err
	})
	return run, err
}

func get(ctx context.Context, tx pgx.Tx, by caller.Caller, ref Ref) (Run, error) {
	sql, args := ref.query(by)
	rows, _ := tx.Query(ctx, sql, args)
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Run])
	if err != nil {
		return Run{}, fmt.Errorf("read a run: %w", err)
	}
	if len(list) == 0 {
		return Run{}, errNoRun(ref.text)
	}
	if err := tellWaiting(ctx, tx, by.OrgID, list, countOne); err != nil {
		return Run{}, err
	}
	err = named(ctx, tx, by.OrgID, list)
	return list[0], err
}

// named puts names in the place of the ids of those who started the runs, and
// adds the times of those that schedules did, and
// the parents of those that tasks did.
func named(ctx context.Context, tx pgx.Tx, org id.UUID, list []Run) error {
	texts := make([]string, 0, len(list))
	for i := range list {
		texts = append(append(texts, list[i].Actor), actor.In(list[i].Reason)...)
	}
	names, err := actor.Names(ctx, tx, org, texts)
	if err != nil {
		return err
	}
	for i := range list {
		list[i].Actor = actor.Name(names, list[i].Actor)
		list[i].Reason = actor.Named(names, list[i].Reason)
	}
	if err := tellParents(ctx, tx, org, list); err != nil {
		return err
	}
	return fired(ctx, tx, org, list)
}
