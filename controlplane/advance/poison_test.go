package advance_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
)

func TestAPoisonedCommandFailsAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	run := b.start(b.deploy(chain("mid", 2)))
	lease := w.poll(1, 0).Leases[0]
	c := b.deploy(chain("one", 1))
	poisoned := c
	poisoned.Cause = "no such cause" // the table's CHECK refuses it
	errs := make([]error, 9)
	fns := []func(){func() {
		out, err := b.a.Report(t.Context(), advance.Report{Org: b.org, Agent: w.agent, Session: w.session, Reports: []advance.AttemptReport{ended(lease, engine.OutcomeSucceeded)}})
		if errs[0] = err; err == nil && out.Status[0] != advance.ReportAccepted {
			errs[0] = errors.New("refused")
		}
	}}
	for i := 1; i < len(errs); i++ {
		fns = append(fns, func() {
			with := c
			if i == 4 {
				with = poisoned
			}
			_, errs[i] = b.a.StartRun(t.Context(), with)
		})
	}
	b.together(fns...)
	for i, err := range errs {
		if i == 4 {
			require.Equal(t, fault.KindInternal, fault.KindOf(err))
		} else {
			require.NoError(t, err, "request %d", i)
		}
	}
	// The state that the refused batches had advanced was folded again.
	require.Equal(t, 2, queryOne[int](b, `SELECT seq FROM run WHERE id = @id`, pgx.NamedArgs{"id": run}))
	require.Equal(t, []advance.ReportStatus{advance.ReportAccepted}, w.report(0, ended(lease, engine.OutcomeSucceeded)).Status)
	lease = w.poll(1, 0).Leases[0]
	for lease.Run != run {
		lease = w.report(1, ended(lease, engine.OutcomeSucceeded)).Leases[0]
	}
	w.report(0, ended(lease, engine.OutcomeSucceeded))
	require.Equal(t, "succeeded", b.state(run))
}

func TestAPanicOfTheRulesFailsItsRunAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sick, well := b.start(b.deploy(chain("sick", 1))), b.start(b.deploy(chain("well", 1)))
	b.a.Corrupt(b.key(sick))
	var bad, good error
	b.together(
		func() { bad = b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: b.key(sick)}) },
		func() { good = b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: b.key(well)}) },
	)
	require.ErrorContains(t, bad, "panic")
	require.NoError(t, good)
	require.Equal(t, "canceled", b.state(well))
	require.NoError(t, b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: b.key(sick)}), "folded again, it is well")
	require.Equal(t, "canceled", b.state(sick))
}

// What cannot be recorded would be sent for ever.
func TestAnyTextCanBeRecorded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	b.start(b.deploy(chain("odd", 1)))
	rep := ended(w.poll(1, 0).Leases[0], engine.OutcomeFailed)
	rep.Reason = "exit\x00code \xc3"
	require.Equal(t, []advance.ReportStatus{advance.ReportAccepted}, w.report(0, rep).Status)
	require.Equal(t, "exit\uFFFDcode \uFFFD", queryOne[string](b, `SELECT reason FROM journal WHERE kind = 'attempt_ended'`, nil))
	run := b.start(b.deploy(chain("odder", 1)))
	require.NoError(t, b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: b.key(run), Reason: "a\x00", Actor: "\xff"}))
}

func TestAReportOfARunThatNeverWasIsStale(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	run := b.start(b.deploy(chain("one", 1)))
	lease := w.poll(1, 0).Leases[0]
	nowhere, foreign := ended(lease, engine.OutcomeSucceeded), ended(lease, engine.OutcomeSucceeded)
	nowhere.Run = id.New()
	foreign.Lease = lease.ID + 1
	require.Equal(t, []advance.ReportStatus{advance.ReportStale, advance.ReportStale}, w.report(0, nowhere, foreign).Status)
	require.Equal(t, "running", b.state(run))
}

func TestOnlyTheHolderEndsALease(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w, thief := b.worker(1), b.worker(1)
	b.start(b.deploy(chain("one", 1)))
	rep := ended(w.poll(1, 0).Leases[0], engine.OutcomeSucceeded)
	var mine, other *advance.Work
	b.together(func() { mine = w.report(0, rep) }, func() { other = thief.report(0, rep) })
	require.Equal(t, []advance.ReportStatus{advance.ReportAccepted}, mine.Status)
	require.Equal(t, []advance.ReportStatus{advance.ReportStale}, other.Status)
}

func TestAReportAfterForceIsStale(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	run := b.start(b.deploy(chain("forced", 1)))
	lease := w.poll(1, 0).Leases[0]
	require.NoError(t, b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: b.key(run), Force: true}))
	require.Equal(t, "canceled", b.state(run))
	require.Equal(t, []advance.ReportStatus{advance.ReportStale}, w.report(0, ended(lease, engine.OutcomeSucceeded)).Status)
	orders := w.poll(0, 0, advance.Held{Lease: lease.ID, Phase: "running"}).Orders
	require.Equal(t, []advance.Order{{Lease: lease.ID, Action: advance.ActionStale}}, orders)
}

// A run that the cache throws out between its request and its batch must lose
// nothing of what its version says.
func TestARunOutsideTheCacheIsFoldedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	p := chain("stops", 1)
	p.OnFailure = "stop_scheduling"
	p.Tasks = append(p.Tasks, p.Tasks[0], p.Tasks[0])
	p.Tasks[1].Name, p.Tasks[2].Name = "b", "c"
	run := b.start(b.deploy(p))
	lease := w.poll(1, 0).Leases[0]
	var work *advance.Work
	b.together(func() { work = w.report(1, ended(lease, engine.OutcomeFailed)) }, func() { b.a.Evict(b.key(run)); b.fire(run, "deadline", -1, 0) })
	require.Equal(t, []advance.ReportStatus{advance.ReportAccepted}, work.Status)
	require.Equal(t, "failed", b.state(run))
	require.Empty(t, work.Leases)
	require.Zero(t, queryOne[int](b, `SELECT count(*) FROM ready WHERE run_id = @id`, pgx.NamedArgs{"id": run}))
}

// A waiter that breaks every batch that asks it breaks none for others.
func TestAPanicBesideTheRulesFailsItsRequestAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sick := b.worker(1)
	sick.poll(0, 0)
	b.a.CorruptSession(sick.session)
	c := b.deploy(chain("one", 1))
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = b.a.Poll(ctx, advance.Poll{Org: b.org, Agent: sick.agent, Session: sick.session, Free: advance.Free{Slots: 1}, Wait: time.Hour})
	}()
	eventually(t, "the poll waits", func() bool { return b.a.Parked() == 1 })
	run := b.start(c)
	require.Equal(t, 1, b.count("ready"))
	cancel()
	<-gone

	var bad error
	b.together(
		func() { _, bad = sick.tryPoll(1, 0) },
		func() { b.start(c) },
	)
	require.Equal(t, fault.KindInternal, fault.KindOf(bad))
	well := b.worker(2)
	require.Len(t, well.poll(2, 0).Leases, 2)
	require.Equal(t, "running", b.state(run))
}

func TestAStateThatIsAheadOfItsJournalIsFoldedAnew(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.start(b.deploy(chain("ahead", 2)))
	b.a.Ahead(b.key(run))
	require.NoError(t, b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: b.key(run)}))
	require.Equal(t, "canceled", b.state(run))
	require.Equal(t, 4, queryOne[int](b, `SELECT seq FROM run`, nil))
}

// A row that says more than its journal has is for the doctor; it fails its own
// commands, and nobody else's.
func TestAJournalThatIsShortFailsItsRunAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	short, well := b.start(b.deploy(chain("short", 1))), b.start(b.deploy(chain("well", 1)))
	b.exec(`UPDATE run SET seq = 7 WHERE id = @id`, pgx.NamedArgs{"id": short})
	var bad, good error
	b.together(
		func() { bad = b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: b.key(short)}) },
		func() { good = b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: b.key(well)}) },
	)
	require.ErrorContains(t, bad, "ends at 1, its row says 7")
	require.NoError(t, good)
}

// An error of the rules may come half-way: what they had written is not kept.
func TestAnErrorOfTheRulesLeavesTheRunAsItWas(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	run := b.start(b.deploy(chain("odd", 1)))
	lease := w.poll(1, 0).Leases[0]
	require.Equal(t, []advance.ReportStatus{advance.ReportRetry}, w.report(0, ended(lease, engine.OutcomeNone)).Status)
	require.Equal(t, []advance.ReportStatus{advance.ReportAccepted}, w.report(0, ended(lease, engine.OutcomeSucceeded)).Status)
	require.Equal(t, "succeeded", b.state(run))
}
