package engine

import "github.com/signalboxhq/signalbox/proto/plan"

// stopMain ends or stops all main tasks.
func (x *decider) stopMain(open TaskState, cause Cause, reason string) error {
	return x.stopAll(false, open, cause, reason)
}

// stopExit ends or stops all exit handlers; the outcome stays.
func (x *decider) stopExit(open TaskState, cause Cause, reason string) error {
	return x.stopAll(true, open, cause, reason)
}

func (x *decider) stopAll(exit bool, open TaskState, cause Cause, reason string) error {
	for i := range x.g.top { // what is inside of a task ends with it
		if (x.g.nodes[i].exit != "") != exit {
			continue
		}
		if err := x.stopTask(i, open, cause, reason); err != nil {
			return err
		}
	}
	return nil
}

// stopTask cancels a task that never ran and ends one in the state open whose
// attempt nobody holds. The holder of a live attempt is told to stop, or fenced
// off by force.
func (x *decider) stopTask(i int32, open TaskState, cause Cause, reason string) error {
	t := &x.s.Tasks[i]
	switch t.State {
	case TaskPending:
		return x.emit(Entry{Kind: KindTaskEnded, Task: i, Cause: cause, Next: TaskCanceled, Reason: reason})
	case TaskExpanding:
		if x.s.Fans[i] != nil {
			return x.stopItems(i, open, cause, reason)
		}
		if x.s.hasChild(x.g, i) {
			return x.stopChild(i, open, cause, reason)
		}
	case TaskOpen, TaskHeld:
	case TaskSucceeded, TaskCached, TaskReused, TaskTolerated, TaskFailed, TaskCanceled,
		TaskUpstreamFailed, TaskSkipped:
		return nil
	}
	l := x.live.of(i, t.Try())
	switch {
	case l == nil:
		return x.endOpen(i, open, cause, reason)
	case x.s.Forced && l.Gang > 0:
		return x.forceGang(l, open, cause, reason)
	case x.s.Forced:
		return x.emit(Entry{
			Kind: KindAttemptEnded, Task: i, Attempt: t.Try(),
			Lease: l.ID, Agent: l.Agent, Granted: l.Granted, Started: l.Started, Finished: x.now,
			Outcome: OutcomeCanceled, Cause: cause, Next: open, Reason: reason,
		})
	case modeOf(x.g, x.s, i) != modeHalting:
		x.d.Stop = append(x.d.Stop, Stop{Task: i, Attempt: t.Try(), Grace: x.grace(i)})
	}
	return nil
}

// endOpen ends a task whose open attempt nobody holds.
func (x *decider) endOpen(task int32, next TaskState, cause Cause, reason string) error {
	attempt := x.s.Tasks[task].Try()
	x.d.Closed = append(x.d.Closed, task)
	return x.emit(Entry{
		Kind: KindTaskEnded, Task: task, Attempt: attempt, Cause: cause, Next: next, Reason: reason,
	})
}

// grace is how long a stopped step has between TERM and KILL.
func (x *decider) grace(task int32) plan.Millis {
	if g := x.g.Task(x.s, task).Timeouts.Grace; g > 0 {
		return g
	}
	return defaultGrace
}

const defaultGrace plan.Millis = 10_000
