package engine

import "time"

// What keeps a run from beginning, as its reason says it. People are told more:
// which key, at what position, behind which run; that stands in other rows and
// changes without the run.
const (
	HoldStartAt     = "start_at"        // its time has not come
	HoldConcurrency = "concurrency"     // others of its line go first
	HoldBlocked     = "blocked_by"      // a failed run holds its line up
	HoldPaused      = "pipeline_paused" // the pipeline starts no runs
)

// Queue lets a run that has not begun wait; Reason says for what. The same
// reason again decides nothing.
//
// Refusals: RunTerminal.
type Queue struct {
	Now    time.Time
	Actor  string
	Reason string
}

// Drop ends a run that has not begun, by a policy and not by a person. It
// decides nothing about a run that began, or was dropped.
type Drop struct {
	Now    time.Time
	Reason string
}

func (c Queue) now() time.Time { return c.Now }
func (c Drop) now() time.Time  { return c.Now }

func (x *decider) queue(c *Queue) error {
	switch {
	case x.s.Run.Terminal() && x.s.StartedAt.IsZero():
		return refuse(RefusedRunTerminal, "the run is "+x.s.Run.String()+" and never started")
	case x.s.Run != RunPending || (x.s.Seq > 0 && x.s.Reason == c.Reason):
		return nil
	}
	return x.emit(Entry{Kind: KindRunQueued, Task: NoTask, Actor: c.Actor, Reason: c.Reason})
}

func (x *decider) drop(c *Drop) error {
	if x.s.Run != RunPending {
		return nil
	}
	return x.emit(Entry{Kind: KindRunDropped, Task: NoTask, Cause: CauseControl, Reason: c.Reason})
}

func applyQueued(s *State, e *Entry) error {
	if s.Run != RunPending {
		return &TransitionError{Machine: "run", State: s.Run.String(), Event: "queue"}
	}
	s.Reason = e.Reason
	return nil
}

// applyDropped ends a run that never began: as one that was canceled then, but
// it is neither anybody's wish nor a failure.
func applyDropped(g *Graph, s *State, e *Entry) error {
	if err := s.move(RunEventDrop); err != nil {
		return err
	}
	s.endPending(g, e.At)
	s.Outcome, s.Reason = RunDropped, e.Reason
	return nil
}
