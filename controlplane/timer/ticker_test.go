package timer_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/timer"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
)

// recorder serves timers as the group commit does, by removing their rows.
type recorder struct {
	db     *pg.DB
	refuse func(advance.Due) error

	mu    sync.Mutex
	fired map[advance.Due]int
	tries int
	woken []advance.Wake
}

func (r *recorder) Fire(ctx context.Context, d advance.Due) error {
	r.mu.Lock()
	r.tries++
	r.mu.Unlock()
	if err := r.refuse(d); err != nil {
		return err
	}
	r.mu.Lock()
	r.fired[d]++
	r.mu.Unlock()
	_, err := r.db.Engine.Exec(ctx, `DELETE FROM timer WHERE run_id = $1 AND task = $2`, d.Run, d.Task)
	return err
}

// Wake removes the row, as the group commit does.
func (r *recorder) Wake(ctx context.Context, w advance.Wake) error {
	r.mu.Lock()
	r.woken = append(r.woken, w)
	r.mu.Unlock()
	_, err := r.db.Engine.Exec(ctx, `DELETE FROM wake WHERE id = $1`, w.ID)
	return err
}

func (r *recorder) served() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.fired)
}

func start(t *testing.T, db *pg.DB, refuse func(advance.Due) error) *recorder {
	t.Helper()
	r := &recorder{db: db, refuse: refuse, fired: map[advance.Due]int{}}
	ticker := timer.New(db.Engine, r, slog.New(slog.DiscardHandler))
	require.NoError(t, ticker.Start(t.Context()))
	t.Cleanup(ticker.Stop)
	return r
}

func set(t *testing.T, db *pg.DB, run id.UUID, tasks int, at string) {
	t.Helper()
	_, err := db.Engine.Exec(t.Context(), `INSERT INTO timer (org_id, run_id, kind, task, attempt, at)
		SELECT $1, $1, 'retry', n, 2, now() + $3::interval FROM generate_series(1, $2) AS n`, run, tasks, at)
	require.NoError(t, err)
}

func TestTimersAreServedInTheirTime(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	due, soon, far := id.New(), id.New(), id.New()
	set(t, db, due, 10, "-1 second")
	set(t, db, soon, 10, "300 milliseconds")
	set(t, db, far, 10, "1 hour")
	r := start(t, db, func(advance.Due) error { return nil })
	require.Eventually(t, func() bool { return r.served() == 20 }, 10*time.Second, 10*time.Millisecond)
	require.NotContains(t, r.fired, advance.Due{RunKey: advance.RunKey{Org: far, Run: far}, Kind: "retry", Task: 1, Attempt: 2})
}

// More timers than one look reads cannot be served; those behind them are.
func TestTimersThatFailHideNoOthers(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	sick, well, gone := id.New(), id.New(), id.New()
	set(t, db, sick, 1200, "-1 hour")
	set(t, db, gone, 3, "-2 seconds")
	set(t, db, well, 7, "-1 second")
	r := start(t, db, func(d advance.Due) error {
		switch d.Run {
		case sick:
			return errors.New("its rules fail")
		case gone:
			return fault.NotFound("run", "gone")
		}
		return nil
	})
	require.Eventually(t, func() bool { return r.served() == 7 }, 10*time.Second, 10*time.Millisecond)
	var left int
	require.Eventually(t, func() bool {
		return db.Engine.QueryRow(t.Context(), `SELECT count(*) FROM timer`).Scan(&left) == nil && left == 1200
	}, 10*time.Second, 10*time.Millisecond, "timers of a run that is gone go")
	r.mu.Lock()
	defer r.mu.Unlock()
	require.Less(t, r.tries, 2*1200+100, "a timer that failed rests")
}

func TestOneOfTwoTickersServes(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	run := id.New()
	first := start(t, db, func(advance.Due) error { return nil })
	second := start(t, db, func(advance.Due) error { return nil })
	set(t, db, run, 50, "-1 second")
	require.Eventually(t, func() bool { return first.served()+second.served() == 50 }, 10*time.Second, 10*time.Millisecond)
	for _, r := range []*recorder{first, second} {
		for d, n := range r.fired {
			require.Equal(t, 1, n, "%v", d)
		}
	}
}

// Wakes that nobody served are found, those whose time has not come are not.
func TestWakesAreFound(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	org := id.New()
	_, err := db.Engine.Exec(t.Context(), `INSERT INTO wake (org_id, id, at, kind, pipeline_id)
		SELECT $1, gen_random_uuid(), now() + make_interval(hours => n - 1200), 'resume', $1 FROM generate_series(1, 1210) n`, org)
	require.NoError(t, err)
	r := start(t, db, func(advance.Due) error { return nil })
	var left int
	require.Eventually(t, func() bool {
		return db.Engine.QueryRow(t.Context(), `SELECT count(*) FROM wake`).Scan(&left) == nil && left == 10
	}, 20*time.Second, 10*time.Millisecond)
	r.mu.Lock()
	defer r.mu.Unlock()
	require.Equal(t, advance.WakeResume, r.woken[0].Kind)
	require.Equal(t, org, r.woken[0].Pipeline)
	require.Equal(t, id.Nil, r.woken[0].Run)
}
