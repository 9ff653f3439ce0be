package engine

import "errors"

// report ends the open attempt that the lease names.
func (x *decider) report(c *Report) error {
	l := &c.Lease
	if x.open(l.Task, l.Attempt) == nil {
		return refuse(RefusedStaleFence, "the attempt has ended already")
	}
	if c.Outcome == OutcomeNone || int(c.Outcome) >= len(ends) {
		return errors.New("decide: a report without an outcome")
	}
	x.live = leases{given: c.Live, ended: l.Task}
	asking := x.s.Tasks[l.Task].Asking != AskNothing
	if asking && c.Outcome == OutcomeSucceeded {
		if c.Answer == nil {
			return errors.New("decide: a decision without an answer")
		}
		if m := modeOf(x.g, x.s, l.Task); m == modeNormal {
			return x.answer(c)
		}
		c.Outcome = OutcomeCanceled // nobody waits for it any more
	}
	if l.Gang > 0 {
		x.live.ended = NoTask
		return x.reportMember(c)
	}
	return x.endAttempt(c, Detail{})
}

// endAttempt ends the open attempt as the rules judge its end.
func (x *decider) endAttempt(c *Report, d Detail) error {
	l, j := &c.Lease, judge(x.g, x.s, c)
	e := Entry{
		Kind: KindAttemptEnded, Task: l.Task, Attempt: l.Attempt,
		Lease: l.ID, Agent: l.Agent, Granted: l.Granted, Started: l.Started, Finished: c.Finished,
		Outcome: j.outcome, Cause: j.cause, ExitCode: c.ExitCode,
		Next: j.next, Reason: j.reason,
	}
	if j.wait > 0 {
		e.RetryAt = after(x.now, j.wait)
	}
	if j.next == TaskSucceeded && len(c.Members) > 0 {
		switch modeOf(x.g, x.s, l.Task) {
		case modeNormal:
			if x.g.grown(x.s, x.g.added(c.Members)) {
				e.Next, e.Cause, e.Reason = TaskFailed, CauseUser, tooLarge("with what the step added the run")
				break
			}
			e.Next, d.Members = TaskExpanding, c.Members
		case modeDeadline:
			e.Next, e.Cause, e.Reason = TaskFailed, CauseDeadline, "no time is left for the tasks that it added"
		case modeHalting, modeStopping:
			e.Next, e.Cause, e.Reason = TaskCanceled, CauseControl, "the tasks that it added were canceled"
		}
	}
	if d.Gang > 0 || d.Members != nil {
		e.Detail = &d
	}
	return x.emit(e)
}

// open is the task if that very attempt of it is open.
func (x *decider) open(task, attempt int32) *Task {
	if task < 0 || int(task) >= len(x.s.Tasks) {
		return nil
	}
	t := &x.s.Tasks[task]
	if t.State != TaskOpen || t.Try() != attempt {
		return nil
	}
	return t
}
