package advance

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
)

// The run is locked as a batch locks it, and what a batch would lock after it is
// touched in the same order.
const (
	sqlLockRunToRepair = `
	SELECT r.seq, clock_timestamp()
	FROM run r
	WHERE r.org_id = @org_id
		AND r.id = @run_id
	FOR UPDATE`

	sqlClearReady = `
	DELETE FROM ready
	WHERE org_id = @org_id
		AND run_id = @run_id`

	sqlClearTimers = `
	DELETE FROM timer
	WHERE org_id = @org_id
		AND run_id = @run_id
		AND kind <> 'gang'`

	sqlLeasedTasks = `
	SELECT l.task, l.attempt
	FROM lease l
	WHERE l.org_id = @org_id
		AND l.run_id = @run_id`
)

// Repair writes the queue and the timers of a run anew, as its journal has them:
// what a hand or a defect took away. Leases are left alone, for only their
// holders know of them. It need not be started, and servers may be at work.
// Errors: NotFound.
func (a *Advancer) Repair(ctx context.Context, key RunKey) error {
	r, err := a.loadRun(ctx, key)
	if err != nil {
		return err
	}
	return pg.InSystem(ctx, a.pool, func(tx pgx.Tx) error { return a.repair(ctx, tx, r) })
}

func (a *Advancer) repair(ctx context.Context, tx pgx.Tx, r *run) error {
	var seq int64
	var now time.Time
	named := pgx.StrictNamedArgs{"org_id": r.key.Org, "run_id": r.key.Run}
	if err := tx.QueryRow(ctx, sqlLockRunToRepair, named).Scan(&seq, &now); err != nil {
		if pg.NoRows(err) {
			return fault.NotFound("run", id.Format(id.Run, r.key.Run))
		}
		return fmt.Errorf("lock the run: %w", err)
	}
	if err := a.catchUp(ctx, tx, r); err != nil {
		return err
	}
	if r.state.Seq != seq {
		return fmt.Errorf("the journal of run %s ends at %d, its row says %d", id.Format(id.Run, r.key.Run), r.state.Seq, seq)
	}
	for _, sql := range []string{sqlClearReady, sqlClearTimers} {
		if _, err := tx.Exec(ctx, sql, named); err != nil {
			return fmt.Errorf("clear the queue: %w", err)
		}
	}
	// Read after the queue's rows were locked: a task that was taken meanwhile is
	// leased now.
	leased := map[int32]int32{}
	var task, attempt int32
	rows, err := tx.Query(ctx, sqlLeasedTasks, named)
	if err != nil {
		return fmt.Errorf("read leases: %w", err)
	}
	if _, err := pgx.ForEachRow(rows, []any{&task, &attempt}, func() error { leased[task] = attempt; return nil }); err != nil {
		return fmt.Errorf("read leases: %w", err)
	}
	return a.writePending(ctx, tx, r, leased, now)
}

// writePending puts open tasks that nobody holds into the queue, or sets their
// timers, by the statements of a batch.
func (a *Advancer) writePending(ctx context.Context, tx pgx.Tx, r *run, leased map[int32]int32, now time.Time) error {
	if r.state.Run.Terminal() {
		return nil
	}
	w := &runWork{run: r, opened: map[int32]opened{}, timers: map[timerKey]engine.Timer{}}
	open, timers := engine.Pending(r.version.graph, r.state, now)
	held := func(task, attempt int32) bool {
		live, ok := leased[task]
		return ok && live == attempt
	}
	for _, o := range open {
		if !held(o.Task, o.Attempt) {
			w.opened[o.Task] = opened{Opening: o}
		}
	}
	for _, t := range timers {
		if t.Kind != engine.TimerQueue || !held(t.Task, t.Attempt) {
			w.timers[timerKey{t.Kind.String(), t.Task}] = t
		}
	}
	var q writer
	b := newBatch(a, nil)
	b.now = now
	b.writeReady(&q, []*runWork{w})
	b.writeTimers(&q, []*runWork{w})
	if q.q.Len() == 0 {
		return nil
	}
	if err := tx.SendBatch(ctx, &q.q).Close(); err != nil {
		return fmt.Errorf("write the queue: %w", err)
	}
	return nil
}
