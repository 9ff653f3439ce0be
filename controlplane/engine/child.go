package engine

import "time"

// A task that runs another pipeline is expanding for as long as its child, the
// run of that pipeline, goes on. The child is another run: the decision says
// that it is to be started or told to end, and its own end comes back as a
// command. An attempt of the task is one child; a retry of the run starts a new
// one, because what the first was given may have changed.

// Child is a run that a task starts. (Task, Attempt) names it for ever.
type Child struct {
	Task    int32
	Attempt int32
}

// Recall tells a child to end.
type Recall struct {
	Child

	Force bool
}

// ChildEnded is the end of a task's child. It decides nothing if the task has
// ended without it, or waits for another one.
type ChildEnded struct {
	Now     time.Time
	Child   Child
	Outcome RunState // succeeded, failed, canceled or dropped
	Reason  string   // short, made by the machine
	// Live holds the run's live leases. Needed only if Graph.StopsOnFailure.
	Live []Lease
}

func (c ChildEnded) now() time.Time { return c.Now }

// abandon is Nested.OnParentCancel of a child that outlives its parent's cancel.
const abandon = "abandon"

// enterChild begins a task that runs another pipeline.
func (s *State) enterChild(i int32, fx *effects) {
	t := &s.Tasks[i]
	t.State = TaskExpanding
	t.Attempt++
	if fx != nil {
		fx.children = append(fx.children, i)
	}
}

// hasChild reports whether a task waits for the end of its child.
func (s *State) hasChild(g *Graph, i int32) bool {
	return s.Tasks[i].State == TaskExpanding && s.Fans[i] == nil && g.Task(s, i).Pipeline != nil
}

// Children lists the tasks that wait for the end of a child.
func Children(g *Graph, s *State) []Child {
	var out []Child
	for i := range s.Tasks {
		if s.hasChild(g, int32(i)) {
			out = append(out, Child{Task: int32(i), Attempt: s.Tasks[i].Attempt})
		}
	}
	return out
}

// Awaits reports whether the run waits for that very child.
func Awaits(g *Graph, s *State, c Child) bool {
	return c.Task >= 0 && int(c.Task) < len(s.Tasks) && s.hasChild(g, c.Task) && s.Tasks[c.Task].Attempt == c.Attempt
}

// childEnded mirrors the outcome of a child.
func (x *decider) childEnded(c *ChildEnded) error {
	if !Awaits(x.g, x.s, c.Child) || !c.Outcome.Terminal() {
		return nil
	}
	x.live = leases{given: c.Live, ended: NoTask}
	e := Entry{Kind: KindTaskEnded, Task: c.Child.Task, Attempt: c.Child.Attempt, Next: TaskSucceeded, Reason: c.Reason}
	if c.Outcome != RunSucceeded {
		e.Next, e.Cause = TaskFailed, CauseUser
		if c.Outcome == RunCanceled {
			e.Next, e.Cause = TaskCanceled, CauseControl
		}
		switch modeOf(x.g, x.s, c.Child.Task) {
		case modeStopping:
			e.Next, e.Cause = TaskCanceled, CauseControl
		case modeDeadline:
			e.Next, e.Cause = TaskFailed, CauseDeadline
		case modeNormal, modeHalting:
			if e.Next == TaskFailed && x.g.tolerates(x.s, c.Child.Task) {
				e.Next = TaskTolerated
			}
		}
	}
	return x.emit(e)
}

// stopChild tells a child to end; its task ends with it. By force, and where
// the child is to outlive its parent, the task ends at once.
func (x *decider) stopChild(i int32, open TaskState, cause Cause, reason string) error {
	if modeOf(x.g, x.s, i) == modeHalting {
		return nil // it finishes
	}
	if x.recall(i) {
		return nil
	}
	return x.emit(Entry{
		Kind: KindTaskEnded, Task: i, Attempt: x.s.Tasks[i].Attempt, Cause: cause, Next: open, Reason: reason,
	})
}

// recall tells a task's child to end, unless it is to go on; it reports whether
// the task waits for that.
func (x *decider) recall(i int32) bool {
	child := Child{Task: i, Attempt: x.s.Tasks[i].Attempt}
	if x.g.Task(x.s, i).Pipeline.OnParentCancel == abandon {
		return false
	}
	x.d.Recalled = append(x.d.Recalled, Recall{Child: child, Force: x.s.Forced})
	return !x.s.Forced
}
