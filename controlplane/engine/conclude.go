package engine

import (
	"cmp"
	"strconv"
	"time"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// advance moves the run on when its last main task or exit handler has ended.
func (s *State) advance(g *Graph, at time.Time, fx *effects) error {
	if s.LeftMain == 0 && (s.Run == RunRunning || s.Run == RunCanceling) {
		if err := s.finalize(g, at, fx); err != nil {
			return err
		}
	}
	if s.Run == RunFinalizing && s.LeftExit == 0 {
		return s.finish(at)
	}
	return nil
}

// finalize fixes the outcome and lets the exit handlers go that wait for it.
func (s *State) finalize(g *Graph, at time.Time, fx *effects) error {
	if err := s.move(RunEventMainsDone); err != nil {
		return err
	}
	s.FinalizingAt = at.UTC()
	switch {
	case s.CancelRequested:
		s.Outcome = RunCanceled
	case s.DeadlinePassed:
		s.Outcome = RunFailed
	case s.FailingMain > 0:
		s.Outcome, s.Reason = RunFailed, s.blame(g)
	default:
		s.Outcome = RunSucceeded
	}
	if g.exits == 0 {
		return nil
	}
	for i := range g.nodes[:g.top] {
		switch {
		case g.nodes[i].exit == "" || s.Tasks[i].State.Terminal(): // left out, see Seed.Only
		case !s.Forced && waitsFor(g.nodes[i].exit, s.Outcome):
			s.run(g, int32(i), at, fx)
		default:
			fx.end(int32(i), NoTask)
		}
	}
	return nil
}

// waitsFor reports whether an exit handler runs at the outcome.
func waitsFor(exit plan.ExitOn, outcome RunState) bool {
	return exit == plan.ExitAlways || string(exit) == outcome.String()
}

// blame names the first failed task in the order of the file, so that the
// reason does not depend on which of several failed first.
func (s *State) blame(g *Graph) string {
	var failed int
	first := NoTask
	for _, want := range []TaskState{TaskFailed, TaskUpstreamFailed, TaskCanceled} {
		for i := range s.Tasks[:g.top] {
			if s.Tasks[i].State == want && g.nodes[i].exit == "" {
				failed++
				if first == NoTask {
					first = int32(i)
				}
			}
		}
		if failed > 0 {
			break
		}
	}
	if first == NoTask {
		return ""
	}
	reason := g.nodeName(first) + " " + cmp.Or(s.rejection(first), s.Tasks[first].State.String())
	if failed > 1 {
		reason += " and " + strconv.Itoa(failed-1) + " more"
	}
	return reason
}

func (s *State) finish(at time.Time) error {
	event := RunEventSucceed
	switch s.Outcome {
	case RunFailed:
		event = RunEventFail
	case RunCanceled:
		event = RunEventEndCanceled
	case RunPending, RunRunning, RunPaused, RunCanceling, RunFinalizing, RunSucceeded, RunDropped:
	}
	s.FinishedAt = at.UTC()
	return s.move(event)
}
