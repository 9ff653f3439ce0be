package engine

import "time"

// ExitLimit is how long exit handlers may take together.
const ExitLimit = time.Hour

// queueTimeout ends a task whose open attempt nobody took.
func (x *decider) queueTimeout(c *QueueTimeout) error {
	t := x.open(c.Task, c.Attempt)
	if t == nil || x.s.Run == RunPaused {
		return nil
	}
	o := opening(x.g, x.s, c.Task, x.now)
	x.live = leases{given: c.Live, ended: NoTask}
	if o.QueueUntil.IsZero() || x.now.Before(o.QueueUntil) || x.live.of(c.Task, c.Attempt) != nil {
		return nil
	}
	next := TaskFailed
	if x.g.tolerates(x.s, c.Task) {
		next = TaskTolerated
	}
	reason := "queue_timeout"
	if c.Missing != "" {
		reason += ": " + c.Missing
	}
	return x.endOpen(c.Task, next, CauseQueue, reason)
}

// deadline ends the run as a cancel does, but it fails.
func (x *decider) deadline(c *Deadline) error {
	s := x.s
	due := after(s.GenerationAt, x.g.Plan.Deadline)
	if (s.Run != RunRunning && s.Run != RunPaused) || x.g.Plan.Deadline <= 0 || x.now.Before(due) {
		return nil
	}
	x.live = leases{given: c.Live, ended: NoTask}
	if err := x.emit(Entry{Kind: KindDeadlinePassed, Task: NoTask, Cause: CauseDeadline}); err != nil {
		return err
	}
	return x.stopMain(TaskFailed, CauseDeadline, "the deadline passed")
}

// exitDeadline ends what is left of the exit handlers.
func (x *decider) exitDeadline(c *ExitDeadline) error {
	s := x.s
	if s.Run != RunFinalizing || s.ExitDeadlinePassed || x.now.Before(s.FinalizingAt.Add(ExitLimit)) {
		return nil
	}
	x.live = leases{given: c.Live, ended: NoTask}
	if err := x.emit(Entry{Kind: KindExitDeadlinePassed, Task: NoTask, Cause: CauseDeadline}); err != nil {
		return err
	}
	return x.stopExit(TaskFailed, CauseDeadline, "the exit handlers' time is over")
}
