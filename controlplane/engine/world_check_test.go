package engine_test

import (
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// check asks for every invariant of model.md §10 that a run has by itself.
func (w *world) check() {
	require.Equal(w.t, w.f, w.s, "the fold of the journal is not the live state")
	w.checkTables()
	w.checkTasks()
	w.checkHolds()
	if w.s.Run.Terminal() {
		w.checkEnd()
	}
}

// checkTables compares what the decisions left in the tables with what Pending
// would put there.
func (w *world) checkTables() {
	open, timers := engine.Pending(w.g, w.s, w.now)
	var wanted int
	for _, o := range open {
		if l, live := w.leases[o.Task]; live {
			require.Equal(w.t, o.Attempt, l.Attempt)
			continue
		}
		wanted++
		got, ok := w.ready[o.Task]
		if !ok {
			got, ok = w.backoff[o.Task]
		}
		require.True(w.t, ok, "task %d is open and in no table", o.Task)
		got.Wait = o.Wait // a due retry timer waits for its tick
		require.Equal(w.t, o, got)
	}
	require.Equal(w.t, wanted, len(w.ready)+len(w.backoff), "a table holds what is not open")
	for _, timer := range timers {
		if _, live := w.leases[timer.Task]; live {
			continue // a claim takes the queue timer away
		}
		require.False(w.t, timer.Kind == engine.TimerExitDeadline && w.s.ExitDeadlinePassed, "it fires once")
		key := timerKey{timer.Kind, timer.Task}
		if got, ok := w.timers[key]; ok || timer.At.After(w.now) {
			require.Equal(w.t, timer, got)
		}
	}
	for task := range w.leases {
		require.Equal(w.t, engine.TaskOpen, w.s.Tasks[task].State, "a lease without an open attempt")
	}
}

// outcome is what the run's has to be (model.md §2).
func (w *world) outcome() engine.RunState {
	switch {
	case w.ended == engine.KindRunDropped:
		return engine.RunDropped
	case w.ended == engine.KindRunCanceled || w.ended == engine.KindRunForced:
		return engine.RunCanceled
	case w.ended == engine.KindDeadlinePassed || w.s.FailingMain > 0:
		return engine.RunFailed
	}
	return engine.RunSucceeded
}

func (w *world) checkTasks() {
	var leftMain, leftExit, failing, canceled int32
	mainLive, exitLive := false, false
	for i := range w.s.Tasks {
		tk, own := &w.s.Tasks[i], int32(i) < w.g.Own()
		exit := own && w.g.Plan.Tasks[i].Exit != ""
		_, live := w.leases[int32(i)]
		switch {
		case exit && !tk.State.Terminal():
			leftExit++
		case own && !tk.State.Terminal():
			leftMain++
		}
		if own && !exit && tk.State.Failing() {
			failing++
			if tk.State == engine.TaskCanceled {
				canceled++
			}
		}
		mainLive = mainLive || (live && !exit)
		exitLive = exitLive || (live && exit)
		if was, ended := w.ends[int32(i)]; w.stale(int32(i)) {
			continue // of an earlier generation, until it is made again
		} else if ended {
			require.Equal(w.t, was, tk.State, "a terminal task changed")
		} else if tk.State.Terminal() {
			w.ends[int32(i)] = tk.State
		}
		w.checkBudgets(i, tk)
	}
	w.checkFans()
	require.False(w.t, mainLive && exitLive, "an exit handler beside a live main attempt")
	require.Equal(w.t, []int32{leftMain, leftExit, failing, canceled}, []int32{w.s.LeftMain, w.s.LeftExit, w.s.FailingMain, w.s.CanceledMain})
	if w.s.Run == engine.RunCanceling || w.s.Run == engine.RunPaused {
		require.Empty(w.t, w.ready, "a canceling or paused run offers work")
		require.Empty(w.t, w.backoff)
	}
}

func (w *world) checkBudgets(i int, tk *engine.Task) {
	r := &w.g.Task(w.s, int32(i)).Retry
	require.LessOrEqual(w.t, int(tk.UsedUser), r.User)
	require.LessOrEqual(w.t, int(tk.UsedInfra), r.Infra)
	require.LessOrEqual(w.t, int(tk.UsedPreempt), r.Preempt)
	require.LessOrEqual(w.t, int(tk.Rejected), 10)
	started := w.grants[grantKey{w.s.Generation, int32(i)}]
	suspended := w.paused[grantKey{w.s.Generation, int32(i)}]
	require.LessOrEqual(w.t, started, 1+suspended+int(tk.UsedUser+tk.UsedInfra+tk.UsedPreempt+tk.Rejected))
}

func (w *world) checkEnd() {
	require.Equal(w.t, w.s.Outcome, w.s.Run, "the outcome was rewritten")
	require.Equal(w.t, w.outcome(), w.s.Outcome)
	require.False(w.t, w.s.FinishedAt.IsZero())
	require.Empty(w.t, w.leases)
	for i := range w.s.Tasks {
		tk := w.s.Tasks[i].State
		if int32(i) >= w.g.Own() {
			require.True(w.t, tk.Terminal() || w.stale(int32(i)), "a terminal run with an inner task that is not")
			continue
		}
		when := w.g.Plan.Tasks[i].Exit
		require.True(w.t, tk.Terminal(), "a terminal run with a task that is not")
		if w.s.Run == engine.RunSucceeded && when == "" {
			require.False(w.t, tk.Failing(), "a succeeded run with a failed task")
		}
		ran := tk != engine.TaskCanceled && (w.s.Tasks[i].Attempt > 0 || engine.Holds(&w.g.Plan.Tasks[i]))
		due := when == plan.ExitAlways || string(when) == w.s.Outcome.String()
		if when != "" && due && !w.s.Forced && !w.s.StartedAt.IsZero() && (w.s.Seed == nil || w.s.Seed.Only == nil) {
			require.True(w.t, ran, "the run ended without its exit handler %d", i)
		}
	}
}
