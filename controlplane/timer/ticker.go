// Package timer turns due timers into commands of the group commit.
//
// It reads without locks and owns no rule: a command whose timer row is gone, or
// whose run has moved on, decides nothing. One replica at a time does it, the
// holder of an advisory lock; a second one would only double the reading.
package timer

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/internal/fault"
)

// Advancer is what serves a due timer.
type Advancer interface {
	Fire(ctx context.Context, due advance.Due) error
}

// Ticker looks for due timers until it is stopped.
type Ticker struct {
	pool     *pgxpool.Pool
	advancer Advancer
	log      *slog.Logger

	stop    context.CancelFunc
	running sync.WaitGroup
}

// interval bounds how late a timer fires; limit how many a look takes.
const (
	interval = 100 * time.Millisecond
	limit    = 1000
	parallel = 32
)

// New makes a Ticker.
func New(pool *pgxpool.Pool, a Advancer, log *slog.Logger) *Ticker {
	return &Ticker{pool: pool, advancer: a, log: log.With(slog.String("component", "timer"))}
}

// Start runs the ticker until Stop.
func (t *Ticker) Start(ctx context.Context) error {
	ctx, t.stop = context.WithCancel(context.WithoutCancel(ctx))
	t.running.Go(func() { t.run(ctx) })
	return nil
}

// Stop ends the ticker. It may be called twice.
func (t *Ticker) Stop() {
	if t.stop != nil {
		t.stop()
	}
	t.running.Wait()
}

const sqlTryTickLock = `
	SELECT pg_try_advisory_lock(hashtext('signalbox.tick'))`

func (t *Ticker) run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := t.lead(ctx); err != nil && ctx.Err() == nil {
			t.log.LogAttrs(ctx, slog.LevelWarn, "the ticker was interrupted", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// lead ticks for as long as this replica holds the lock, which lives with its
// connection.
func (t *Ticker) lead(ctx context.Context) error {
	conn, err := t.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	held := false
	defer func() {
		if held {
			// The lock must not go back to the pool with the connection.
			_ = conn.Conn().Close(context.WithoutCancel(ctx))
		}
		conn.Release()
	}()
	if err := conn.QueryRow(ctx, sqlTryTickLock).Scan(&held); err != nil || !held {
		return err
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := t.tick(ctx, conn.Conn()); err != nil {
				return err
			}
		}
	}
}

const sqlDueTimers = `
	SELECT org_id, run_id, kind, task, attempt
	FROM timer
	WHERE at <= now()
	ORDER BY at
	LIMIT @limit`

func (t *Ticker) tick(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, sqlDueTimers, pgx.StrictNamedArgs{"limit": limit})
	if err != nil {
		return err
	}
	var due []advance.Due
	var d advance.Due
	_, err = pgx.ForEachRow(rows, []any{&d.Org, &d.Run, &d.Kind, &d.Task, &d.Attempt}, func() error {
		due = append(due, d)
		return nil
	})
	if err != nil {
		return err
	}
	gate := make(chan struct{}, parallel)
	var wg sync.WaitGroup
	for _, d := range due {
		gate <- struct{}{}
		wg.Go(func() {
			defer func() { <-gate }()
			t.fire(ctx, d)
		})
	}
	wg.Wait()
	return nil
}

const sqlDropTimer = `
	DELETE FROM timer
	WHERE org_id = @org_id
		AND run_id = @run_id
		AND kind = @kind
		AND task = @task`

func (t *Ticker) fire(ctx context.Context, d advance.Due) {
	err := t.advancer.Fire(ctx, d)
	if fault.KindOf(err) == fault.KindNotFound && err != nil {
		// A timer of a run that is gone would come due for ever.
		_, err = t.pool.Exec(ctx, sqlDropTimer, pgx.StrictNamedArgs{"org_id": d.Org, "run_id": d.Run, "kind": d.Kind, "task": d.Task})
	}
	if err != nil && ctx.Err() == nil {
		t.log.LogAttrs(ctx, slog.LevelWarn, "a timer did not fire; it will again", slog.String("kind", d.Kind), slog.Any("error", err))
	}
}
