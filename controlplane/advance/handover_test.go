package advance_test

import (
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func wide(name string, n int, edit func(*plan.Task)) *plan.Plan {
	p := &plan.Plan{Name: name}
	for i := range n {
		t := plan.Task{Name: "t" + string(rune('a'+i/26)) + string(rune('a'+i%26))}
		if edit != nil {
			edit(&t)
		}
		p.Tasks = append(p.Tasks, t)
	}
	return p
}

// One slot must not be offered twice: by a poll that waits and by the one that
// follows it, or by two in one batch.
func TestOneSlotIsOfferedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	works := make(chan *advance.Work, 3)
	poll := func() { works <- w.poll(1, patience) }
	go poll()
	eventually(t, "the poll waits", func() bool { return b.a.Parked() == 1 })
	c := b.deploy(wide("two", 2, nil))
	b.together(
		func() { go poll() },
		func() { go poll() },
		func() { b.start(c) },
	)
	leases := 0
	for range 3 {
		leases += len((<-works).Leases)
	}
	require.Equal(t, 1, leases)
	require.Equal(t, 1, b.count("lease"))
}

func TestWhatIsSentAgainTakesItsSlot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	b.start(b.deploy(wide("two", 2, nil)))
	lease := w.poll(1, 0).Leases[0]
	b.exec(`UPDATE lease SET granted_at = granted_at - interval '6 seconds'`, nil)
	again := w.poll(1, 0).Leases
	require.Len(t, again, 1)
	require.Equal(t, lease.ID, again[0].ID)
}

func TestWhatIsReportedInTheSameBatchIsNotSentAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	b.start(b.deploy(chain("done", 1)))
	lease := w.poll(1, 0).Leases[0]
	b.exec(`UPDATE lease SET granted_at = granted_at - interval '6 seconds'`, nil)
	var work *advance.Work
	b.together(
		func() { work = w.poll(1, 0) },
		func() { w.report(0, ended(lease, engine.OutcomeSucceeded)) },
	)
	require.Empty(t, work.Leases)
}

// An agent that handed everything back is not asked for the same again, and
// still gets what it may have.
func TestWhatAnAgentMustNotHaveHidesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	b.start(b.deploy(wide("rejected", 20, func(t *plan.Task) { t.Priority = 1 })))
	work := w.poll(1, 0)
	for range 20 {
		rep := ended(work.Leases[0], engine.OutcomeRejected)
		rep.Started = false
		work = w.report(1, rep)
	}
	require.Empty(t, work.Leases)
	run := b.start(b.deploy(chain("fine", 1)))
	require.Equal(t, run, w.poll(1, 0).Leases[0].Run)
	require.Len(t, b.worker(1).poll(1, 0).Leases, 1, "others may have it")
}

func TestWhatDoesNotFitNowHidesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(8)
	b.start(b.deploy(wide("big", 20, func(t *plan.Task) { t.Resources.Slots = 4 })))
	run := b.start(b.deploy(chain("small", 1)))
	require.Len(t, w.poll(4, 0).Leases, 1)
	leases := w.poll(1, patience).Leases
	require.Len(t, leases, 1)
	require.Equal(t, run, leases[0].Run)
}

// More agents wait than are asked at once, and only the last of them can do it.
func TestTheOneWhoCanIsFoundAmongMany(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var wg sync.WaitGroup
	for range 100 {
		w := b.worker(1)
		wg.Go(func() { w.poll(1, time.Hour) })
	}
	able := b.worker(1)
	b.exec(`UPDATE session SET labels = '{"kind": "rare"}' WHERE id = @id`, pgx.NamedArgs{"id": able.session})
	got := make(chan *advance.Work, 1)
	go func() { got <- able.poll(1, time.Hour) }()
	eventually(t, "all wait", func() bool { return b.a.Parked() == 101 })
	rare := wide("rare", 1, func(t *plan.Task) { t.Select = map[string]string{"kind": "rare"} })
	run := b.start(b.deploy(rare))
	require.Equal(t, run, (<-got).Leases[0].Run)

	// The same for one that another replica puts into the queue.
	go func() { got <- able.poll(1, time.Hour) }()
	eventually(t, "all wait again", func() bool { return b.a.Parked() == 101 })
	other := b.replica()
	rare.Name = "rarer"
	out, err := other.StartRun(t.Context(), b.deploy(rare))
	require.NoError(t, err)
	require.Equal(t, out.Run, (<-got).Leases[0].Run)
	b.a.Stop()
	wg.Wait()
}

func TestAFullBatchOfAgentsIsServed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.start(b.deploy(wide("many", 200, nil)))
	works := make(chan *advance.Work, 200)
	var fns []func()
	for range 200 {
		w := b.worker(1)
		fns = append(fns, func() { works <- w.poll(1, patience) })
	}
	b.together(fns...)
	for range 200 {
		require.Len(t, (<-works).Leases, 1)
	}
}

// A lease of a run that another replica has moved on since tells what is so now.
func TestALeaseTellsWhatAnotherReplicaDecided(t *testing.T) {
	t.Parallel()
	b := setup(t)
	near, far := b.worker(2), b.worker(2)
	far.a = b.replica()
	p := &plan.Plan{Name: "told", Deadline: 3_600_000, Tasks: []plan.Task{{Name: "a"}, {Name: "b"}, {Name: "bye", Exit: plan.ExitAlways}}}
	run := b.start(b.deploy(p))
	work := near.poll(2, 0)
	far.report(0, ended(advance.Lease{ID: 1, Run: run}, engine.OutcomeSucceeded)) // the far replica folds the run now
	near.report(0, ended(work.Leases[0], engine.OutcomeFailed))
	near.report(0, ended(work.Leases[1], engine.OutcomeSucceeded))
	bye := far.poll(1, 0).Leases[0]
	require.Equal(t, "bye", bye.Task)
	require.Equal(t, "failed", bye.RunOutcome)
	require.Equal(t, work.Leases[0].Deadline, bye.Deadline)
	far.report(0, ended(bye, engine.OutcomeSucceeded))
	require.Equal(t, "failed", b.state(run))
}

func TestAReplicaDescribesARunThatItHasNeverSeen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.deploy(chain("far", 1))
	run := b.start(c)
	w := b.worker(1)
	w.a = b.replica()
	lease := w.poll(1, 0).Leases[0]
	require.Equal(t, run, lease.Run)
	require.Equal(t, "far", lease.Pipeline)
	require.Equal(t, "ta", lease.Task)
	require.Equal(t, c.Digest, lease.Digest)
	require.EqualValues(t, 1, lease.Number)
	require.Zero(t, lease.Deadline)
	require.Empty(t, lease.RunOutcome)
}

func TestTwoReplicasKeepAPoolsLimit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`UPDATE pool SET slots = 3`, nil)
	second := b.replica()
	run := b.start(b.deploy(wide("limited", 60, nil)))
	var wg sync.WaitGroup
	for i := range 8 {
		w := b.worker(2)
		if w.a = b.a; i%2 == 1 {
			w.a = second
		}
		wg.Go(func() {
			work := w.poll(2, 0)
			for b.state(run) == "running" {
				if len(work.Leases) == 0 {
					work = w.poll(2, 10*time.Millisecond)
					continue
				}
				if n := b.count("lease"); n > 3 {
					t.Errorf("%d leases in a pool of 3", n)
				}
				var reports []advance.AttemptReport
				for _, l := range work.Leases {
					reports = append(reports, ended(l, engine.OutcomeSucceeded))
				}
				work = w.report(2, reports...)
			}
		})
	}
	wg.Wait()
	require.Equal(t, "succeeded", b.state(run))
}

func TestALimitThatIsNewHolds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(4)
	w.poll(4, 0)
	b.exec(`UPDATE pool SET slots = 1`, nil)
	b.start(b.deploy(wide("four", 4, nil)))
	require.Len(t, w.poll(4, patience).Leases, 1)
	b.exec(`UPDATE pool SET slots = 0`, nil)
	require.Len(t, w.poll(3, patience).Leases, 3)
}

func TestStopIsToldAcrossReplicas(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	w.a = b.replica()
	run := b.start(b.deploy(chain("stopped", 1)))
	lease := w.poll(1, 0).Leases[0]
	held := advance.Held{Lease: lease.ID, Phase: "running", Started: true}
	got := make(chan []advance.Order, 1)
	go func() {
		work := w.poll(0, time.Hour, held)
		if len(work.Orders) == 0 {
			work = w.poll(0, time.Hour, held)
		}
		got <- work.Orders
	}()
	eventually(t, "the poll waits", func() bool { return w.a.Parked() == 1 })
	require.NoError(t, b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: b.key(run)}))
	require.Equal(t, []advance.Order{{Lease: lease.ID, Action: advance.ActionStop, Grace: 10 * time.Second}}, <-got)
}
