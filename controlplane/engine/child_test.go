package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func parent(t *testing.T, onCancel string) *world {
	t.Helper()
	w := newWorld(t, &plan.Plan{Tasks: []plan.Task{
		{Name: "sub", Pipeline: &plan.Nested{Name: "other", OnParentCancel: onCancel}},
		{Name: "after", Needs: []int{0}},
		{Name: "bye", Exit: plan.ExitAlways},
	}})
	d := w.must(engine.Start{Now: w.now})
	require.Equal(t, []engine.Child{{Task: 0, Attempt: 1}}, d.Children)
	require.Empty(t, d.Opened)
	require.Equal(t, engine.TaskExpanding, w.s.Tasks[0].State)
	require.Equal(t, d.Children, engine.Children(w.g, w.s))
	return w
}

func (w *world) childEnds(attempt int32, outcome engine.RunState) engine.Decision {
	return w.must(engine.ChildEnded{Now: w.now, Child: engine.Child{Task: 0, Attempt: attempt}, Outcome: outcome, Reason: "run_1"})
}

func TestATaskMirrorsItsChild(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[engine.RunState]engine.TaskState{
		engine.RunSucceeded: engine.TaskSucceeded, engine.RunFailed: engine.TaskFailed,
		engine.RunCanceled: engine.TaskCanceled, engine.RunDropped: engine.TaskFailed,
	} {
		w := parent(t, "")
		w.crash()
		require.True(t, dropEmpty(w.childEnds(2, outcome)), "another child")
		require.False(t, dropEmpty(w.childEnds(1, outcome)))
		require.Equal(t, want, w.s.Tasks[0].State)
		require.True(t, dropEmpty(w.childEnds(1, engine.RunFailed)), "twice")
	}
}

func TestACancelGoesDownToTheChild(t *testing.T) {
	t.Parallel()
	w := parent(t, "")
	d := w.must(engine.Cancel{Now: w.now})
	require.Equal(t, []engine.Recall{{Child: engine.Child{Task: 0, Attempt: 1}}}, d.Recalled)
	require.Equal(t, engine.RunCanceling, w.s.Run)
	require.Equal(t, engine.TaskExpanding, w.s.Tasks[0].State, "until the child has ended")
	w.childEnds(1, engine.RunFailed)
	require.Equal(t, engine.TaskCanceled, w.s.Tasks[0].State)
	require.Equal(t, engine.RunFinalizing, w.s.Run)
}

func TestForceWaitsForNoChild(t *testing.T) {
	t.Parallel()
	w := parent(t, "")
	d := w.must(engine.Cancel{Now: w.now, Force: true})
	require.Equal(t, []engine.Recall{{Child: engine.Child{Task: 0, Attempt: 1}, Force: true}}, d.Recalled)
	require.Equal(t, engine.RunCanceled, w.s.Run)
	require.True(t, dropEmpty(w.childEnds(1, engine.RunSucceeded)))
}

func TestAnAbandonedChildGoesOn(t *testing.T) {
	t.Parallel()
	w := parent(t, "abandon")
	d := w.must(engine.Cancel{Now: w.now})
	require.Empty(t, d.Recalled)
	require.Equal(t, engine.TaskCanceled, w.s.Tasks[0].State)
	require.Equal(t, engine.RunFinalizing, w.s.Run)
}

func TestARetryStartsANewChild(t *testing.T) {
	t.Parallel()
	w := parent(t, "")
	w.childEnds(1, engine.RunFailed)
	w.grant(2)
	w.must(w.report(2, engine.OutcomeSucceeded, 0))
	require.Equal(t, engine.RunFailed, w.s.Run)
	d := w.must(engine.Retry{Now: w.now})
	require.Equal(t, []engine.Child{{Task: 0, Attempt: 2}}, d.Children)
	require.True(t, dropEmpty(w.childEnds(1, engine.RunSucceeded)), "the first one is not waited for")
	d = w.childEnds(2, engine.RunSucceeded)
	require.Len(t, d.Opened, 1)
}

// Items of a map may be children as well: they are told, and it waits for them.
func TestAMapOfChildrenStops(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &plan.Plan{Tasks: []plan.Task{
		{Name: "each", ForEach: &plan.ForEach{Count: 3, Type: plan.TypeInt}, Pipeline: &plan.Nested{Name: "other"}},
	}})
	d := w.must(engine.Start{Now: w.now})
	require.Len(t, d.Children, 3)
	d = w.must(engine.Cancel{Now: w.now})
	require.Len(t, d.Recalled, 3)
	for _, c := range d.Recalled {
		require.Equal(t, engine.RunCanceling, w.s.Run)
		w.must(engine.ChildEnded{Now: w.now, Child: c.Child, Outcome: engine.RunCanceled})
	}
	require.Equal(t, engine.RunCanceled, w.s.Run)
}
