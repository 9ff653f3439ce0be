package advance_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func (b *bundle) signal(run id.UUID, name, key, body string) {
	b.t.Helper()
	require.NoError(b.t, b.a.SignalRun(b.t.Context(), advance.SignalRun{
		RunKey: b.key(run), Actor: "test", Name: name, Key: key, Body: []byte(body),
	}))
}

// taken is what the task that took a signal was left with.
func (b *bundle) taken() string {
	b.t.Helper()
	return queryOne[string](b, `SELECT convert_from(body, 'UTF8') FROM journal WHERE kind = 'task_ended' AND body IS NOT NULL`, nil)
}

func signaled(name string, needs ...int) plan.Task {
	return plan.Task{Name: name, Needs: needs, Signal: &plan.Signal{Name: "data"}}
}

func TestASignalEndsTheTaskThatWaitsForIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	run := b.start(b.deploy(&plan.Plan{Name: "p", Tasks: []plan.Task{signaled("data"), {Name: "b", Needs: []int{0}}}}))
	require.Empty(t, w.poll(1, 0).Leases)
	require.Zero(t, b.count("ready"), "it stands in no queue")
	b.signal(run, "data", "k", "payload")
	b.signal(run, "data", "k", "another payload")
	require.Equal(t, 1, queryOne[int](b, `SELECT count(*) FROM journal WHERE kind = 'signal_received'`, nil))
	require.Equal(t, "payload", b.taken())
	w.report(0, ended(w.poll(1, 0).Leases[0], engine.OutcomeSucceeded))
	require.Equal(t, "succeeded", b.state(run))
}

func TestASignalMayComeBeforeItsTaskIsReached(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	run := b.start(b.deploy(&plan.Plan{Name: "p", Tasks: []plan.Task{{Name: "a"}, signaled("data", 0)}}))
	b.signal(run, "data", "", "early")
	other := b.replica() // which folds the journal
	w.a = other
	w.report(0, ended(w.poll(1, 0).Leases[0], engine.OutcomeSucceeded))
	require.Equal(t, "early", b.taken(), "taken with the report that reached it")
	require.Equal(t, "succeeded", b.state(run))
	err := b.a.SignalRun(t.Context(), advance.SignalRun{RunKey: b.key(run), Name: "data"})
	require.Equal(t, fault.Reason("RUN_TERMINAL"), fault.ReasonOf(err))
	err = b.a.SignalRun(t.Context(), advance.SignalRun{RunKey: b.key(run), Name: "date"})
	require.Equal(t, fault.Reason("RUN_TERMINAL"), fault.ReasonOf(err))
}

func TestSignalsOfOneBatch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.start(b.deploy(&plan.Plan{Name: "p", Tasks: []plan.Task{signaled("a"), signaled("b", 0), signaled("c", 1)}}))
	var wg sync.WaitGroup
	for i := range 9 {
		wg.Go(func() { b.signal(run, "data", string(rune('1'+i%3)), "x") })
	}
	wg.Wait()
	require.Equal(t, "succeeded", b.state(run))
	require.Equal(t, 3, queryOne[int](b, `SELECT count(*) FROM journal WHERE kind = 'signal_received'`, nil))
	require.Equal(t, 3, queryOne[int](b, `SELECT count(*) FROM journal WHERE kind = 'task_ended' AND body = 'x'`, nil))
	err := b.a.SignalRun(t.Context(), advance.SignalRun{RunKey: b.key(run), Name: "data", Key: "1"})
	require.NoError(t, err, "a repetition")
}

func TestASignalThatNobodyAwaits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.start(b.deploy(chain("p", 1)))
	err := b.a.SignalRun(t.Context(), advance.SignalRun{RunKey: b.key(run), Name: "data"})
	require.Equal(t, fault.Reason("SIGNAL_UNKNOWN"), fault.ReasonOf(err))
	require.Equal(t, fault.KindInvalid, fault.KindOf(err))
}

// A wait fires once, whoever looks and however late.
func TestAWaitFiresOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.start(b.deploy(&plan.Plan{Name: "p", Tasks: []plan.Task{{Name: "a", Wait: &plan.Wait{For: 3_600_000}}}}))
	require.Equal(t, 1, b.count("timer"))
	b.fire(run, "hold", 0, 0)
	require.Equal(t, "running", b.state(run), "not yet")
	b.exec(`UPDATE timer SET at = now() - interval '1 hour'`, nil)
	b.fire(run, "hold", 0, 0)
	require.Equal(t, "running", b.state(run), "the journal says when, not the timer")
	require.Zero(t, b.count("timer"))

	run = b.start(b.deploy(&plan.Plan{Name: "q", Tasks: []plan.Task{{Name: "a", Wait: &plan.Wait{For: 1}}}}))
	second := b.replica()
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			a := []*advance.Advancer{b.a, second}[i%2]
			_ = a.Fire(t.Context(), advance.Due{RunKey: b.key(run), Kind: "hold"})
		})
	}
	wg.Wait()
	require.Equal(t, "succeeded", b.state(run))
	require.Equal(t, 1, queryOne[int](b, `SELECT count(*) FROM journal WHERE kind = 'task_ended'`, nil))
}
