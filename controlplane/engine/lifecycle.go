package engine

// start admits the run.
func (x *decider) start(c *Start) error {
	switch {
	case x.s.Run == RunPending:
		return x.emit(Entry{Kind: KindRunStarted, Task: NoTask, Actor: c.Actor})
	case x.s.StartedAt.IsZero():
		return refuse(RefusedRunTerminal, "the run is "+x.s.Run.String()+" and never started")
	}
	return nil // it has started already
}

// retry opens the next generation.
func (x *decider) retry(c *Retry) error {
	s := x.s
	switch {
	case c.Generation != 0 && c.Generation < s.Generation:
		return nil // retried already
	case c.Generation > s.Generation:
		return refuse(RefusedNothingToRetry, "the run has no such generation")
	case s.Run == RunDropped:
		return refuse(RefusedRunTerminal, "the run was dropped before it started")
	case !s.Run.Terminal():
		return refuse(RefusedRunActive, "the run is "+s.Run.String())
	case s.Run == RunSucceeded || !s.retryable():
		return refuse(RefusedNothingToRetry, "every task of the run succeeded")
	}
	return x.emit(Entry{Kind: KindRunRetried, Task: NoTask, Actor: c.Actor})
}
