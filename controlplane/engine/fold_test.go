package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// A journal that does not fit is named, not folded.
func TestFoldRefusesBrokenJournals(t *testing.T) {
	t.Parallel()
	g := graph(t, task("a"), task("b", 0))
	first := engine.Entry{V: 1, Seq: 1, At: testStart, Kind: engine.KindRunStarted, Task: engine.NoTask}
	second := engine.Entry{
		V: 1, Seq: 2, At: testStart, Kind: engine.KindAttemptEnded, Task: 0, Attempt: 1,
		Outcome: engine.OutcomeSucceeded, Next: engine.TaskSucceeded,
	}
	for name, c := range map[string]struct {
		change func(e *engine.Entry)
		want   string
	}{
		"newer":        {func(e *engine.Entry) { e.V = 3 }, "entry 2 has format 3, newer than 2"},
		"gap":          {func(e *engine.Entry) { e.Seq = 3 }, "entry 3 follows entry 1"},
		"repeated":     {func(e *engine.Entry) { e.Seq = 1 }, "entry 1 follows entry 1"},
		"unknown kind": {func(e *engine.Entry) { e.Kind = 99 }, "fold entry 2 (unknown(99)): kind 99 is unknown"},
		"no kind":      {func(e *engine.Entry) { e.Kind = engine.KindNone }, "fold entry 2 (none): kind 0 is unknown"},
		"no such task": {func(e *engine.Entry) { e.Task = 2 }, "fold entry 2 (attempt_ended): task 2 does not exist"},
		"run's task":   {func(e *engine.Entry) { e.Task = engine.NoTask }, "fold entry 2 (attempt_ended): task -1 does not exist"},
		"attempt":      {func(e *engine.Entry) { e.Attempt = 2 }, "fold entry 2 (attempt_ended): task 0: attempt 2 is not open"},
		"closed":       {func(e *engine.Entry) { e.Task = 1 }, "fold entry 2 (attempt_ended): task 1: attempt 1 is not open"},
		"state":        {func(e *engine.Entry) { e.Next = 99 }, "fold entry 2 (attempt_ended): task 0: state 99 is unknown"},
		"move": {
			func(e *engine.Entry) { e.Next = engine.TaskReused },
			"fold entry 2 (attempt_ended): task 0: a task that is open cannot reuse",
		},
		"started again": {
			func(e *engine.Entry) { e.Kind = engine.KindRunStarted },
			"fold entry 2 (run_started): a run that is running cannot admit",
		},
		"retried early": {
			func(e *engine.Entry) { e.Kind = engine.KindRunRetried },
			"fold entry 2 (run_retried): a run that is running cannot retry",
		},
		"exit deadline early": {
			func(e *engine.Entry) { e.Kind = engine.KindExitDeadlinePassed },
			"fold entry 2 (exit_deadline_passed): a run that is running cannot exit_deadline",
		},
	} {
		s := engine.NewState(id.UUID{1})
		require.NoError(t, engine.Fold(g, s, first))
		e := second
		c.change(&e)
		require.EqualError(t, engine.Fold(g, s, e), c.want, name)
	}
}

// A journal keeps its meaning when the plan's retry rules, which do not belong
// to it, would decide otherwise today: the entries carry what was decided.
func TestFoldReadsNoRetryRule(t *testing.T) {
	t.Parallel()
	retry := plan.Retry{User: 2, Base: 1000}
	w := newWorld(t, &plan.Plan{Tasks: []plan.Task{{Name: "a", Retry: retry}}})
	w.must(engine.Start{Now: w.now})
	w.grant(0)
	w.must(w.report(0, engine.OutcomeFailed, 1))

	g := graph(t, task("a")) // the same task without a budget
	s := engine.NewState(runID)
	for _, e := range w.journal {
		require.NoError(t, engine.Fold(g, s, e))
	}
	require.Equal(t, w.s, s)
}

func TestDecideRefusesNonsense(t *testing.T) {
	t.Parallel()
	g := graph(t, task("a"))
	s := started(t, g)
	_, err := engine.Decide(g, s, nil)
	require.EqualError(t, err, "decide: no command")
	_, err = engine.Decide(g, s, engine.Report{Now: testStart, Lease: engine.Lease{Attempt: 1}})
	require.EqualError(t, err, "decide: a report without an outcome")
}

func TestDisplay(t *testing.T) {
	t.Parallel()
	g := graph(t, plan.Task{Name: "a", Retry: plan.Retry{User: 1, Base: 5000}})
	s := started(t, g)
	tk := &s.Tasks[0]
	require.Equal(t, engine.DisplayReady, tk.Display(false, testStart))
	require.Equal(t, engine.DisplayRunning, tk.Display(true, testStart))
	s = finish(t, g, s, 0, engine.OutcomeFailed)
	tk = &s.Tasks[0]
	require.Equal(t, engine.DisplayBackoff, tk.Display(false, testStart))
	require.Equal(t, engine.DisplayReady, tk.Display(false, tk.ReadyAt.Time()))
	s = finish(t, g, s, 0, engine.OutcomeFailed)
	require.Equal(t, "failed", s.Tasks[0].Display(false, testStart))
}
