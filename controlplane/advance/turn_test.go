package advance_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func (b *bundle) pauseRun(run id.UUID, suspend bool) {
	b.t.Helper()
	require.NoError(b.t, b.a.PauseRun(b.t.Context(), advance.PauseRun{RunKey: b.key(run), Actor: "test", Suspend: suspend}))
}

func (b *bundle) resumeRun(run id.UUID) {
	b.t.Helper()
	require.NoError(b.t, b.a.ResumeRun(b.t.Context(), advance.ResumeRun{RunKey: b.key(run), Actor: "test"}))
}

func TestAPausedRunGivesNoLeases(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(2)
	p := &plan.Plan{Name: "p", Tasks: []plan.Task{{Name: "a"}, {Name: "b", Timeouts: plan.Timeouts{Queue: 3_600_000}}, {Name: "c", Needs: []int{0}}}}
	run := b.start(b.deploy(p))
	lease := w.poll(1, 0).Leases[0]
	b.pauseRun(run, false)
	b.pauseRun(run, false)
	require.Equal(t, "paused", b.state(run))
	require.Zero(t, b.count("ready"))
	require.Zero(t, b.count("timer"))
	require.Empty(t, w.poll(1, 0, advance.Held{Lease: lease.ID, Phase: "running"}).Orders, "what runs runs on")
	require.Empty(t, w.report(2, ended(lease, engine.OutcomeSucceeded)).Leases, "what it frees waits")

	got := make(chan *advance.Work, 1)
	go func() { got <- w.poll(2, patience) }()
	eventually(t, "the poll waits", func() bool { return b.a.Parked() == 1 })
	b.resumeRun(run)
	leases := (<-got).Leases
	require.Len(t, leases, 2, "the resume hands over")
	w.report(0, ended(leases[0], engine.OutcomeSucceeded), ended(leases[1], engine.OutcomeSucceeded))
	require.Equal(t, "succeeded", b.state(run))
	require.Zero(t, b.count("timer"))
	err := b.a.PauseRun(t.Context(), advance.PauseRun{RunKey: b.key(run)})
	require.Equal(t, fault.Reason("RUN_TERMINAL"), fault.ReasonOf(err))
}

func TestASuspendedRunHoldsNoSlots(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	run := b.start(b.deploy(chain("chain", 1)))
	lease := w.poll(1, 0).Leases[0]
	b.pauseRun(run, true)
	orders := w.poll(0, 0, advance.Held{Lease: lease.ID, Phase: "running"}).Orders
	require.Equal(t, []advance.Order{{Lease: lease.ID, Action: advance.ActionStop, Grace: 10 * time.Second}}, orders)
	require.Empty(t, w.report(1, ended(lease, engine.OutcomeCanceled)).Leases)
	require.Zero(t, b.count("lease"))
	require.Equal(t, "suspended", queryOne[string](b, `SELECT outcome FROM journal WHERE lease <> 0`, nil))
	b.resumeRun(run)
	again := w.poll(1, 0).Leases[0]
	require.EqualValues(t, 2, again.Attempt)
	w.report(0, ended(again, engine.OutcomeSucceeded))
	require.Equal(t, "succeeded", b.state(run))
}

// A retry that comes due while its run is paused waits for the resume.
func TestATimerOfAPausedRunMakesNothingReady(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	run := b.start(b.deploy(flaky(1)))
	w.report(1, ended(w.poll(1, 0).Leases[0], engine.OutcomeFailed))
	b.elapse()
	b.pauseRun(run, false)
	b.fire(run, "retry", 0, 2)
	require.Zero(t, b.count("ready"))
	require.Zero(t, b.count("timer"))
	b.resumeRun(run)
	require.Equal(t, 1, b.count("timer"), "its wait goes on, as the journal says")
}

// However claims and pauses race, nothing is leased of a run that is paused
// until it is resumed.
func TestNoClaimSlipsPastAPause(t *testing.T) {
	t.Parallel()
	b := setup(t)
	second := b.replica()
	c := b.deploy(chain("race", 1))
	for range 12 {
		w := b.worker(1)
		w.a = second
		run := b.start(c)
		got := make(chan *advance.Work, 1)
		go func() {
			work, err := w.a.Poll(context.Background(), advance.Poll{Org: w.org, Agent: w.agent, Session: w.session, Free: advance.Free{Slots: 1}})
			if err != nil {
				work = &advance.Work{}
			}
			got <- work
		}()
		b.pauseRun(run, false)
		before := b.count("lease")
		work := <-got
		require.Equal(t, len(work.Leases), before, "a lease was given after the pause")
		for _, l := range work.Leases {
			w.report(0, ended(l, engine.OutcomeSucceeded))
		}
		b.resumeRun(run)
		if len(work.Leases) == 0 {
			w.report(0, ended(w.await(), engine.OutcomeSucceeded))
		}
		require.Equal(t, "succeeded", b.state(run))
	}
}
