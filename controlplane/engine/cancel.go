package engine

// cancel asks the run to end; with Force it ends at once.
func (x *decider) cancel(c *Cancel) error {
	s := x.s
	if c.Generation != 0 && c.Generation < s.Generation {
		return nil
	}
	switch s.Run {
	case RunCanceled:
		return nil
	case RunSucceeded, RunFailed, RunDropped:
		return refuse(RefusedRunTerminal, "the run is "+s.Run.String())
	case RunCanceling:
		if !c.Force {
			return nil
		}
	case RunFinalizing:
		if !c.Force && s.Outcome == RunCanceled {
			return nil
		}
		if !c.Force {
			return refuse(RefusedRunFinalizing, "only the exit handlers of the run are left; force ends them")
		}
	case RunPending, RunRunning, RunPaused:
	}
	e := Entry{Kind: KindRunCanceled, Task: NoTask, Cause: CauseControl, Actor: c.Actor, Reason: c.Reason}
	if c.Force {
		e.Kind = KindRunForced
	}
	x.live = leases{given: c.Live, ended: NoTask}
	if err := x.emit(e); err != nil || s.Run == RunCanceled {
		return err
	}
	if s.Run == RunFinalizing && !c.Force {
		return nil // it was paused with nothing left to do; its exit handlers run
	}
	reason := "the run was canceled"
	if c.Force {
		reason = "the run was ended by force"
	}
	if s.Run == RunFinalizing {
		return x.stopExit(TaskCanceled, CauseControl, reason)
	}
	return x.stopMain(TaskCanceled, CauseControl, reason)
}
