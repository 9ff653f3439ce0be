package engine

import (
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// applyRetried opens the next generation: what made the run fail, all that lies
// downstream of it, and the exit handlers start anew. What succeeded elsewhere
// stays, with its outputs. Attempt numbers go on, so that (task, attempt) names
// one attempt for ever; budgets are filled again.
func applyRetried(g *Graph, s *State, e *Entry, fx *effects) error {
	if err := s.move(RunEventRetry); err != nil {
		return err
	}
	s.Generation++
	s.Outcome, s.Reason = RunPending, ""
	s.CancelRequested, s.Forced, s.Halted = false, false, false
	s.DeadlinePassed, s.ExitDeadlinePassed = false, false
	if s.StartedAt.IsZero() { // it was canceled before it started
		s.StartedAt = e.At.UTC()
	}
	s.GenerationAt = e.At.UTC()
	s.FinalizingAt, s.FinishedAt = time.Time{}, time.Time{}

	again := s.retried(g)
	s.LeftMain, s.LeftExit = 0, g.exits
	s.FailingMain, s.CanceledMain, s.FailedExit = 0, 0, 0
	for i := range s.Tasks {
		if !again[i] {
			continue
		}
		s.Tasks[i].reset()
		if !g.isExit(int32(i)) {
			s.LeftMain++
		}
	}
	s.recount(g, again)
	for i := range s.Tasks {
		if again[i] {
			s.touch(g, int32(i), NoTask, e.At, fx)
		}
	}
	return nil
}

// retried marks the tasks that a retry starts anew.
func (s *State) retried(g *Graph) []bool {
	again := make([]bool, len(s.Tasks))
	var work []int32
	for i := range s.Tasks {
		if g.isExit(int32(i)) || s.Tasks[i].State.Failing() {
			again[i] = true
			work = append(work, int32(i))
		}
	}
	for len(work) > 0 {
		i := work[len(work)-1]
		work = work[:len(work)-1]
		for _, d := range g.downstream(i) {
			if !again[d] {
				again[d] = true
				work = append(work, d)
			}
		}
	}
	return again
}

// recount fills the counters of the tasks that start anew from the upstream
// tasks that do not.
func (s *State) recount(g *Graph, again []bool) {
	for i := range s.Tasks {
		if again[i] {
			continue
		}
		for _, d := range g.downstream(int32(i)) {
			if again[d] {
				s.Tasks[d].count(s.Tasks[i].State)
			}
		}
	}
}

func (t *Task) reset() { *t = Task{Attempt: t.Attempt, AvoidAgent: id.Nil} }

// retryable reports whether a retry would start any main task anew.
func (s *State) retryable() bool { return s.FailingMain > 0 }
