package engine

import (
	"cmp"
	"time"
)

// Pause keeps a run from starting anything: what is open and not leased goes
// back, what is leased runs on. With Suspend the live attempts are told to stop,
// too: they end as suspended, which costs no budget. Pausing what is paused
// decides nothing; suspending it stops what still runs.
//
// Holds go on while a run is paused, and so does its deadline: both are moments
// that people promised each other. What waits in a queue waits anew from the
// resume on.
//
// Refusals: RunPending, RunCanceling, RunFinalizing, RunTerminal.
type Pause struct {
	Now     time.Time
	Actor   string
	Reason  string // the asker's words; they are kept in the open
	Suspend bool
	// Seen is the run's seq as the asker saw it, so that a late repetition does
	// not undo a resume that came after it. Zero means whatever is current.
	Seen int64
	Live []Lease // all live leases of the run
}

// Resume lets a paused run go on. Resuming what runs decides nothing.
//
// Refusals: RunNotPaused, RunTerminal.
type Resume struct {
	Now   time.Time
	Actor string
	Seen  int64   // as Pause.Seen
	Live  []Lease // all live leases of the run
}

func (c Pause) now() time.Time  { return c.Now }
func (c Resume) now() time.Time { return c.Now }

func (x *decider) pause(c *Pause) error {
	s := x.s
	if s.overtaken(c.Seen) {
		return nil
	}
	switch s.Run {
	case RunRunning:
	case RunPaused:
		if !c.Suspend || s.Suspended {
			return nil
		}
	case RunPending:
		return refuse(RefusedRunPending, "the run has not started yet")
	case RunCanceling:
		return refuse(RefusedRunCanceling, "the run is being canceled")
	case RunFinalizing:
		return refuse(RefusedRunFinalizing, "only the exit handlers of the run are left")
	case RunSucceeded, RunFailed, RunCanceled, RunDropped:
		return refuse(RefusedRunTerminal, "the run is "+s.Run.String())
	}
	e := Entry{Kind: KindRunPaused, Task: NoTask, Cause: CauseControl, Actor: c.Actor, Reason: c.Reason}
	if c.Suspend {
		e.Kind = KindRunSuspended
	}
	if err := x.emit(e); err != nil {
		return err
	}
	x.live = leases{given: c.Live, ended: NoTask}
	for i := range int32(len(s.Tasks)) {
		t := &s.Tasks[i]
		switch {
		case t.State != TaskOpen:
		case x.live.of(i, t.Try()) == nil:
			x.d.Closed = append(x.d.Closed, i)
		case c.Suspend:
			x.d.Stop = append(x.d.Stop, Stop{Task: i, Attempt: t.Try(), Grace: x.grace(i)})
		}
	}
	return nil
}

func (x *decider) resume(c *Resume) error {
	s := x.s
	if s.overtaken(c.Seen) {
		return nil
	}
	switch s.Run {
	case RunPaused:
	case RunRunning:
		return nil
	case RunPending, RunCanceling, RunFinalizing:
		return refuse(RefusedRunNotPaused, "the run is "+s.Run.String()+", not paused")
	case RunSucceeded, RunFailed, RunCanceled, RunDropped:
		return refuse(RefusedRunTerminal, "the run is "+s.Run.String())
	}
	x.live = leases{given: c.Live, ended: NoTask}
	for i := range int32(len(s.Tasks)) {
		if t := &s.Tasks[i]; t.State == TaskOpen && x.live.of(i, t.Try()) == nil {
			x.fx.open(i)
		}
	}
	return x.emit(Entry{Kind: KindRunResumed, Task: NoTask, Cause: CauseControl, Actor: c.Actor})
}

// overtaken reports whether the run was paused or resumed after what the asker
// saw.
func (s *State) overtaken(seen int64) bool { return seen != 0 && seen < s.TurnedSeq }

// suspends reports whether the holder of a lease was told to stop by a suspend,
// though the run may have been resumed since.
func (s *State) suspends(l *Lease) bool {
	return !s.SuspendedAt.IsZero() && !clock(l.Granted).After(s.SuspendedAt)
}

func applyPaused(s *State, e *Entry) error {
	if err := s.move(RunEventPause); err != nil {
		return err
	}
	s.TurnedSeq, s.Reason = e.Seq, e.Reason
	if e.Kind == KindRunSuspended {
		s.Suspended, s.SuspendedAt = true, e.At.UTC()
		s.Reason = cmp.Or(e.Reason, "suspended")
	}
	return nil
}

// applyResumed lets the rules speak that kept still.
func applyResumed(g *Graph, s *State, e *Entry, fx *effects) error {
	if err := s.move(RunEventResume); err != nil {
		return err
	}
	s.TurnedSeq, s.Reason = e.Seq, ""
	s.Suspended, s.ResumedAt = false, e.At.UTC()
	s.resume(g, e.At, fx)
	return s.advance(g, e.At, fx)
}
