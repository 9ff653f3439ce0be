package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// story is a world whose decisions are read as lines of text.
type story struct{ *world }

func tell(t *testing.T, p *plan.Plan) *story {
	t.Helper()
	return &story{newWorld(t, p)}
}

func tasks(list ...plan.Task) *plan.Plan { return &plan.Plan{Tasks: list} }

// say decides and returns what was written and told.
func (s *story) say(c engine.Command) string {
	d, err := s.do(c)
	if err != nil {
		return "refused: " + err.Error()
	}
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	name := func(i int32) string { return s.g.Plan.Tasks[i].Name }
	for _, e := range d.Entries {
		switch {
		case e.Task == engine.NoTask:
			add("%s", e.Kind)
		case e.Reason == "":
			add("%s %s", name(e.Task), e.Next)
		default:
			add("%s %s (%s)", name(e.Task), e.Next, e.Reason)
		}
	}
	for _, o := range d.Opened {
		if o.Wait {
			add("opens %s#%d in %s", name(o.Task), o.Attempt, o.At.Sub(s.now))
		} else {
			add("opens %s#%d", name(o.Task), o.Attempt)
		}
	}
	for _, i := range d.Closed {
		add("closes %s", name(i))
	}
	for _, stop := range d.Stop {
		add("stops %s#%d", name(stop.Task), stop.Attempt)
	}
	for _, timer := range d.Timers {
		add("sets %s in %s", timer.Kind, timer.At.Sub(s.now))
	}
	if d.RunChanged {
		add("run %s", strings.TrimSpace(s.s.Run.String()+" "+s.s.Reason))
	}
	return strings.Join(lines, "; ")
}

func (s *story) start() string { return s.say(engine.Start{Now: s.now}) }

// ends takes a task and ends it.
func (s *story) ends(task int32, o engine.Outcome) string {
	if _, live := s.leases[task]; !live {
		s.grant(task)
	}
	return s.say(s.report(task, o, 1))
}

func (s *story) cancel(force bool) string {
	return s.say(engine.Cancel{Now: s.now, Force: force, Live: s.live()})
}

func (s *story) retry() string { return s.say(engine.Retry{Now: s.now}) }

func TestStoryOfAChain(t *testing.T) {
	t.Parallel()
	s := tell(t, tasks(task("a"), task("b", 0), task("c", 1)))
	require.Equal(t, "run_started; opens a#1; run running", s.start())
	require.Empty(t, s.start())
	require.Equal(t, "a succeeded; opens b#1", s.ends(0, engine.OutcomeSucceeded))
	require.Equal(t, "b skipped (exit code 77); c skipped (rule all_success: b skipped); run succeeded",
		s.ends(1, engine.OutcomeSkipped))
	require.Equal(t, "refused: the run is succeeded", s.cancel(false))
	require.Equal(t, "refused: every task of the run succeeded", s.retry())
}

func TestStoryOfAFailure(t *testing.T) {
	t.Parallel()
	cleanup := task("cleanup", 1)
	cleanup.Rule = plan.RuleAllDone
	s := tell(t, tasks(task("a"), task("b", 0), cleanup, task("other"),
		handler("page", plan.ExitFailed), handler("thank", plan.ExitSucceeded), handler("tidy", plan.ExitAlways)))
	require.Equal(t, "run_started; opens a#1; opens other#1; run running", s.start())
	require.Equal(t, "a failed (exit code 1); b upstream_failed (rule all_success: a failed); opens cleanup#1; run running",
		s.ends(0, engine.OutcomeFailed))
	s.ends(2, engine.OutcomeSucceeded)
	require.Equal(t, "other succeeded; thank skipped (on_exit succeeded: the run is failed); opens page#1; "+
		"opens tidy#1; sets exit_deadline in 1h0m0s; run finalizing a failed",
		s.ends(3, engine.OutcomeSucceeded))
	require.Equal(t, "refused: only the exit handlers of the run are left; force ends them", s.cancel(false))
	s.ends(4, engine.OutcomeSucceeded)
	require.Equal(t, "tidy failed (exit code 1); run failed a failed", s.ends(6, engine.OutcomeFailed))
	require.EqualValues(t, 1, s.s.FailedExit)

	require.Equal(t, "run_retried; opens a#2; run running", s.retry())
	require.Equal(t, "a succeeded; opens b#1", s.ends(0, engine.OutcomeSucceeded))
	require.Equal(t, "b succeeded; opens cleanup#2", s.ends(1, engine.OutcomeSucceeded))
	require.Equal(t, "cleanup succeeded; page skipped (on_exit failed: the run is succeeded); opens thank#1; "+
		"opens tidy#2; sets exit_deadline in 1h0m0s; run finalizing", s.ends(2, engine.OutcomeSucceeded))
	s.ends(5, engine.OutcomeSucceeded)
	require.Equal(t, "tidy succeeded; run succeeded", s.ends(6, engine.OutcomeSucceeded))
	require.EqualValues(t, 2, s.s.Generation)
}

func TestStoryOfACancel(t *testing.T) {
	t.Parallel()
	later := task("later", 1)
	later.Rule = plan.RuleAllDone // it would run now, if anything still did
	s := tell(t, tasks(task("live"), task("ready"), later, handler("tidy", plan.ExitAlways)))
	s.start()
	s.grant(0)
	require.Equal(t, "run_canceled; ready canceled (the run was canceled); later canceled (the run was canceled); "+
		"closes ready; stops live#1; run canceling canceled", s.cancel(false))
	require.Empty(t, s.cancel(false))
	require.Equal(t, "live canceled (canceled); opens tidy#1; sets exit_deadline in 1h0m0s; run finalizing canceled",
		s.ends(0, engine.OutcomeCanceled))
	require.Empty(t, s.cancel(false), "it is on its way")
	require.Equal(t, "tidy succeeded; run canceled canceled", s.ends(3, engine.OutcomeSucceeded))
	require.Empty(t, s.cancel(false))
	require.Equal(t, "run_retried; opens live#2; opens ready#2; run running", s.retry())
}

// A lease that ended earlier in the batch is not live any more, although the
// batch had read it.
func TestStoryOfALeaseThatEndedInTheSameBatch(t *testing.T) {
	t.Parallel()
	a := task("a")
	a.Retry = plan.Retry{Infra: 1}
	s := tell(t, tasks(a))
	s.start()
	s.grant(0)
	read := s.live()
	require.Equal(t, "a open (the agent was lost); opens a#2", s.ends(0, engine.OutcomeLost))
	require.Equal(t, "run_canceled; a canceled (the run was canceled); closes a; run canceled canceled",
		s.say(engine.Cancel{Now: s.now, Live: read}))
}

// A success that was under way when the run was canceled stays a success.
func TestStoryOfASuccessWhileCanceling(t *testing.T) {
	t.Parallel()
	s := tell(t, tasks(task("a"), task("b", 0)))
	s.start()
	s.grant(0)
	s.cancel(false)
	require.Equal(t, "a succeeded; run canceled canceled", s.ends(0, engine.OutcomeSucceeded))
	require.Equal(t, "run_retried; opens b#1; run running", s.retry())
}

func TestStoryOfForce(t *testing.T) {
	t.Parallel()
	p := tasks(task("live"), task("ready"), task("later", 0), handler("tidy", plan.ExitAlways))
	s := tell(t, p)
	s.start()
	s.grant(0)
	const end = "live canceled (the run was ended by force); ready canceled (the run was ended by force); " +
		"later canceled (the run was ended by force); tidy canceled (the run was ended by force); " +
		"closes ready; run canceled canceled"
	require.Equal(t, "run_forced; "+end, s.cancel(true))
	require.Empty(t, s.cancel(true))

	s = tell(t, p) // while finalizing it keeps the outcome
	s.start()
	s.ends(0, engine.OutcomeSucceeded)
	s.ends(1, engine.OutcomeSucceeded)
	s.ends(2, engine.OutcomeSucceeded)
	s.grant(3)
	require.Equal(t, "run_forced; tidy canceled (the run was ended by force); run succeeded", s.cancel(true))
}

func TestStoryOfACancelBeforeTheStart(t *testing.T) {
	t.Parallel()
	s := tell(t, tasks(task("a"), handler("tidy", plan.ExitAlways)))
	require.Equal(t, "run_canceled; run canceled canceled before it started", s.cancel(false))
	require.Equal(t, "refused: the run is canceled and never started", s.start())
	require.Equal(t, "run_retried; opens a#1; run running", s.retry())
	require.Equal(t, "a succeeded; opens tidy#1; sets exit_deadline in 1h0m0s; run finalizing",
		s.ends(0, engine.OutcomeSucceeded))
}

func TestStoryOfADeadline(t *testing.T) {
	t.Parallel()
	p := tasks(task("live"), task("ready"), task("later", 0))
	p.Deadline = 60_000
	s := tell(t, p)
	require.Equal(t, "run_started; opens live#1; opens ready#1; sets deadline in 1m0s; run running", s.start())
	s.grant(0)
	require.Empty(t, s.say(engine.Deadline{Now: s.now.Add(59 * time.Second), Live: s.live()}))
	s.now = s.now.Add(time.Minute)
	require.Equal(t, "deadline_passed; ready failed (the deadline passed); later canceled (the deadline passed); "+
		"closes ready; stops live#1; run canceling the deadline passed", s.say(engine.Deadline{Now: s.now, Live: s.live()}))
	require.Equal(t, "live succeeded; run failed the deadline passed", s.ends(0, engine.OutcomeSucceeded))
}

func TestStoryOfExitHandlersThatTakeTooLong(t *testing.T) {
	t.Parallel()
	s := tell(t, tasks(task("a"), handler("live", plan.ExitAlways), handler("ready", plan.ExitAlways)))
	s.start()
	s.ends(0, engine.OutcomeSucceeded)
	s.grant(1)
	s.now = s.now.Add(time.Hour)
	require.Equal(t, "exit_deadline_passed; ready failed (the exit handlers' time is over); closes ready; "+
		"stops live#1; run finalizing", s.say(engine.ExitDeadline{Now: s.now, Live: s.live()}))
	require.Equal(t, "live failed (the agent was lost); run succeeded", s.ends(1, engine.OutcomeLost))
}

func TestStoryOfOnTaskFailure(t *testing.T) {
	t.Parallel()
	later := task("later", 0, 1)
	later.Rule = plan.RuleOneFailed // it would run now, if anything still did
	p := tasks(task("bad"), task("live"), task("ready"), later)
	p.OnFailure = plan.OnFailureStop
	s := tell(t, p)
	s.start()
	s.grant(1)
	require.Equal(t, "bad failed (exit code 1); ready canceled (stop_scheduling); later canceled (stop_scheduling); "+
		"closes ready; run running", s.ends(0, engine.OutcomeFailed))
	require.Equal(t, "live succeeded; run failed bad failed", s.ends(1, engine.OutcomeSucceeded))

	p.OnFailure = plan.OnFailureCancel
	s = tell(t, p)
	s.start()
	s.grant(1)
	require.Equal(t, "bad failed (exit code 1); ready canceled (cancel_running); later canceled (cancel_running); "+
		"closes ready; stops live#1; run running", s.ends(0, engine.OutcomeFailed))
	require.Equal(t, "live canceled (canceled); run failed bad failed", s.ends(1, engine.OutcomeCanceled))
}

func TestStoryOfAQueueTimeout(t *testing.T) {
	t.Parallel()
	a := task("a")
	a.Timeouts.Queue, a.Retry = 5000, plan.Retry{User: 1, Base: 2000}
	s := tell(t, tasks(a, task("b", 0)))
	require.Equal(t, "run_started; opens a#1; sets queue in 5s; run running", s.start())
	require.Equal(t, "a open (exit code 1); opens a#2 in 2s; sets queue in 7s", s.ends(0, engine.OutcomeFailed))
	late := func(now time.Time, attempt int32) string {
		return s.say(engine.QueueTimeout{Now: now, Attempt: attempt, Missing: "no agent in pool gpu", Live: s.live()})
	}
	s.tick()
	require.Empty(t, late(s.now, 2), "not due")
	require.Empty(t, late(s.now.Add(time.Hour), 1), "another attempt")
	s.grant(0)
	require.Empty(t, late(s.now.Add(time.Hour), 2), "somebody took it")
	s.ends(0, engine.OutcomeLost)
	require.Equal(t, engine.RunFailed, s.s.Run)

	s = tell(t, tasks(a, task("b", 0)))
	s.start()
	s.now = s.now.Add(5 * time.Second)
	require.Equal(t, "a failed (queue_timeout: no agent in pool gpu); b upstream_failed (rule all_success: a failed); "+
		"closes a; run failed a failed", late(s.now, 1))
}

func TestStoryOfRepeatedRetries(t *testing.T) {
	t.Parallel()
	s := tell(t, tasks(task("a"), task("b")))
	require.Equal(t, "refused: the run is pending", s.retry())
	s.start()
	s.ends(0, engine.OutcomeFailed)
	require.Equal(t, "refused: the run is running", s.retry())
	s.ends(1, engine.OutcomeFailed)
	require.Equal(t, "a failed and 1 more", s.s.Reason)
	again := engine.Retry{Now: s.now, Generation: 1}
	require.Equal(t, "run_retried; opens a#2; opens b#2; run running", s.say(again))
	require.Empty(t, s.say(again))
	require.Equal(t, "refused: the run has no such generation", s.say(engine.Retry{Now: s.now, Generation: 7}))
	require.Empty(t, s.say(engine.Cancel{Now: s.now, Generation: 1, Live: s.live()}), "it meant the first generation")
}
