package engine

import (
	"errors"
	"strconv"
	"time"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// Hold is a task that waits for a time, a signal or people. It has no attempt,
// no lease and no place in a queue.
type Hold struct {
	Since UnixMilli
	// Until is when the wait is over, or in vain; zero: nothing ends it by
	// itself.
	Until UnixMilli
	// Order is the entry by which it came to wait: who came first is served
	// first.
	Order int64
}

// HoldOver ends a hold whose time is over: a wait succeeds, of a signal or an
// approval the plan says what becomes. It decides nothing if the task is not
// held or has time left.
type HoldOver struct {
	Now  time.Time
	Task int32
	// Live holds the run's live leases. Needed only if Graph.StopsOnFailure.
	Live []Lease
}

func (c HoldOver) now() time.Time { return c.Now }

// Holds reports whether a task waits instead of running.
func Holds(t *plan.Task) bool { return t.Wait != nil || t.Signal != nil || t.Approve != nil }

// hold lets a task wait that has nothing more to ask. The entry by which it does
// is the one that is being applied.
func (s *State) hold(g *Graph, i int32, at time.Time, fx *effects) {
	t, p := &s.Tasks[i], g.Task(s, i)
	t.State, t.ReadyAt = TaskHeld, 0
	h := Hold{Since: milli(at), Order: s.Seq + 1}
	if d := holdFor(p); d > 0 || p.Wait != nil {
		h.Until = milli(after(at, d))
	}
	if s.Holds == nil {
		s.Holds = map[int32]Hold{}
	}
	s.Holds[i] = h
	fx.hold(i)
}

// holdUntil sets the end of a wait that an agent was asked for.
func (s *State) holdUntil(e *Entry) {
	if h, held := s.Holds[e.Task]; held && e.Detail != nil && e.Detail.Until != 0 {
		h.Until = e.Detail.Until
		s.Holds[e.Task] = h
	}
}

// holdFor is how long a task waits at most, as far as its plan says.
func holdFor(t *plan.Task) plan.Millis {
	switch {
	case t.Wait != nil:
		return t.Wait.For
	case t.Signal != nil:
		return t.Signal.Timeout
	case t.Approve != nil:
		return t.Approve.Timeout
	}
	return 0
}

// unhold takes a task out of the holds when an entry ends it, with the signal
// that it took.
func (s *State) unhold(e *Entry) error {
	s.letGo(e.Task)
	if e.Detail == nil || e.Detail.From == 0 {
		return nil
	}
	return s.take(e.Detail.From)
}

// letGo takes a task out of the holds.
func (s *State) letGo(i int32) {
	delete(s.Holds, i)
	if len(s.Holds) == 0 {
		s.Holds = nil // as it was before: equal states are equal
	}
}

// release ends a hold at once that has nothing to wait for: its signal came
// before, or its time is over already.
func (x *decider) release(i int32) error {
	h, held := x.s.Holds[i]
	if !held {
		return nil // it was ended in the same decision
	}
	if sig := x.g.Task(x.s, i).Signal; sig != nil {
		if from := x.s.buffered(sig.Name); from != 0 {
			return x.deliver(i, from)
		}
	}
	if h.over(x.now) {
		return x.endHold(i)
	}
	return nil
}

func (h Hold) over(now time.Time) bool { return h.Until != 0 && !now.Before(h.Until.Time()) }

func (x *decider) holdOver(c *HoldOver) error {
	if h, held := x.s.Holds[c.Task]; !held || !h.over(x.now) {
		return nil
	}
	x.live = leases{given: c.Live, ended: NoTask}
	return x.endHold(c.Task)
}

// endHold ends a hold whose time is over.
func (x *decider) endHold(i int32) error {
	switch t := x.g.Task(x.s, i); {
	case t.Wait != nil:
		return x.unheld(Entry{Task: i, Next: TaskSucceeded})
	case t.Signal != nil:
		return x.inVain(i, t.Signal.OnTimeout, CauseTimeout, "no signal "+strconv.Quote(t.Signal.Name)+" came in time")
	case t.Approve != nil:
		n, of := x.s.approvals(i), max(t.Approve.Required, 1)
		return x.inVain(i, t.Approve.OnTimeout, CauseTimeout, "not approved in time: "+strconv.Itoa(n)+" of "+strconv.Itoa(of))
	}
	return errors.New("decide: a task is held that waits for nothing")
}

// inVain ends a hold that did not bring what it waited for, as the plan says.
func (x *decider) inVain(i int32, how plan.OnTimeout, cause Cause, reason string) error {
	e := Entry{Task: i, Cause: cause, Reason: reason}
	switch how {
	case plan.OnTimeoutSkip:
		e.Next = TaskSkipped
	case plan.OnTimeoutApprove:
		e.Next = TaskSucceeded
	case plan.OnTimeoutFail, "":
		e.Next = TaskFailed
		if x.g.tolerates(x.s, i) {
			e.Next = TaskTolerated
		}
	}
	return x.unheld(e)
}

// unheld writes the end of a hold.
func (x *decider) unheld(e Entry) error {
	e.Kind = KindTaskEnded
	x.d.Closed = append(x.d.Closed, e.Task)
	return x.emit(e)
}

// holdTimer is the timer of a held task, if it has one.
func (s *State) holdTimer(i int32) (Timer, bool) {
	h, held := s.Holds[i]
	return Timer{Kind: TimerHold, Task: i, At: h.Until.Time()}, held && h.Until != 0
}
