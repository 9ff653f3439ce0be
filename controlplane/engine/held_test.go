package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func waiting(name string, ms plan.Millis, needs ...int) plan.Task {
	return plan.Task{Name: name, Needs: needs, Wait: &plan.Wait{For: ms}}
}

func signaled(name, signal string, needs ...int) plan.Task {
	return plan.Task{Name: name, Needs: needs, Signal: &plan.Signal{Name: signal, Type: "string"}}
}

func approval(name string, a plan.Approve, needs ...int) plan.Task {
	return plan.Task{Name: name, Needs: needs, Approve: &a}
}

func (s *story) over(task int32) string {
	return s.say(engine.HoldOver{Now: s.now, Task: task, Live: s.live()})
}

func (s *story) signal(name, key string) string {
	return s.say(engine.Signal{Now: s.now, Actor: "usr_a", Name: name, Key: key, Live: s.live()})
}

func (s *story) vote(task int32, who string, reject bool) string {
	return s.say(engine.Vote{Now: s.now, Task: task, Actor: who, Reject: reject, Requester: "usr_a", Live: s.live()})
}

func TestStoryOfAWait(t *testing.T) {
	t.Parallel()
	s := tell(t, tasks(task("a"), waiting("pause", 3000, 0), task("b", 1)))
	s.start()
	require.Equal(t, "a succeeded; sets hold in 3s", s.ends(0, engine.OutcomeSucceeded))
	require.Equal(t, "held", s.s.Tasks[1].Display(false, s.now))
	require.Empty(t, s.over(1), "not yet")
	s.now = s.now.Add(time.Hour) // nobody was there to look
	require.Equal(t, "pause succeeded; opens b#1; closes pause", s.over(1))
	require.Empty(t, s.over(1))
	require.Empty(t, s.over(0))
	require.Empty(t, s.over(-1))
}

// A wait goes on while its run is paused; what hangs on it waits for the resume.
func TestStoryOfAWaitWhilePaused(t *testing.T) {
	t.Parallel()
	s := tell(t, tasks(waiting("pause", 3000), task("b", 0), waiting("more", 5000, 0)))
	s.start()
	s.pause()
	s.now = s.now.Add(time.Minute)
	require.Equal(t, "pause succeeded; closes pause", s.over(0))
	require.Equal(t, "run_resumed; opens b#1; sets hold in 5s; run running", s.resume())
}

func TestStoryOfAHeldTaskThatIsStopped(t *testing.T) {
	t.Parallel()
	s := tell(t, tasks(waiting("pause", 3000), signaled("data", "data")))
	s.start()
	require.Equal(t, "run_canceled; pause canceled (the run was canceled); data canceled (the run was canceled); "+
		"closes pause; closes data; run canceled canceled", s.cancel(false))
	require.Equal(t, "refused: the run is canceled", s.signal("data", "1"))
	require.Equal(t, "run_retried; sets hold in 3s; run running", s.retry())

	p := tasks(task("bad"), approval("gate", plan.Approve{}))
	p.OnFailure, p.Deadline = plan.OnFailureStop, 60_000
	s = tell(t, p)
	s.start()
	require.Equal(t, "bad failed (exit code 1); gate canceled (stop_scheduling); closes gate; run failed bad failed", s.ends(0, engine.OutcomeFailed))
	s = tell(t, p)
	s.start()
	s.ends(0, engine.OutcomeSucceeded)
	require.Equal(t, "deadline_passed; gate failed (the deadline passed); closes gate; run failed the deadline passed",
		s.say(engine.Deadline{Now: s.now.Add(time.Minute)}))
}

func TestStoryOfSignals(t *testing.T) {
	t.Parallel()
	s := tell(t, tasks(task("a"), signaled("one", "data", 0), signaled("two", "data"), signaled("three", "data", 0)))
	require.Equal(t, "refused: no task of the pipeline waits for a signal \"date\"", s.signal("date", ""))
	require.Equal(t, "signal_received", s.signal("data", "early"), "before the run has even begun")
	require.Equal(t, "run_started; two succeeded; opens a#1; closes two; run running", s.start())
	require.Equal(t, "signal_received", s.signal("data", "1"), "before anybody waits for it")
	require.Empty(t, s.signal("data", "1"), "the same again")
	require.Empty(t, s.signal("data", "early"))
	require.Equal(t, "a succeeded; one succeeded; closes one", s.ends(0, engine.OutcomeSucceeded))
	require.Equal(t, int64(4), s.journal[len(s.journal)-1].Detail.From)
	require.Equal(t, "signal_received; three succeeded; closes three; run succeeded", s.signal("data", ""))
	require.Empty(t, s.signal("data", "1"), "a repetition is fine after the end, too")
	require.Equal(t, "refused: the run is succeeded", s.signal("data", "2"))
}

// Who came first is served first.
func TestStoryOfSeveralWhoWaitForASignal(t *testing.T) {
	t.Parallel()
	s := tell(t, tasks(task("a"), signaled("late", "data", 0), signaled("early", "data"), signaled("early too", "data")))
	s.start()
	s.ends(0, engine.OutcomeSucceeded)
	require.Equal(t, "signal_received; early succeeded; closes early", s.signal("data", ""))
	require.Equal(t, "signal_received; early too succeeded; closes early too", s.signal("data", ""))
	require.Equal(t, "signal_received; late succeeded; closes late; run succeeded", s.signal("data", ""))
}

func TestStoryOfASignalThatDoesNotCome(t *testing.T) {
	t.Parallel()
	for how, want := range map[plan.OnTimeout]string{
		"":                  `data failed (no signal "data" came in time); b upstream_failed (rule all_success: data failed); closes data; run failed data failed`,
		plan.OnTimeoutSkip:  `data skipped (no signal "data" came in time); b skipped (rule all_success: data skipped); closes data; run succeeded`,
		plan.OnTimeoutFail:  `data failed (no signal "data" came in time); b upstream_failed (rule all_success: data failed); closes data; run failed data failed`,
		plan.OnTimeout("?"): "",
	} {
		if want == "" {
			continue
		}
		data := signaled("data", "data")
		data.Signal.Timeout, data.Signal.OnTimeout = 3000, how
		s := tell(t, tasks(data, task("b", 0)))
		require.Equal(t, "run_started; sets hold in 3s; run running", s.start())
		s.now = s.now.Add(3 * time.Second)
		require.Equal(t, want, s.over(0))
	}
}

func TestStoryOfAnApproval(t *testing.T) {
	t.Parallel()
	gate := plan.Approve{Required: 2, NotRequester: true, Timeout: 60_000}
	s := tell(t, tasks(task("a"), approval("gate", gate, 0), task("b", 1)))
	s.start()
	require.Equal(t, "refused: the task is no approval", s.vote(0, "usr_b", false))
	require.Equal(t, "refused: the task is no approval", s.vote(9, "usr_b", false))
	require.Equal(t, "refused: the approval is not asked for yet", s.vote(1, "usr_b", false))
	require.Equal(t, "a succeeded; sets hold in 1m0s", s.ends(0, engine.OutcomeSucceeded))
	require.Equal(t, "refused: whoever asked for the run does not decide on it: another pair of eyes must", s.vote(1, "usr_a", false))
	require.Equal(t, "gate held", s.vote(1, "usr_b", false))
	require.Empty(t, s.vote(1, "usr_b", false), "one vote each")
	require.Equal(t, "gate held; gate succeeded (approved by usr_b, usr_c); opens b#1; closes gate", s.vote(1, "usr_c", false))
	require.Empty(t, s.vote(1, "usr_c", false), "a repetition is fine after the end, too")
	require.Equal(t, "refused: the approval is closed: it succeeded", s.vote(1, "usr_d", false))
	require.Equal(t, "refused: the approval is closed: it succeeded", s.vote(1, "usr_b", true))
}

func TestStoryOfARejection(t *testing.T) {
	t.Parallel()
	s := tell(t, tasks(approval("gate", plan.Approve{Required: 2}), task("b", 0)))
	s.start()
	s.vote(0, "usr_b", false)
	require.Equal(t, "gate held; gate failed (rejected by usr_b); b upstream_failed (rule all_success: gate failed); closes gate; "+
		"run failed gate rejected by usr_b", s.vote(0, "usr_b", true), "the last word counts")
	require.Equal(t, []engine.Ballot{{Actor: "usr_b", Reject: true, At: s.s.Votes[0][0].At}}, s.s.Votes[0])

	require.Equal(t, "run_retried; run running", s.say(engine.Retry{Now: s.now, Actor: "usr_c"}))
	require.Empty(t, s.s.Votes)
	require.Empty(t, s.say(engine.Vote{Now: s.now, Actor: "usr_b", Reject: true, Generation: 1}), "it meant the first generation")

	s = tell(t, tasks(approval("gate", plan.Approve{OnReject: plan.OnTimeoutSkip}), task("b", 0)))
	s.start()
	require.Equal(t, "gate held; gate skipped (rejected by usr_b); b skipped (rule all_success: gate skipped); closes gate; run succeeded",
		s.vote(0, "usr_b", true))
}

// Whoever retries a run asks for it, too.
func TestStoryOfFourEyesAfterARetry(t *testing.T) {
	t.Parallel()
	s := tell(t, tasks(approval("gate", plan.Approve{NotRequester: true})))
	s.start()
	s.vote(0, "usr_b", true)
	s.say(engine.Retry{Now: s.now, Actor: "usr_c"})
	for _, who := range []string{"usr_a", "usr_c"} {
		require.Contains(t, s.vote(0, who, false), "refused: whoever asked for the run")
	}
	require.Equal(t, "gate held; gate succeeded (approved by usr_b); closes gate; run succeeded", s.vote(0, "usr_b", false))
}

func TestStoryOfAnApprovalInVain(t *testing.T) {
	t.Parallel()
	for how, want := range map[plan.OnTimeout]string{
		"":                     "gate failed (not approved in time: 1 of 2); closes gate; run failed gate failed",
		plan.OnTimeoutSkip:     "gate skipped (not approved in time: 1 of 2); closes gate; run succeeded",
		plan.OnTimeoutApprove:  "gate succeeded (not approved in time: 1 of 2); closes gate; run succeeded",
		plan.OnTimeout("fail"): "gate failed (not approved in time: 1 of 2); closes gate; run failed gate failed",
	} {
		s := tell(t, tasks(approval("gate", plan.Approve{Required: 2, Timeout: 3000, OnTimeout: how})))
		s.start()
		s.vote(0, "usr_b", false)
		s.now = s.now.Add(3 * time.Second)
		require.Equal(t, want, s.over(0))
	}
}

// An exit handler may wait as well.
func TestStoryOfAnExitHandlerThatWaits(t *testing.T) {
	t.Parallel()
	rest := handler("rest", plan.ExitAlways)
	rest.Wait = &plan.Wait{For: 3000}
	s := tell(t, tasks(task("a"), rest))
	s.start()
	require.Equal(t, "a succeeded; sets hold in 3s; sets exit_deadline in 1h0m0s; run finalizing", s.ends(0, engine.OutcomeSucceeded))
	s.now = s.now.Add(3 * time.Second)
	require.Equal(t, "rest succeeded; closes rest; run succeeded", s.over(1))
}

// A task that an agent is asked about first is open, not held.
func TestATaskThatAsksIsOpen(t *testing.T) {
	t.Parallel()
	until := plan.Task{Name: "until", Wait: &plan.Wait{Until: "${{ params.at }}"}}
	gate := approval("gate", plan.Approve{Message: "Promote?"})
	maybe := signaled("maybe", "data")
	maybe.If = "params.wait"
	s := tell(t, tasks(until, gate, maybe))
	require.Equal(t, "run_started; opens until#-1; opens gate#-1; opens maybe#-1; run running", s.start())
	require.Equal(t, "refused: the approval is not asked for yet", s.vote(1, "usr_b", false))
}

// What a signal brought is read where its task ended, not where it was decided
// that it waits; also in the next generation.
func TestASignalThatWasAskedForEndsWhereItCame(t *testing.T) {
	t.Parallel()
	maybe := signaled("maybe", "data")
	maybe.If = "params.wait"
	w := newWorld(t, tasks(maybe, task("b", 0)))
	w.answer = func() engine.Answer { return engine.Answer{Yes: true} }
	w.must(engine.Start{Now: w.now})
	w.grant(0)
	w.must(w.report(0, engine.OutcomeSucceeded, 0))
	require.Equal(t, engine.TaskHeld, w.s.Tasks[0].State)
	require.Zero(t, w.s.Tasks[0].EndSeq)
	w.must(engine.Signal{Now: w.now, Name: "data"})
	end := w.journal[len(w.journal)-1]
	require.Equal(t, engine.KindTaskEnded, end.Kind)
	require.Equal(t, end.Seq, w.s.Tasks[0].EndSeq)
	require.Equal(t, end.Seq-1, end.Detail.From)
}

func TestDetailsAreKept(t *testing.T) {
	t.Parallel()
	for _, d := range []*engine.Detail{nil, {}, {Name: "data", Key: "1"}, {From: 7}, {Until: 1_700_000_000_000}} {
		b, err := d.Encode()
		require.NoError(t, err)
		got, err := engine.DecodeDetail(b)
		require.NoError(t, err)
		require.Equal(t, d, got)
	}
	_, err := engine.DecodeDetail([]byte("{"))
	require.Error(t, err)
}
