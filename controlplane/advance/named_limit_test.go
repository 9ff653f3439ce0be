package advance_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func (b *bundle) limit(name string, most int) {
	b.t.Helper()
	b.exec(`INSERT INTO named_limit (org_id, workspace_id, name, max_units) VALUES (@org, @ws, @name, @max)
		ON CONFLICT (org_id, workspace_id, name) DO UPDATE SET max_units = @max`,
		pgx.NamedArgs{"org": b.org, "ws": b.workspace, "name": name, "max": most})
}

func under(units int, names ...string) func(*plan.Task) {
	return func(t *plan.Task) {
		for _, n := range names {
			t.Limits = append(t.Limits, plan.Use{Limit: n, Units: units})
		}
	}
}

// Ten tasks on two replicas, two at a time.
func TestALimitIsNeverExceeded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.limit("warehouse", 2)
	second := b.replica()
	run := b.start(b.deploy(wide("limited", 10, under(1, "warehouse"))))
	var most atomic.Int64
	var wg sync.WaitGroup
	for i := range 4 {
		w := b.worker(3)
		if i%2 == 1 {
			w.a = second
		}
		wg.Go(func() {
			work := w.poll(3, 0)
			for b.state(run) == "running" {
				if len(work.Leases) == 0 {
					work = w.poll(3, 20*time.Millisecond)
					continue
				}
				n := int64(queryOne[int](b, `SELECT count(*) FROM lease`, nil))
				for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
				}
				pause(t.Context(), 3*time.Millisecond)
				var reports []advance.AttemptReport
				for _, l := range work.Leases {
					reports = append(reports, ended(l, engine.OutcomeSucceeded))
				}
				work = w.report(3, reports...)
			}
		})
	}
	wg.Wait()
	require.Equal(t, "succeeded", b.state(run))
	require.LessOrEqual(t, most.Load(), int64(2))
	require.Zero(t, b.count("limit_hold"))
}

// An agent that dies gives back what it held; what waits in another pool for it
// is woken.
func TestALimitNeverLeaks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.limit("warehouse", 3)
	dead, w := b.worker(4), b.worker(4)
	run := b.start(b.deploy(wide("held", 1, under(2, "warehouse"))))
	lease := dead.poll(1, 0).Leases[0]
	require.Equal(t, 2, queryOne[int](b, `SELECT units FROM limit_hold`, nil))
	b.start(b.deploy(wide("other", 1, under(2, "warehouse"))))
	got := make(chan *advance.Work, 1)
	go func() { got <- w.poll(1, patience) }()
	eventually(t, "the poll waits", func() bool { return b.a.Parked() == 1 })
	_, err := b.a.EndSession(t.Context(), advance.EndSession{Org: b.org, Session: dead.session, Force: true})
	require.NoError(t, err)
	require.NoError(t, b.a.Lose(t.Context(), advance.Lose{RunKey: b.key(run), Lease: lease.ID, Session: dead.session}))
	next := (<-got).Leases[0]
	require.Equal(t, 1, b.count("limit_hold"))
	w.report(0, ended(next, engine.OutcomeFailed))
	require.Zero(t, b.count("limit_hold"))
}

func TestARetryHoldsAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.limit("warehouse", 1)
	w := b.worker(1)
	b.start(b.deploy(wide("again", 1, func(t *plan.Task) {
		under(1, "warehouse")(t)
		t.Retry.Preempt = 1
	})))
	work := w.report(1, ended(w.poll(1, 0).Leases[0], engine.OutcomePreempted))
	if len(work.Leases) == 0 {
		work = w.poll(1, patience)
	}
	require.EqualValues(t, 2, work.Leases[0].Attempt)
	require.Equal(t, 1, b.count("limit_hold"))
}

// Who wants much is not starved by those who want little.
func TestUnitsAreKeptForWhoWantsMany(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.limit("warehouse", 2)
	b.exec(`UPDATE pool SET reserve_after_ms = 50`, nil)
	w := b.worker(4)
	b.start(b.deploy(wide("few", 20, under(1, "warehouse"))))
	held := w.poll(4, 0).Leases
	require.Len(t, held, 2)
	b.start(b.deploy(wide("many", 1, func(t *plan.Task) {
		under(2, "warehouse")(t)
		t.Priority = 1
	})))
	pause(t.Context(), 100*time.Millisecond)
	require.Empty(t, w.report(3, ended(held[0], engine.OutcomeSucceeded)).Leases)
	leases := w.report(4, ended(held[1], engine.OutcomeSucceeded)).Leases
	require.Len(t, leases, 1)
	require.Equal(t, "taa", leases[0].Task)
	require.Equal(t, 2, queryOne[int](b, `SELECT units FROM limit_hold`, nil))
}

// Ten a second: the first at once, the others as the bucket fills, without
// anybody asking for it.
func TestARateIsKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`INSERT INTO named_limit (org_id, workspace_id, name, rate_units, rate_ms, tokens) VALUES (@org, @ws, 'openai', 10, 1000, 1)`,
		pgx.NamedArgs{"org": b.org, "ws": b.workspace})
	w := b.worker(20)
	b.start(b.deploy(wide("rated", 4, under(1, "openai"))))
	begun := time.Now()
	for n := 0; n < 4; {
		n += len(w.poll(20, patience).Leases)
	}
	require.GreaterOrEqual(t, time.Since(begun), 250*time.Millisecond)
	require.Less(t, time.Since(begun), 3*time.Second)
}

func TestALimitThatIsNotThereIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.deploy(wide("undeclared", 1, under(1, "nobody")))
	_, err := b.a.StartRun(t.Context(), c)
	require.Equal(t, fault.KindFailedPrecondition, fault.KindOf(err))
	require.ErrorContains(t, err, "signalbox limit set nobody")
	b.limit("nobody", 1)
	b.start(c)
	b.exec(`DELETE FROM named_limit`, nil)
	require.Empty(t, b.worker(1).poll(1, 0).Leases, "it has nothing to give any more")
}
