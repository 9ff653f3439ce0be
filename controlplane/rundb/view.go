package rundb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// View is a run as it stands, all of one moment.
type View struct {
	Run   Run
	Tasks []Task
}

// Reader reads one run again and again, each time only what is new in its
// journal. It is not safe for concurrent use.
type Reader struct {
	store   *Store
	by      caller.Caller
	ref     Ref
	history *history
	names   map[id.UUID]string
}

// Reader makes a reader of the run that ref means. What @latest is, is settled
// by its first reading.
func (s *Store) Reader(by caller.Caller, ref Ref) *Reader {
	return &Reader{store: s, by: by, ref: ref, names: map[id.UUID]string{}}
}

// View returns a run as it stands. Errors: NotFound.
func (s *Store) View(ctx context.Context, by caller.Caller, ref Ref) (View, error) {
	return s.Reader(by, ref).Read(ctx)
}

// Read returns the run as it stands now. After an error it may be called again.
// Errors: NotFound.
func (r *Reader) Read(ctx context.Context) (View, error) {
	var view View
	err := pg.InTenantRead(ctx, r.store.db.API, r.by.OrgID, func(tx pgx.Tx) error {
		run, err := get(ctx, tx, r.by, r.ref)
		if err != nil {
			return err
		}
		r.ref = RefTo(run.ID)
		if err := r.catchUp(ctx, tx, &run); errors.Is(err, errGone) {
			view = View{Run: run}
			return nil
		} else if err != nil {
			r.history = nil // half an entry folded is no history
			return err
		}
		now, leases, err := readLeases(ctx, tx, r.by.OrgID, run.ID)
		if err != nil {
			return err
		}
		p := r.history.picture(leases, now)
		view = View{Run: run, Tasks: p.tasks(p.outline())}
		return r.name(ctx, tx, view.Tasks)
	})
	return view, err
}

// errGone is a journal that ends before its run's row does: it was archived. What
// the row tells is all that is shown then.
var errGone = errors.New("the journal is not there")

// catchUp folds the entries that are new.
func (r *Reader) catchUp(ctx context.Context, tx pgx.Tx, run *Run) error {
	if r.history == nil {
		g, err := r.store.graph(ctx, tx, r.by.OrgID, run.PipelineID, plan.Digest(run.Digest))
		if err != nil {
			return err
		}
		r.history = newHistory(g, run.ID)
	}
	after := r.history.state.Seq
	if run.Seq == after {
		return nil
	}
	rows, err := journal.Read(ctx, tx, r.by.OrgID, run.ID, after)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return errGone
	}
	bodies, err := readFailures(ctx, tx, r.by.OrgID, run.ID, after)
	if err != nil {
		return err
	}
	for i := range rows {
		if err := r.history.add(rows[i], bodies[rows[i].Seq]); err != nil {
			return fmt.Errorf("run %s: %w", id.Format(id.Run, run.ID), err)
		}
	}
	return nil
}

// The bodies of attempts that failed, for their error texts; those of the others
// hold outputs, which a view does not show. Of very many the latest count.
const sqlReadFailures = `
	SELECT j.seq, j.body
	FROM journal j
	WHERE j.org_id = @org_id
		AND j.run_id = @run_id
		AND j.seq > @after
		AND j.kind = 'attempt_ended'
		AND j.outcome NOT IN ('succeeded', 'skipped')
		AND j.body IS NOT NULL
	ORDER BY j.seq DESC
	LIMIT 300`

func readFailures(ctx context.Context, tx pgx.Tx, org, run id.UUID, after int64) (map[int64][]byte, error) {
	rows, err := tx.Query(ctx, sqlReadFailures, pgx.StrictNamedArgs{"org_id": org, "run_id": run, "after": after})
	if err != nil {
		return nil, fmt.Errorf("read failures: %w", err)
	}
	out := map[int64][]byte{}
	var seq int64
	var body []byte
	_, err = pgx.ForEachRow(rows, []any{&seq, &body}, func() error {
		out[seq] = body
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read failures: %w", err)
	}
	return out, nil
}

const sqlReadLeases = `
	SELECT l.task, l.attempt, l.agent_id, l.ready_at, l.granted_at, l.phase, l.started_at, l.stop
	FROM lease l
	WHERE l.org_id = @org_id
		AND l.run_id = @run_id
	ORDER BY l.rank DESC`

const sqlNow = `
	SELECT now()`

// readLeases returns the live leases and the snapshot's moment, by which a task
// is in backoff or ready.
func readLeases(ctx context.Context, tx pgx.Tx, org, run id.UUID) (time.Time, []lease, error) {
	var now time.Time
	var leases []lease
	var q pgx.Batch
	q.Queue(sqlNow).QueryRow(func(row pgx.Row) error { return row.Scan(&now) })
	q.Queue(sqlReadLeases, pgx.StrictNamedArgs{"org_id": org, "run_id": run}).Query(func(rows pgx.Rows) (err error) {
		leases, err = pgx.CollectRows(rows, pgx.RowToStructByName[lease])
		return err
	})
	if err := tx.SendBatch(ctx, &q).Close(); err != nil {
		return now, nil, fmt.Errorf("read leases: %w", err)
	}
	return now, leases, nil
}

const sqlAgentNames = `
	SELECT a.id, a.name
	FROM agent a
	WHERE a.org_id = @org_id
		AND a.id = ANY(@ids)`

// name puts names to the agents and people that tasks name by id, and adds the
// runs that they have started.
func (r *Reader) name(ctx context.Context, tx pgx.Tx, tasks []Task) error {
	var agents []id.UUID
	for i := range tasks {
		for k := range tasks[i].Attempts {
			agents = append(agents, tasks[i].Attempts[k].Agent)
		}
	}
	if err := r.nameAgents(ctx, tx, agents); err != nil {
		return err
	}
	for i := range tasks {
		for k := range tasks[i].Attempts {
			tasks[i].Attempts[k].AgentName = r.names[tasks[i].Attempts[k].Agent]
		}
	}
	if err := r.history.tellChildren(ctx, tx, r.by.OrgID, tasks); err != nil {
		return err
	}
	return nameActors(ctx, tx, r.by.OrgID, tasks)
}

// nameAgents looks up the names that are not known yet.
func (r *Reader) nameAgents(ctx context.Context, tx pgx.Tx, agents []id.UUID) error {
	var unknown []id.UUID
	for _, a := range agents {
		if _, ok := r.names[a]; !ok && a != id.Nil {
			r.names[a] = ""
			unknown = append(unknown, a)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, sqlAgentNames, pgx.StrictNamedArgs{"org_id": r.by.OrgID, "ids": unknown})
	if err != nil {
		return fmt.Errorf("read the names of agents: %w", err)
	}
	var agent id.UUID
	var name string
	_, err = pgx.ForEachRow(rows, []any{&agent, &name}, func() error {
		r.names[agent] = name
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the names of agents: %w", err)
	}
	return nil
}
