package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// toldRecordings are lives with every kind of entry and every outcome. Whoever
// adds a kind adds a life with it.
func toldRecordings(t *testing.T) map[string]*world {
	t.Helper()
	out := map[string]*world{}
	life := func(name string, p *plan.Plan, tell func(s *story)) {
		s := &story{newWorld(t, p)}
		tell(s)
		require.NotEmpty(t, s.journal)
		out[name] = s.world
	}
	retried := task("a")
	retried.Retry = plan.Retry{User: 2, Infra: 5, Preempt: 1, Base: 1000, FactorMilli: 2000, Jitter: plan.JitterFull}
	life("outcomes", tasks(retried, task("b", 0)), func(s *story) {
		s.start()
		for _, o := range []engine.Outcome{
			engine.OutcomeFailed, engine.OutcomeTimedOut, engine.OutcomeLost, engine.OutcomePreempted, engine.OutcomeRejected,
			engine.OutcomeSuspended, engine.OutcomeCanceled, engine.OutcomeSucceeded,
		} {
			for len(s.ready) == 0 {
				require.True(t, s.tick())
			}
			s.grant(0)
			s.now = s.now.Add(7 * time.Millisecond)
			s.world.start(0)
			s.now = s.now.Add(1500 * time.Millisecond)
			s.ends(0, o)
			if o == engine.OutcomeSuspended {
				s.grants[grantKey{1, 0}]-- // no budget pays for that one
			}
		}
		s.ends(1, engine.OutcomeRefused)
	})
	life("rules", tasks(task("a"), task("b", 0), task("c", 1), handler("page", plan.ExitFailed), handler("thank", plan.ExitSucceeded)),
		func(s *story) {
			s.start()
			s.ends(0, engine.OutcomeSkipped)
			s.ends(4, engine.OutcomeSucceeded)
		})
	life("retried", tasks(task("a"), task("b", 0), handler("tidy", plan.ExitAlways)), func(s *story) {
		s.start()
		s.ends(0, engine.OutcomeFailed)
		s.ends(2, engine.OutcomeSucceeded)
		s.retry()
		s.ends(0, engine.OutcomeSucceeded)
		s.ends(1, engine.OutcomeSucceeded)
		s.ends(2, engine.OutcomeFailed)
	})
	life("canceled", tasks(task("live"), task("ready"), task("later", 1), handler("tidy", plan.ExitAlways)), func(s *story) {
		s.start()
		s.grant(0)
		s.say(engine.Cancel{Now: s.now, Actor: "usr_a", Reason: "wrong data", Live: s.live()})
		s.ends(0, engine.OutcomeCanceled)
		s.ends(3, engine.OutcomeSucceeded)
	})
	life("canceled-early", tasks(task("a"), handler("tidy", plan.ExitAlways)), func(s *story) { s.cancel(false) })
	life("forced", tasks(task("a"), task("b", 0), handler("tidy", plan.ExitAlways)), func(s *story) {
		s.start()
		s.grant(0)
		s.cancel(true)
	})
	stop := tasks(task("a"), task("b"), task("c", 1))
	stop.OnFailure = plan.OnFailureCancel
	life("stopped", stop, func(s *story) {
		s.start()
		s.grant(1)
		s.ends(0, engine.OutcomeFailed)
		s.ends(1, engine.OutcomeCanceled)
	})
	late := tasks(task("a"), plan.Task{Name: "b", Timeouts: plan.Timeouts{Queue: 1000}, Tolerate: true}, handler("tidy", plan.ExitAlways))
	late.Deadline = 5000
	life("deadlines", late, func(s *story) {
		s.start()
		s.grant(0)
		for s.s.Run == engine.RunRunning {
			require.True(t, s.tick())
		}
		s.ends(0, engine.OutcomeCanceled)
		s.grant(2)
		for !s.s.ExitDeadlinePassed {
			require.True(t, s.tick())
		}
		s.ends(2, engine.OutcomeCanceled)
	})
	life("paused", tasks(task("a"), waiting("b", 3000), signaled("c", "data"), approval("d", plan.Approve{}), approval("e", plan.Approve{})),
		func(s *story) {
			s.start()
			s.pause()
			s.resume()
			s.grant(0)
			s.suspend()
			s.ends(0, engine.OutcomeSuspended)
			s.grants[grantKey{1, 0}]--
			s.resume()
			s.ends(0, engine.OutcomeSucceeded)
			s.now = s.now.Add(time.Hour)
			s.over(1)
			s.signal("data", "1")
			s.vote(3, "usr_b", false)
			s.vote(4, "usr_b", true)
		})
	life("dropped", tasks(task("a"), handler("tidy", plan.ExitAlways)), func(s *story) {
		s.must(engine.Queue{Now: s.now, Actor: "usr_a", Reason: engine.HoldConcurrency})
		s.must(engine.Drop{Now: s.now, Reason: "a newer run waits in its place"})
	})
	mapped := task("m")
	mapped.ForEach = &plan.ForEach{Items: "${{ params.items }}", MaxParallel: 2}
	life("mapped", tasks(mapped, task("after", 0)), func(s *story) {
		s.start()
		s.answer(0, 3)
		for len(s.ready) > 0 {
			task := sortedKeys(s.ready)[0]
			s.grant(task)
			s.must(s.report(task, engine.OutcomeSucceeded, 0))
		}
		require.True(t, s.s.Run.Terminal())
	})
	life("mapped-canceled", tasks(mapped, task("after", 0)), func(s *story) {
		s.start()
		s.answer(0, 5)
		task := sortedKeys(s.ready)[0]
		s.grant(task)
		s.must(engine.Cancel{Now: s.now, Live: s.live()})
		s.must(s.report(task, engine.OutcomeCanceled, 0))
	})
	first := tell(t, steps(task("a"), task("b", 0)))
	first.start()
	first.ends(0, engine.OutcomeSucceeded)
	first.ends(1, engine.OutcomeFailed)
	w, _ := resumed(t, first.world, steps(task("a"), task("b", 0)), nil, nil)
	out["resumed"] = w
	return out
}

// answer is an agent's word on how many items there are.
func (s *story) answer(task int32, count int) {
	s.grant(task)
	r := s.report(task, engine.OutcomeSucceeded, 0)
	r.Answer = &engine.Answer{Yes: true, Count: count}
	s.must(r)
}
