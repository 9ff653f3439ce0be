package advance_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// fire serves a timer that may have been read long before.
func (b *bundle) fire(run id.UUID, kind string, task, attempt int32) {
	b.t.Helper()
	require.NoError(b.t, b.a.Fire(b.t.Context(), advance.Due{RunKey: b.key(run), Kind: kind, Task: task, Attempt: attempt}))
}

// elapse makes all timers due.
func (b *bundle) elapse() { b.exec(`UPDATE timer SET at = at - interval '3 hours'`, nil) }

func flaky(user int) *plan.Plan {
	return &plan.Plan{Name: "flaky", Tasks: []plan.Task{
		{Name: "a", Retry: plan.Retry{User: user, Steps: []plan.Millis{3_600_000}, Jitter: plan.JitterNone}},
	}}
}

func TestATimerBeforeItsTimeStays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	run := b.start(b.deploy(flaky(1)))
	w.report(1, ended(w.poll(1, 0).Leases[0], engine.OutcomeFailed))
	b.fire(run, "retry", 0, 2)
	require.Equal(t, 1, b.count("timer"))
	require.Zero(t, b.count("ready"))
	b.elapse()
	b.fire(run, "retry", 0, 2)
	require.Zero(t, b.count("timer"))
	require.Equal(t, 1, b.count("ready"))
}

// A ticker that lost its lock may still have commands on their way when the
// next one reads the same timers.
func TestATimerServedTwiceMakesNothingReadyTwice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	run := b.start(b.deploy(flaky(1)))
	w.report(1, ended(w.poll(1, 0).Leases[0], engine.OutcomeFailed))
	b.elapse()
	b.fire(run, "retry", 0, 2)
	b.fire(run, "retry", 0, 2)
	require.Equal(t, 1, b.count("ready"))
	lease := w.poll(1, 0).Leases[0]
	b.fire(run, "retry", 0, 2)
	require.Zero(t, b.count("ready"), "the attempt is leased")
	w.report(1, ended(lease, engine.OutcomeSucceeded))
	require.Equal(t, "succeeded", b.state(run))
}

func TestALateTimerSparesTheNextOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	run := b.start(b.deploy(flaky(2)))
	w.report(1, ended(w.poll(1, 0).Leases[0], engine.OutcomeFailed))
	b.elapse()
	b.fire(run, "retry", 0, 2)
	w.report(1, ended(w.poll(1, 0).Leases[0], engine.OutcomeFailed))
	require.Equal(t, 1, b.count("timer"), "attempt 3 waits")
	b.fire(run, "retry", 0, 2)
	require.Equal(t, 1, b.count("timer"), "nothing else would ever wake the run")
	b.elapse()
	b.fire(run, "retry", 0, 2)
	require.Equal(t, 1, b.count("timer"), "nor when it is due")
	b.fire(run, "retry", 0, 3)
	w.report(1, ended(w.poll(1, 0).Leases[0], engine.OutcomeSucceeded))
	require.Equal(t, "succeeded", b.state(run))
}

func TestALateDeadlineSparesTheNextGeneration(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	p := chain("dated", 1)
	p.Deadline = 3_600_000
	run := b.start(b.deploy(p))
	w.report(1, ended(w.poll(1, 0).Leases[0], engine.OutcomeFailed))
	require.Equal(t, "failed", b.state(run))
	require.NoError(t, b.a.RetryRun(t.Context(), advance.RetryRun{RunKey: b.key(run)}))
	b.fire(run, "deadline", -1, 0)
	require.Equal(t, 1, b.count("timer"))
	require.Equal(t, "running", b.state(run))
}

func TestAQueueTimeoutFailsWhatNobodyTook(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.start(b.deploy(&plan.Plan{Name: "queued", Tasks: []plan.Task{{Name: "a", Timeouts: plan.Timeouts{Queue: 1}}}}))
	require.Equal(t, 1, b.count("timer"))
	b.elapse()
	b.fire(run, "queue", 0, 1)
	require.Equal(t, "failed", b.state(run))
	require.Zero(t, b.count("ready"))
	require.Zero(t, b.count("timer"))

	w := b.worker(1)
	run = b.start(b.deploy(&plan.Plan{Name: "taken", Tasks: []plan.Task{{Name: "a", Timeouts: plan.Timeouts{Queue: 1}}}}))
	lease := w.poll(1, 0).Leases[0]
	require.Zero(t, b.count("timer"), "it was taken")
	b.fire(run, "queue", 0, 1)
	w.report(1, ended(lease, engine.OutcomeSucceeded))
	require.Equal(t, "succeeded", b.state(run))
}

// The queue's clock runs through the wait before a retry; a task that is taken
// straight from that wait must not leave it behind.
func TestARetryThatIsTakenAtOnceLeavesNoTimer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	p := flaky(1)
	p.Tasks[0].Timeouts.Queue = 3_600_000
	run := b.start(b.deploy(p))
	w.report(1, ended(w.poll(1, 0).Leases[0], engine.OutcomeFailed))
	require.Equal(t, 2, b.count("timer"))
	b.exec(`UPDATE timer SET at = at - interval '3 hours' WHERE kind = 'retry'`, nil)
	got := make(chan *advance.Work, 1)
	go func() { got <- w.poll(1, patience) }()
	eventually(t, "the poll waits", func() bool { return b.a.Parked() == 1 })
	b.fire(run, "retry", 0, 2)
	lease := (<-got).Leases[0]
	require.Zero(t, b.count("timer"))
	w.report(1, ended(lease, engine.OutcomeSucceeded))
	require.Equal(t, "succeeded", b.state(run))
}

func TestCancelTakesBackWhatWaitsToBeRetried(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	run := b.start(b.deploy(flaky(1)))
	w.report(1, ended(w.poll(1, 0).Leases[0], engine.OutcomeFailed))
	b.elapse()
	require.NoError(t, b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: b.key(run)}))
	require.Equal(t, "canceled", b.state(run))
	require.Zero(t, b.count("timer"))
	b.fire(run, "retry", 0, 2)
	require.Zero(t, b.count("ready"))
}

// Who waited in vain is told for what.
func TestAQueueTimeoutSaysWhatWasMissing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.start(b.deploy(wide("gpu", 1, func(t *plan.Task) {
		t.Timeouts.Queue = 1
		t.Resources.GPUs = 1
	})))
	pause(t.Context(), 10*time.Millisecond)
	b.fire(run, "queue", 0, 1)
	require.Equal(t, "failed", b.state(run))
	require.Equal(t, "queue_timeout: no agent in pool default offers gpu>=1", queryOne[string](b, `SELECT reason FROM journal WHERE task = 0`, nil))
}
