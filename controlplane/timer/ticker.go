// Package timer turns due timers, and wakes that nobody served, into commands of
// the group commit.
//
// It reads without locks and owns no rule: a command whose timer row is gone, or
// whose run has moved on, decides nothing. One replica at a time does it, the
// holder of an advisory lock; a second one would only double the reading.
package timer

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/internal/fault"
)

// Advancer is what serves a due timer or wake.
type Advancer interface {
	Fire(ctx context.Context, due advance.Due) error
	Wake(ctx context.Context, w advance.Wake) error
}

// Looker is something else that one replica at a time looks at, as often as at
// timers.
type Looker interface {
	Look(ctx context.Context) error
}

// Ticker looks for due timers until it is stopped.
type Ticker struct {
	pool     *pgxpool.Pool
	advancer Advancer
	others   []Looker
	log      *slog.Logger

	stop    context.CancelFunc
	running sync.WaitGroup

	mu sync.Mutex
	// When timers that failed are tried again.
	later map[advance.Due]time.Time
}

// interval bounds how late a timer fires; limit how many a look takes.
const (
	interval = 100 * time.Millisecond
	limit    = 1000
	parallel = 128 // they share batches
	// retryAfter is how long a timer rests that could not be served.
	retryAfter = 5 * time.Second
)

// New makes a Ticker. The others are looked at beside the timers, each in its own
// time.
func New(pool *pgxpool.Pool, a Advancer, log *slog.Logger, others ...Looker) *Ticker {
	return &Ticker{pool: pool, advancer: a, others: others, log: log.With(slog.String("component", "timer")), later: map[advance.Due]time.Time{}}
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
	ctx, end := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer end()
	for _, o := range t.others {
		beside.Go(func() {
			_ = every(ctx, func() error {
				if err := o.Look(ctx); err != nil && ctx.Err() == nil {
					t.log.LogAttrs(ctx, slog.LevelWarn, "a look was interrupted", slog.Any("error", err))
				}
				return nil
			})
		})
	}
	return every(ctx, func() error {
		if err := t.tick(ctx, conn.Conn()); err != nil {
			return err
		}
		return t.wakes(ctx, conn.Conn())
	})
}

// every looks once an interval, until a look fails or there is nobody to look for.
func every(ctx context.Context, look func() error) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := look(); err != nil {
				return err
			}
		}
	}
}

// After the last one of the page before: a thousand timers that cannot be
// served must not hide those behind them.
const sqlDueTimers = `
	SELECT org_id, run_id, kind, task, attempt, at
	FROM timer
	WHERE at <= now()
		AND (at, org_id, run_id, kind, task) > (@at, @org_id, @run_id, @kind, @task)
	ORDER BY at, org_id, run_id, kind, task
	LIMIT @limit`

// place is where a page of due timers ended.
type place struct {
	advance.Due

	at time.Time
}

// tick serves all timers that are due.
func (t *Ticker) tick(ctx context.Context, conn *pgx.Conn) error {
	var last place
	for {
		due, err := t.page(ctx, conn, &last)
		if err != nil {
			return err
		}
		var fires errgroup.Group
		fires.SetLimit(parallel)
		for _, d := range due {
			fires.Go(func() error {
				t.fire(ctx, d)
				return nil
			})
		}
		_ = fires.Wait()
		if len(due) < limit {
			return nil
		}
	}
}

// page reads the next due timers, and moves the place behind them.
func (t *Ticker) page(ctx context.Context, conn *pgx.Conn, last *place) ([]advance.Due, error) {
	rows, err := conn.Query(ctx, sqlDueTimers, pgx.StrictNamedArgs{
		"at": last.at, "org_id": last.Org, "run_id": last.Run, "kind": last.Kind, "task": last.Task, "limit": limit,
	})
	if err != nil {
		return nil, fmt.Errorf("read due timers: %w", err)
	}
	var due []advance.Due
	_, err = pgx.ForEachRow(rows, []any{&last.Org, &last.Run, &last.Kind, &last.Task, &last.Attempt, &last.at}, func() error {
		due = append(due, last.Due)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read due timers: %w", err)
	}
	return due, nil
}

const sqlDropTimer = `
	DELETE FROM timer
	WHERE org_id = @org_id
		AND run_id = @run_id
		AND kind = @kind
		AND task = @task`

// rests reports whether a timer has failed a moment ago.
func (t *Ticker) rests(d advance.Due) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	until, failed := t.later[d]
	if failed && time.Now().Before(until) {
		return true
	}
	delete(t.later, d)
	return false
}

func (t *Ticker) rest(d advance.Due) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.later) >= 10*limit {
		clear(t.later) // most are of timers that are gone
	}
	t.later[d] = time.Now().Add(retryAfter)
}

func (t *Ticker) fire(ctx context.Context, d advance.Due) {
	if t.rests(d) {
		return
	}
	err := t.advancer.Fire(ctx, d)
	if fault.KindOf(err) == fault.KindNotFound {
		// A timer of a run that is gone would come due for ever.
		_, err = t.pool.Exec(ctx, sqlDropTimer, pgx.StrictNamedArgs{"org_id": d.Org, "run_id": d.Run, "kind": d.Kind, "task": d.Task})
	}
	if err != nil && ctx.Err() == nil {
		t.rest(d)
		t.log.LogAttrs(ctx, slog.LevelWarn, "a timer did not fire; it will again", slog.String("kind", d.Kind), slog.Any("error", err))
	}
}
