package advance_test

import (
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// byTeam makes the pool share by the label team.
func (b *bundle) byTeam(weights string) {
	b.t.Helper()
	b.exec(`UPDATE pool SET fairness = 'label:team', laned = true, weights = @w`, pgx.NamedArgs{"w": weights})
}

func (b *bundle) startAs(team string, p *plan.Plan) id.UUID {
	b.t.Helper()
	c := b.deploy(p)
	c.Labels = map[string]string{"team": team}
	return b.start(c)
}

// serve runs tasks one by one and counts those of each run. Each takes a second by
// the database's clock: lanes share time, and a busy machine takes its own.
func (w *worker) serve(n int, from map[id.UUID]int) {
	work := w.poll(1, patience)
	for range n {
		for len(work.Leases) == 0 {
			work = w.poll(1, patience)
		}
		from[work.Leases[0].Run]++
		w.exec(`UPDATE lease SET granted_at = now() - interval '1 second' WHERE id = @id`, pgx.NamedArgs{"id": work.Leases[0].ID})
		work = w.report(1, ended(work.Leases[0], engine.OutcomeSucceeded))
	}
	for _, l := range work.Leases {
		w.report(0, ended(l, engine.OutcomeSucceeded))
	}
}

// Ten tasks of one team behind hundreds of another get every second lease; two
// to one where the pool says so.
func TestTeamsShareAPool(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		weights   string
		n         int
		low, high int
	}{
		"alike":    {`{}`, 20, 8, 11},
		"weighted": {`{"b": 20}`, 12, 7, 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.byTeam(c.weights)
			a := b.startAs("a", wide("many", 300, nil))
			few := b.startAs("b", wide("few", 10, nil))
			got := map[id.UUID]int{}
			b.worker(1).serve(c.n, got)
			require.GreaterOrEqual(t, got[few], c.low, got)
			require.LessOrEqual(t, got[few], c.high, got)
			require.Positive(t, got[a])
			require.Equal(t, 2, queryOne[int](b, `SELECT count(*) FROM lane WHERE key <> ''`, nil))
		})
	}
}

// Two replicas that serve one pool share its lanes: what one gives counts at the
// other.
func TestReplicasShareTheLanes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.byTeam(`{}`)
	many := b.startAs("a", wide("many", 400, nil))
	few := b.startAs("b", wide("few", 40, nil))
	second := b.replica()
	var mu sync.Mutex
	all := map[id.UUID]int{}
	var wg sync.WaitGroup
	for i := range 4 {
		w := b.worker(1)
		if i%2 == 1 {
			w.a = second
		}
		wg.Go(func() {
			got := map[id.UUID]int{}
			w.serve(15, got)
			mu.Lock()
			defer mu.Unlock()
			for run, n := range got {
				all[run] += n
			}
		})
	}
	wg.Wait()
	require.InDelta(t, 30, all[few], 8, "of sixty")
	require.InDelta(t, 30, all[many], 8)
}

// A pool that has one lane pays nothing for it.
func TestOneLaneWritesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.start(b.deploy(wide("plain", 5, nil)))
	w := b.worker(2)
	changes := pgtest.Changes(t, b.db, func() {
		work := w.poll(2, 0)
		w.report(0, ended(work.Leases[0], engine.OutcomeSucceeded), ended(work.Leases[1], engine.OutcomeSucceeded))
	})
	require.NotContains(t, changes, " lane ")
}

// A pool whose lanes change loses nothing of what waits.
func TestLanesMayChange(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	w.poll(0, 0)
	b.startAs("a", wide("before", 5, nil))
	b.byTeam(`{}`)
	b.startAs("b", wide("after", 5, nil))
	got := map[id.UUID]int{}
	w.serve(5, got)
	b.exec(`UPDATE pool SET fairness = 'workspace'`, nil)
	w.serve(4, got)
	require.Zero(t, b.count("ready"))
}

// Small tasks never stop coming; a big one starts when it has waited long.
func TestRoomIsKeptForABigTask(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`UPDATE pool SET reserve_after_ms = 300`, nil)
	w := b.worker(2)
	b.start(b.deploy(wide("small", 600, nil)))
	held := w.poll(2, 0).Leases
	require.Len(t, held, 2)
	big := b.start(b.deploy(wide("big", 1, func(t *plan.Task) { t.Resources.Slots, t.Priority = 2, 1 })))
	begun := time.Now()
	for range 500 {
		require.Less(t, time.Since(begun), patience)
		if len(held) == 0 {
			held = w.poll(2, 0).Leases
		}
		if len(held) > 0 && held[0].Run == big {
			require.GreaterOrEqual(t, time.Since(begun), 250*time.Millisecond)
			return
		}
		if len(held) == 0 {
			continue
		}
		work := w.report(int32(3-len(held)), ended(held[0], engine.OutcomeSucceeded))
		held = append(held[1:], work.Leases...)
		pause(t.Context(), 5*time.Millisecond)
	}
	t.Fatal("the big task never started")
}

// What no agent could ever run holds up nobody, however long it waits.
func TestRoomIsNotKeptForTheImpossible(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`UPDATE pool SET reserve_after_ms = 1`, nil)
	b.start(b.deploy(wide("impossible", 1, func(t *plan.Task) { t.Resources.Slots, t.Priority = 8, 9 })))
	w := b.worker(2)
	run := b.start(b.deploy(wide("fine", 1, nil)))
	pause(t.Context(), 20*time.Millisecond)
	require.Equal(t, run, w.poll(2, patience).Leases[0].Run)
}
