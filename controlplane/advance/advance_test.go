package advance_test

import (
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func TestAChainIsHandedOverWithTheReports(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	run := b.start(b.deploy(chain("chain", 3)))

	work := w.poll(1, 0)
	for i := range 3 {
		require.Len(t, work.Leases, 1, "hop %d", i)
		work = w.report(1, ended(work.Leases[0], engine.OutcomeSucceeded))
		require.Equal(t, []advance.ReportStatus{advance.ReportAccepted}, work.Status)
	}
	require.Equal(t, "succeeded", b.state(run))
	require.Zero(t, b.count("ready"))
	require.Zero(t, b.count("lease"))
	require.Zero(t, b.count("timer"))
	require.Equal(t, 1, queryOne[int](b, `SELECT sum(quantity)::int FROM usage WHERE meter = 'runs'`, nil))
	require.Equal(t, 3, queryOne[int](b, `SELECT sum(quantity)::int FROM usage WHERE meter = 'task_attempts'`, nil))
}

func TestAWaitingPollIsAnsweredByTheStart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	c := b.deploy(chain("one", 1))

	got := make(chan advance.Lease, 1)
	go func() { got <- w.await() }()
	run := b.start(c)
	lease := <-got
	require.Equal(t, run, lease.Run)
	require.EqualValues(t, 1, lease.Number)
}

func TestTheSameReportAgainGetsTheFirstAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	b.start(b.deploy(chain("one", 2)))
	lease := w.poll(1, 0).Leases[0]

	rep := ended(lease, engine.OutcomeSucceeded)
	require.Equal(t, []advance.ReportStatus{advance.ReportAccepted, advance.ReportAccepted}, w.report(0, rep, rep).Status)
	require.Equal(t, []advance.ReportStatus{advance.ReportAccepted}, w.report(0, rep).Status)

	other := b.worker(1)
	require.Equal(t, []advance.ReportStatus{advance.ReportStale}, other.report(0, rep).Status, "another agent's lease")
	require.Equal(t, 1, queryOne[int](b, `SELECT count(*) FROM journal WHERE kind = 'attempt_ended'`, nil))
}

func TestOneKeyStartsOneRun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	second := b.replica()
	c := b.deploy(chain("keyed", 1))
	c.Key, c.Fingerprint = "k", [32]byte{1}

	var wg sync.WaitGroup
	runs := make([]advance.Started, 50)
	for i := range runs {
		wg.Go(func() {
			a := b.a
			if i%2 == 1 {
				a = second
			}
			out, err := a.StartRun(t.Context(), c)
			if err == nil {
				runs[i] = out
			}
		})
	}
	wg.Wait()
	created := 0
	for _, r := range runs {
		require.Equal(t, runs[0].Run, r.Run)
		if r.Created {
			created++
		}
	}
	require.Equal(t, 1, created)
	require.Equal(t, 1, b.count("run"))

	c.Fingerprint = [32]byte{2}
	_, err := b.a.StartRun(t.Context(), c)
	require.Equal(t, fault.Reason("IDEMPOTENCY_MISMATCH"), fault.ReasonOf(err))
}

func TestCancelTakesWaitingTasksAndStopsRunningOnes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	run := b.start(b.deploy(&plan.Plan{Name: "wide", Tasks: []plan.Task{{Name: "a"}, {Name: "b"}}}))
	lease := w.poll(1, 0).Leases[0]

	cancel := advance.CancelRun{RunKey: advance.RunKey{Org: b.org, Run: run}, Actor: "test"}
	require.NoError(t, b.a.CancelRun(t.Context(), cancel))
	require.NoError(t, b.a.CancelRun(t.Context(), cancel), "again")
	require.Equal(t, "canceling", b.state(run))
	require.Zero(t, b.count("ready"))

	work := w.poll(0, 0, advance.Held{Lease: lease.ID, Phase: "running"})
	require.Len(t, work.Orders, 1)
	require.Equal(t, advance.ActionStop, work.Orders[0].Action)

	w.report(1, ended(lease, engine.OutcomeCanceled))
	require.Equal(t, "canceled", b.state(run))
	err := b.a.RetryRun(t.Context(), advance.RetryRun{RunKey: advance.RunKey{Org: b.org, Run: run}, Actor: "test"})
	require.NoError(t, err)
	require.Equal(t, "running", b.state(run))
}

func TestAFailedAttemptIsRetriedAfterItsBackoff(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	run := b.start(b.deploy(&plan.Plan{Name: "flaky", Tasks: []plan.Task{
		{Name: "a", Retry: plan.Retry{User: 1, Steps: []plan.Millis{1}, Jitter: plan.JitterNone}},
	}}))
	w.report(1, ended(w.poll(1, 0).Leases[0], engine.OutcomeFailed))
	require.Equal(t, 1, b.count("timer"))
	b.elapse()
	b.fire(run, "retry", 0, 2)
	require.Zero(t, b.count("timer"))

	work := w.poll(1, 0)
	require.Len(t, work.Leases, 1)
	require.EqualValues(t, 2, work.Leases[0].Attempt)
	w.report(1, ended(work.Leases[0], engine.OutcomeSucceeded))
	require.Equal(t, "succeeded", b.state(run))
}

func TestALostLeaseGoesToAnotherAgent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, second := b.worker(1), b.worker(1)
	run := b.start(b.deploy(&plan.Plan{Name: "lossy", Tasks: []plan.Task{{Name: "a", Retry: plan.Retry{Infra: 3}}}}))
	lease := first.poll(1, 0).Leases[0]

	ok, err := b.a.EndSession(t.Context(), advance.EndSession{Org: b.org, Session: first.session})
	require.NoError(t, err)
	require.False(t, ok, "it has not expired")
	ok, err = b.a.EndSession(t.Context(), advance.EndSession{Org: b.org, Session: first.session, Force: true})
	require.NoError(t, err)
	require.True(t, ok)
	lose := advance.Lose{RunKey: advance.RunKey{Org: b.org, Run: run}, Lease: lease.ID, Session: first.session}
	require.NoError(t, b.a.Lose(t.Context(), lose))
	require.NoError(t, b.a.Lose(t.Context(), lose), "again")

	_, err = b.a.Poll(t.Context(), advance.Poll{Org: b.org, Agent: first.agent, Session: first.session, Free: advance.Free{Slots: 1}})
	require.Equal(t, fault.Reason("SESSION_EXPIRED"), fault.ReasonOf(err))
	require.Equal(t, []advance.ReportStatus{advance.ReportStale}, first.report(0, ended(lease, engine.OutcomeSucceeded)).Status)

	work := second.poll(1, 0)
	require.Len(t, work.Leases, 1)
	require.EqualValues(t, 2, work.Leases[0].Attempt)
	second.report(1, ended(work.Leases[0], engine.OutcomeSucceeded))
	require.Equal(t, "succeeded", b.state(run))
}

func TestReplicasFollowEachOther(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w, other := b.worker(1), b.replica()
	run := b.start(b.deploy(chain("shared", 6)))
	work := w.poll(1, 0)
	for i := range 6 {
		require.Len(t, work.Leases, 1, "hop %d", i)
		w.a = []*advance.Advancer{other, b.a}[i%2]
		work = w.report(1, ended(work.Leases[0], engine.OutcomeSucceeded))
	}
	require.Equal(t, "succeeded", b.state(run))
}

func TestAnAgentOfAnotherReplicaIsWoken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	w.a = b.replica()
	c := b.deploy(chain("far", 1))
	got := make(chan advance.Lease, 1)
	go func() { got <- w.await() }()
	run := b.start(c)
	require.Equal(t, run, (<-got).Run)
}

func TestALeaseThatIsNotListedIsSentAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	b.start(b.deploy(chain("lost", 1)))
	lease := w.poll(1, 0).Leases[0]
	require.Empty(t, w.poll(0, 0).Leases, "it may still be on its way")
	b.exec(`UPDATE lease SET granted_at = granted_at - interval '6 seconds'`, nil)
	again := w.poll(0, 0).Leases
	require.Len(t, again, 1)
	require.Equal(t, lease.ID, again[0].ID)
	require.Equal(t, "ta", again[0].Task)

	orders := w.poll(0, 0, advance.Held{Lease: 999_999}).Orders
	require.Equal(t, []advance.Order{{Lease: 999_999, Action: advance.ActionStale}}, orders, "a lease that is not there")
}

func TestPoolsLimitAndPause(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(4)
	b.exec(`UPDATE pool SET slots = 2`, nil)
	b.start(b.deploy(&plan.Plan{Name: "wide", Tasks: []plan.Task{{Name: "a"}, {Name: "b"}, {Name: "c"}}}))
	work := w.poll(4, 0)
	require.Len(t, work.Leases, 2)
	require.Empty(t, w.poll(2, 0).Leases)
	b.exec(`UPDATE pool SET paused = true`, nil)
	require.Empty(t, w.report(3, ended(work.Leases[0], engine.OutcomeSucceeded)).Leases)
	b.exec(`UPDATE pool SET paused = false`, nil)
	require.Len(t, w.poll(3, 0).Leases, 1)
}

func TestTasksThatNobodyHereCanRunDoNotHideOthers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	b.start(b.deploy(&plan.Plan{Name: "gpu", Tasks: []plan.Task{{Name: "a", Resources: plan.Resources{GPUs: 1}}}}))
	run := b.start(b.deploy(chain("cpu", 1)))
	require.Equal(t, run, w.await().Run)
}

func TestARunOfNowhereIsNotFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	err := b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: advance.RunKey{Org: b.org, Run: id.New()}})
	require.Equal(t, fault.KindNotFound, fault.KindOf(err))
	run := b.start(b.deploy(chain("mine", 1)))
	err = b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: advance.RunKey{Org: id.New(), Run: run}})
	require.Equal(t, fault.KindNotFound, fault.KindOf(err), "another organization's")
	require.Equal(t, "running", queryOne[string](b, `SELECT state FROM run`, pgx.NamedArgs{}))
}
