package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func (s *story) pause() string { return s.say(engine.Pause{Now: s.now, Live: s.live()}) }

func (s *story) suspend() string {
	return s.say(engine.Pause{Now: s.now, Suspend: true, Live: s.live()})
}

func (s *story) resume() string { return s.say(engine.Resume{Now: s.now, Live: s.live()}) }

func TestStoryOfAPause(t *testing.T) {
	t.Parallel()
	ready := task("ready")
	ready.Timeouts.Queue = 5000
	s := tell(t, tasks(task("live"), ready, task("later", 0)))
	require.Equal(t, "refused: the run has not started yet", s.pause())
	s.start()
	s.grant(0)
	require.Empty(t, s.resume(), "it runs")
	require.Equal(t, "run_paused; closes ready; run paused", s.pause())
	require.Empty(t, s.pause())
	require.Equal(t, "live succeeded", s.ends(0, engine.OutcomeSucceeded), "what runs runs on; what it frees waits")
	s.now = s.now.Add(time.Hour)
	require.Empty(t, s.say(engine.QueueTimeout{Now: s.now, Task: 1, Attempt: 1, Live: s.live()}), "nobody can take it")
	require.Equal(t, "run_resumed; opens ready#1; opens later#1; sets queue in 5s; run running", s.resume())
	require.Empty(t, s.say(engine.QueueTimeout{Now: s.now, Task: 1, Attempt: 1, Live: s.live()}), "the queue's clock began anew")
}

func TestStoryOfASuspend(t *testing.T) {
	t.Parallel()
	a := task("a")
	a.Retry = plan.Retry{Infra: 1}
	s := tell(t, tasks(a, task("b")))
	s.start()
	s.grant(0)
	require.Equal(t, "run_suspended; closes b; stops a#1; run paused suspended", s.suspend())
	require.Empty(t, s.suspend())
	require.Empty(t, s.pause())
	require.Equal(t, "a open (suspended)", s.ends(0, engine.OutcomeCanceled))
	require.Zero(t, s.s.Tasks[0].UsedInfra, "it costs nothing")
	require.Equal(t, "run_resumed; opens a#2; opens b#1; run running", s.resume())

	s.now = s.now.Add(time.Second)
	s.grant(0)
	require.Equal(t, "run_suspended; closes b; stops a#2; run paused suspended", s.suspend())
	s.now = s.now.Add(time.Second)
	require.Equal(t, "run_resumed; opens b#1; run running", s.resume())
	require.Equal(t, "a open (suspended); opens a#3", s.ends(0, engine.OutcomeCanceled), "it was told to stop before the resume")
	s.now = s.now.Add(time.Second)
	s.grant(0)
	require.Equal(t, "a open (the agent gave it up); opens a#4", s.ends(0, engine.OutcomeCanceled), "nobody told it to stop")
}

func TestStoryOfASuspendOfAPausedRun(t *testing.T) {
	t.Parallel()
	s := tell(t, tasks(task("a")))
	s.start()
	s.grant(0)
	require.Equal(t, "run_paused; run paused", s.pause())
	require.Equal(t, "run_suspended; stops a#1; run paused suspended", s.suspend())
	require.Equal(t, "a succeeded", s.ends(0, engine.OutcomeSucceeded), "it was faster")
	require.Equal(t, "run_resumed; run succeeded", s.resume(), "it ends when it goes on")
	require.Equal(t, "refused: the run is succeeded", s.pause())
	require.Equal(t, "refused: the run is succeeded", s.resume())
}

func TestStoryOfACancelWhilePaused(t *testing.T) {
	t.Parallel()
	s := tell(t, tasks(task("live"), task("ready"), task("later", 0)))
	s.start()
	s.grant(0)
	s.pause()
	require.Equal(t, "run_canceled; ready canceled (the run was canceled); later canceled (the run was canceled); closes ready; "+
		"stops live#1; run canceling canceled", s.cancel(false))
	require.Equal(t, "refused: the run is being canceled", s.pause())
	require.Equal(t, "refused: the run is canceling, not paused", s.resume())
	require.Equal(t, "live canceled (canceled); run canceled canceled", s.ends(0, engine.OutcomeCanceled))

	s = tell(t, tasks(task("a"), handler("tidy", plan.ExitAlways))) // nothing is left to do but to end
	s.start()
	s.pause()
	s.grantPaused(0)
	s.ends(0, engine.OutcomeSucceeded)
	require.Equal(t, "run_canceled; opens tidy#1; sets exit_deadline in 1h0m0s; run finalizing canceled", s.cancel(false))
	require.Equal(t, "refused: only the exit handlers of the run are left", s.pause())
}

// grantPaused is a claim that was faster than the pause.
func (s *story) grantPaused(task int32) {
	s.fence++
	s.leases[task] = engine.Lease{Task: task, Attempt: s.s.Tasks[task].Attempt, ID: s.fence, Granted: s.now}
}

// A failure that stops the others does so while the run is paused, too.
func TestStoryOfAFailureWhilePaused(t *testing.T) {
	t.Parallel()
	p := tasks(task("bad"), task("live"), task("ready"))
	p.OnFailure = plan.OnFailureCancel
	s := tell(t, p)
	s.start()
	s.grant(0)
	s.grant(1)
	s.pause()
	require.Equal(t, "bad failed (exit code 1); ready canceled (cancel_running); closes ready; stops live#1; run paused",
		s.ends(0, engine.OutcomeFailed))
	s.ends(1, engine.OutcomeCanceled)
	require.Equal(t, "run_resumed; run failed bad failed", s.resume())
}

// The deadline of a paused run goes on.
func TestStoryOfADeadlineWhilePaused(t *testing.T) {
	t.Parallel()
	p := tasks(task("a"))
	p.Deadline = 60_000
	s := tell(t, p)
	s.start()
	require.Equal(t, "run_paused; closes a; sets deadline in 1m0s; run paused", s.pause())
	s.now = s.now.Add(time.Minute)
	require.Equal(t, "deadline_passed; a failed (the deadline passed); closes a; run failed the deadline passed",
		s.say(engine.Deadline{Now: s.now}))
}

// A pause that comes late does not undo the resume after it.
func TestStoryOfALatePause(t *testing.T) {
	t.Parallel()
	s := tell(t, tasks(task("a")))
	s.start()
	late := engine.Pause{Now: s.now, Seen: s.s.Seq}
	s.say(late)
	again := engine.Resume{Now: s.now, Seen: s.s.Seq}
	s.say(again)
	require.Empty(t, s.say(late))
	require.Equal(t, engine.RunRunning, s.s.Run)
	s.pause()
	require.Empty(t, s.say(again))
	require.Equal(t, engine.RunPaused, s.s.Run)
}
