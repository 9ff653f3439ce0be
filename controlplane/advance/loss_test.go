package advance_test

import (
	"log/slog"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
)

// What is lost before anything was written is not lost for who asked.
func TestABatchThatLosesItsConnectionInTripOneRunsAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	run := b.start(b.deploy(chain("kept", 2)))
	lease := w.poll(1, 0).Leases[0]
	x := b.blocker()
	x.hold(`SELECT 1 FROM run FOR UPDATE`, nil)
	var work *advance.Work
	var wg sync.WaitGroup
	wg.Go(func() { work = w.report(1, ended(lease, engine.OutcomeSucceeded)) })
	x.kill(x.blocked())
	x.release()
	wg.Wait()
	require.Equal(t, []advance.ReportStatus{advance.ReportAccepted}, work.Status)
	require.Len(t, work.Leases, 1)
	w.report(0, ended(work.Leases[0], engine.OutcomeSucceeded))
	require.Equal(t, "succeeded", b.state(run))
}

func TestABatchThatLosesItsConnectionInTripTwoIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	run := b.start(b.deploy(chain("refused", 2)))
	lease := w.poll(1, 0).Leases[0]
	x := b.blocker()
	// The entry that it will write is there already, of one who has not made up
	// his mind.
	x.hold(`INSERT INTO journal (org_id, run_id, seq, v, at, kind) VALUES (@org, @run, 2, 1, now(), 'attempt_ended')`, pgx.NamedArgs{"org": b.org, "run": run})
	failed := make(chan error, 1)
	go func() {
		_, err := b.a.Report(t.Context(), advance.Report{Org: b.org, Agent: w.agent, Session: w.session, Reports: []advance.AttemptReport{ended(lease, engine.OutcomeSucceeded)}})
		failed <- err
	}()
	x.kill(x.blocked())
	require.Equal(t, fault.KindUnavailable, fault.KindOf(<-failed))
	x.release()
	w.report(0, ended(lease, engine.OutcomeSucceeded))
	require.Equal(t, 2, queryOne[int](b, `SELECT max(seq) FROM journal WHERE run_id = @run`, pgx.NamedArgs{"run": run}))
	w.report(0, ended(w.poll(1, 0).Leases[0], engine.OutcomeSucceeded))
	require.Equal(t, "succeeded", b.state(run))
}

// What the rules had decided in a batch that was lost must not be believed, when
// another replica has decided otherwise since.
func TestAStateThatWasNotCommittedIsForgotten(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w, other := b.worker(1), b.replica()
	run := b.start(b.deploy(chain("forgotten", 1)))
	lease := w.poll(1, 0).Leases[0]
	x := b.blocker()
	x.hold(`INSERT INTO journal (org_id, run_id, seq, v, at, kind) VALUES (@org, @run, 2, 1, now(), 'attempt_ended')`, pgx.NamedArgs{"org": b.org, "run": run})
	failed := make(chan error, 1)
	go func() {
		_, err := b.a.Report(t.Context(), advance.Report{Org: b.org, Agent: w.agent, Session: w.session, Reports: []advance.AttemptReport{ended(lease, engine.OutcomeSucceeded)}})
		failed <- err
	}()
	x.kill(x.blocked())
	require.Error(t, <-failed)
	x.release()
	require.False(t, b.a.Cached(b.key(run)))
	require.NoError(t, other.CancelRun(t.Context(), advance.CancelRun{RunKey: b.key(run), Force: true}))
	require.Equal(t, []advance.ReportStatus{advance.ReportStale}, w.report(0, ended(lease, engine.OutcomeSucceeded)).Status)
	require.NoError(t, b.a.RetryRun(t.Context(), advance.RetryRun{RunKey: b.key(run)}))
	require.Equal(t, "running", b.state(run))
}

// It was committed, and nobody knows: the agent repeats, and gets the lease that
// it never saw.
func TestACommitWhoseAnswerIsLostCounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	l, db := newLink(t, b.db.URL())
	a := advance.New(db, slog.New(slog.DiscardHandler), nil)
	require.NoError(t, a.Start(t.Context()))
	t.Cleanup(a.Stop)
	w := b.worker(1)
	w.a = a
	run := b.start(b.deploy(chain("lost", 2)))
	lease := w.poll(1, 0).Leases[0]

	l.swallow.Store(true)
	rep := advance.Report{Org: b.org, Agent: w.agent, Session: w.session, Free: advance.Free{Slots: 1}, Reports: []advance.AttemptReport{ended(lease, engine.OutcomeSucceeded)}}
	_, err := a.Report(t.Context(), rep)
	require.Equal(t, fault.KindUnavailable, fault.KindOf(err))
	eventually(t, "the commit counts", func() bool {
		return queryOne[int](b, `SELECT seq FROM run WHERE id = @id`, pgx.NamedArgs{"id": run}) == 2
	})
	require.Equal(t, []advance.ReportStatus{advance.ReportAccepted}, w.report(1, rep.Reports[0]).Status)
	b.exec(`UPDATE lease SET granted_at = granted_at - interval '6 seconds'`, nil)
	again := w.poll(0, 0).Leases
	require.Len(t, again, 1)
	w.report(0, ended(again[0], engine.OutcomeSucceeded))
	require.Equal(t, "succeeded", b.state(run))
	require.Equal(t, 2, queryOne[int](b, `SELECT sum(quantity)::int FROM usage WHERE meter = 'task_attempts'`, nil))
}

func TestALockThatIsNotToBeHadIsSaidToBeRepeated(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.start(b.deploy(chain("locked", 1)))
	x := b.blocker()
	x.hold(`SELECT 1 FROM run FOR UPDATE`, nil)
	err := b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: b.key(run)})
	require.Equal(t, fault.KindUnavailable, fault.KindOf(err))
	x.release()
	require.NoError(t, b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: b.key(run)}))
}

func TestWhileTheDatabaseIsAwayEverybodyIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	l, db := newLink(t, b.db.URL())
	a := advance.New(db, slog.New(slog.DiscardHandler), nil)
	require.NoError(t, a.Start(t.Context()))
	t.Cleanup(a.Stop)
	w := b.worker(1)
	w.a = a
	w.poll(0, 0)
	l.close(true)
	_, err := w.tryPoll(1, 0)
	require.Equal(t, fault.KindUnavailable, fault.KindOf(err))
	l.close(false)
	eventually(t, "it comes back", func() bool {
		_, err := w.tryPoll(1, 0)
		return err == nil
	})
	l.close(true)
	a.Stop()
}

func TestStopAnswersEverybody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	a := b.replica()
	run := b.start(b.deploy(chain("held", 1)))
	w.a = a
	var waited *advance.Work
	var wg sync.WaitGroup
	other := b.worker(1)
	other.a = a
	wg.Go(func() { waited = other.poll(0, patience) })
	eventually(t, "the poll waits", func() bool { return a.Parked() == 1 })
	x := b.blocker()
	x.hold(`SELECT 1 FROM run FOR UPDATE`, nil)
	var under, queued error
	wg.Go(func() { under = a.CancelRun(t.Context(), advance.CancelRun{RunKey: b.key(run)}) })
	x.blocked()
	wg.Go(func() { _, queued = w.tryPoll(1, patience) })
	eventually(t, "the poll is queued", func() bool { return a.Queued() == 1 })
	stopped := make(chan struct{})
	go func() {
		a.Stop()
		close(stopped)
	}()
	eventually(t, "the queue is refused", func() bool { return a.Queued() == 0 })
	x.release()
	<-stopped
	wg.Wait()
	a.Stop()
	require.NoError(t, under, "a batch under way is finished")
	require.Equal(t, fault.KindUnavailable, fault.KindOf(queued))
	require.Equal(t, &advance.Work{}, waited)
	_, err := w.tryPoll(1, patience)
	require.Equal(t, fault.KindUnavailable, fault.KindOf(err))
	require.Zero(t, a.Parked())
}

// An attempt that its agent gave up is lost, but it was reported: whoever did not
// hear the answer is told the same again.
func TestAnAttemptThatItsAgentGaveUpIsAnsweredTwiceAlike(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	c := chain("given-up", 1)
	c.Tasks[0].Retry.Infra = 2
	run := b.start(b.deploy(c))
	for _, outcome := range []engine.Outcome{engine.OutcomeCanceled, engine.OutcomeFailed} {
		report := ended(w.poll(1, 0).Leases[0], outcome)
		report.Cause = engine.CauseInfra
		for range 2 {
			require.Equal(t, []advance.ReportStatus{advance.ReportAccepted}, w.report(0, report).Status)
		}
	}
	w.report(0, ended(w.poll(1, 0).Leases[0], engine.OutcomeSucceeded))
	require.Equal(t, "succeeded", b.state(run))
	require.Equal(t, 2, queryOne[int](b, `SELECT count(*) FROM journal WHERE run_id = @run AND outcome = 'lost'`, pgx.NamedArgs{"run": run}))
}
