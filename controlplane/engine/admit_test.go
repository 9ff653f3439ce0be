package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func queued(t *testing.T, reason string) *world {
	t.Helper()
	w := newWorld(t, &plan.Plan{Tasks: []plan.Task{{Name: "a"}, {Name: "bye", Exit: plan.ExitAlways}}})
	d := w.must(engine.Queue{Now: w.now, Actor: "usr_1", Reason: reason})
	require.Len(t, d.Entries, 1)
	require.Equal(t, engine.RunPending, w.s.Run)
	require.Equal(t, reason, w.s.Reason)
	return w
}

func TestARunWaitsAndBegins(t *testing.T) {
	t.Parallel()
	w := queued(t, engine.HoldStartAt)
	require.True(t, dropEmpty(w.must(engine.Queue{Now: w.now, Reason: engine.HoldStartAt})), "twice")
	require.False(t, dropEmpty(w.must(engine.Queue{Now: w.now, Reason: engine.HoldConcurrency})))
	d := w.must(engine.Start{Now: w.now})
	require.Len(t, d.Opened, 1)
	require.Empty(t, w.s.Reason)
	require.True(t, dropEmpty(w.must(engine.Queue{Now: w.now, Reason: engine.HoldPaused})), "it has begun")
	require.True(t, dropEmpty(w.must(engine.Drop{Now: w.now})), "it has begun")
}

func dropEmpty(d engine.Decision) bool { return d.Empty() }

func TestARunIsDropped(t *testing.T) {
	t.Parallel()
	w := queued(t, engine.HoldConcurrency)
	d := w.must(engine.Drop{Now: w.now, Reason: "a newer run waits in its place"})
	require.True(t, d.Finished)
	require.Equal(t, engine.RunDropped, w.s.Run)
	require.Equal(t, engine.RunDropped, w.s.Outcome)
	require.Equal(t, "a newer run waits in its place", w.s.Reason)
	require.Zero(t, w.s.Failed())
	for i := range w.s.Tasks {
		require.True(t, w.s.Tasks[i].State.Terminal())
	}
	_, err := w.do(engine.Start{Now: w.now})
	require.Error(t, err)
	_, err = w.do(engine.Retry{Now: w.now})
	require.Error(t, err)
}

func TestAWaitingRunIsCanceledAndRetried(t *testing.T) {
	t.Parallel()
	w := queued(t, engine.HoldConcurrency)
	w.must(engine.Cancel{Now: w.now, Reason: "superseded"})
	require.Equal(t, engine.RunCanceled, w.s.Run)
	require.Equal(t, "canceled before it started: superseded", w.s.Reason)
	_, err := w.do(engine.Queue{Now: w.now, Reason: engine.HoldConcurrency})
	require.Error(t, err)
	w.must(engine.Retry{Now: w.now})
	require.Len(t, w.ready, 1)
}

// A journal folds run_queued only before the run began.
func TestFoldRefusesAQueuedRunThatRuns(t *testing.T) {
	t.Parallel()
	g := graph(t, task("a"))
	s := started(t, g)
	err := engine.Fold(g, s, engine.Entry{V: 1, Seq: 2, Kind: engine.KindRunQueued, Task: engine.NoTask})
	require.EqualError(t, err, "fold entry 2 (run_queued): a run that is running cannot queue")
}
