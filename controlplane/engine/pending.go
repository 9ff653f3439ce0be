package engine

import "time"

// Pending lists what must stand in ready and timer for the run to go on: every
// open task, including those that hold a live lease, which the caller takes out,
// and the timers. Of a paused run nothing may be leased. It rebuilds these
// tables when they are lost.
func Pending(g *Graph, s *State, now time.Time) ([]Opening, []Timer) {
	var open []Opening
	var timers []Timer
	for i := range s.Tasks {
		if timer, ok := s.holdTimer(int32(i)); ok {
			timers = append(timers, timer)
		}
		if f := s.Fans[int32(i)]; f != nil && s.Tasks[i].State == TaskExpanding && f.Made < f.Count && !f.Stopped {
			timers = append(timers, Timer{Kind: TimerExpand, Task: int32(i), At: clock(now)})
		}
		if s.Tasks[i].State != TaskOpen || s.Run == RunPaused {
			continue
		}
		o := opening(g, s, int32(i), clock(now))
		open = append(open, o)
		if !o.QueueUntil.IsZero() {
			timers = append(timers, queueTimer(&o))
		}
	}
	return open, runTimers(g, s, timers)
}

// opening describes the open attempt of a task.
func opening(g *Graph, s *State, i int32, now time.Time) Opening {
	t := &s.Tasks[i]
	o := Opening{
		Task: i, Attempt: t.Try(), Asking: t.Asking, At: t.ReadyAt.Time(),
		Avoid: Avoid{Agent: t.AvoidAgent, Until: t.AvoidUntil.Time()},
	}
	if o.At.Before(s.ResumedAt) {
		o.At = s.ResumedAt
	}
	o.Wait = o.At.After(now)
	if q := g.Task(s, i).Timeouts.Queue; q > 0 {
		o.QueueUntil = after(o.At, q)
	}
	return o
}

func queueTimer(o *Opening) Timer {
	return Timer{Kind: TimerQueue, Task: o.Task, Attempt: o.Attempt, At: o.QueueUntil}
}

// runTimers appends the run's own timers as far as its state has any.
func runTimers(g *Graph, s *State, timers []Timer) []Timer {
	switch s.Run {
	case RunRunning, RunPaused:
		if d := g.Plan.Deadline; d > 0 {
			timers = append(timers, Timer{Kind: TimerDeadline, Task: NoTask, At: after(s.GenerationAt, d)})
		}
	case RunFinalizing:
		if !s.ExitDeadlinePassed {
			timers = append(timers, Timer{Kind: TimerExitDeadline, Task: NoTask, At: s.FinalizingAt.Add(ExitLimit)})
		}
	case RunPending, RunCanceling, RunSucceeded, RunFailed, RunCanceled, RunDropped:
	}
	return timers
}
