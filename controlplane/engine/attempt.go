package engine

import (
	"slices"
	"strconv"
	"time"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// Exit codes by which a step speaks to the engine (format.md §3).
const (
	ExitRetry   int32 = 75
	ExitSkipped int32 = 77
)

// maxRejected is how often agents may hand an attempt back for nothing; from
// then on a rejection costs the infra budget. Fold counts by it: another value
// needs another EntryVersion.
const maxRejected = 10

// budget says who pays for another attempt.
type budget uint8

const (
	budgetNone budget = iota // nobody: no other attempt
	budgetFree               // it costs nothing
	budgetUser
	budgetInfra
	budgetPreempt
	budgetRejected // free for maxRejected times, then infra
)

// end is what the end of an attempt means if nothing interferes.
type end struct {
	cause   Cause
	pays    budget
	backoff bool      // another attempt waits first
	final   TaskState // the task's state when nobody pays
}

// ends is the table of model.md §3. OutcomeCanceled stands for an attempt that
// was told to stop.
var ends = [...]end{
	OutcomeNone:      {},
	OutcomeSucceeded: {final: TaskSucceeded},
	OutcomeFailed:    {cause: CauseUser, pays: budgetUser, backoff: true, final: TaskFailed},
	OutcomeTimedOut:  {cause: CauseTimeout, pays: budgetUser, backoff: true, final: TaskFailed},
	OutcomeCanceled:  {cause: CauseControl, final: TaskCanceled},
	OutcomeLost:      {cause: CauseInfra, pays: budgetInfra, final: TaskFailed},
	OutcomePreempted: {cause: CausePreempted, pays: budgetPreempt, final: TaskFailed},
	OutcomeRejected:  {cause: CauseInfra, pays: budgetRejected, final: TaskFailed},
	OutcomeRefused:   {cause: CausePolicy, final: TaskFailed},
	OutcomeSkipped:   {final: TaskSkipped},
	OutcomeSuspended: {cause: CauseControl, pays: budgetFree, final: TaskFailed},
}

// mode is what happens to the attempts of a run at this moment.
type mode uint8

const (
	modeNormal   mode = iota
	modeHalting       // stop_scheduling: they finish, but start no other
	modeStopping      // canceled, or cancel_running: they are told to stop
	modeDeadline      // their time is over: they are told to stop, and fail
)

var modeNames = []string{"normal", "halting", "stopping", "deadline"}

// String is the mode as the golden file spells it.
func (m mode) String() string { return text(modeNames, m) }

func modeOf(g *Graph, s *State, task int32) mode {
	switch {
	case s.Run == RunCanceling && s.DeadlinePassed:
		return modeDeadline
	case s.Run == RunCanceling:
		return modeStopping
	case g.InExit(s, task) && s.ExitDeadlinePassed:
		return modeDeadline
	case g.InExit(s, task) || !s.Halted:
		return modeNormal
	case g.Plan.OnFailure == plan.OnFailureCancel:
		return modeStopping
	}
	return modeHalting
}

// judgement is what becomes of an attempt that ended and of its task.
type judgement struct {
	outcome Outcome
	cause   Cause
	next    TaskState
	wait    plan.Millis // with TaskOpen
	reason  string
}

// judge applies the table of ends to a report. The task's attempt is open.
func judge(g *Graph, s *State, c *Report) judgement {
	i := c.Lease.Task
	m := modeOf(g, s, i)
	o := settleOutcome(s, c, m)
	e := &ends[o]
	j := judgement{outcome: o, cause: e.cause, next: e.final, reason: c.Reason}
	if o == OutcomeRefused && c.Cause == CauseInput {
		j.cause = CauseInput
	}
	if j.reason == "" {
		j.reason = endReason(o, c)
	}
	if o == OutcomeSucceeded || o == OutcomeSkipped {
		return j
	}
	switch m {
	case modeStopping:
		j.next = TaskCanceled
	case modeDeadline:
		j.next, j.cause = TaskFailed, CauseDeadline
	case modeNormal, modeHalting:
		j.retry(g, s, c, e, m)
	}
	return j
}

// retry grants another attempt if a budget pays for it.
func (j *judgement) retry(g *Graph, s *State, c *Report, e *end, m mode) {
	i := c.Lease.Task
	t, p := &s.Tasks[i], g.Task(s, i)
	paid := affords(t, &p.Retry, e.pays)
	if paid && e.pays == budgetUser && forbidsRetry(g.node(s, i), j.outcome, c) {
		paid = false
		j.reason += ", not to be retried"
	}
	switch {
	case !paid && j.next == TaskFailed && g.tolerates(s, i):
		j.next = TaskTolerated
	case !paid:
	case m == modeHalting:
		j.next = TaskCanceled
	default:
		j.next = TaskOpen
		if e.pays == budgetRejected {
			j.wait = rejectedWait(int(t.Rejected))
		}
		if e.backoff {
			d := Backoff(&p.Retry, int(t.UsedUser)+1)
			j.wait = Jitter(d, p.Retry.Jitter, Spread(s.ID, g.Path(s, i), t.Attempt))
		}
	}
}

// rejectedWait is how long a task waits that agents handed back before n times.
// The first time another agent may take it at once. After that the agents are
// asked ever more rarely: two that cannot take it would otherwise hand it to and
// fro until its budget is gone, in less than a second.
func rejectedWait(n int) plan.Millis {
	if n == 0 {
		return 0
	}
	const first = 5 * time.Second
	return plan.Millis(min(first<<min(n-1, 16), rejectedFor).Milliseconds())
}

// settleOutcome reads the exit codes that mean something, and calls lost what
// was the infrastructure's doing whoever saw it: an attempt that somebody
// canceled unasked is one that its agent gave up. One that was told to stop by a
// suspend is suspended, also if the run was resumed meanwhile.
func settleOutcome(s *State, c *Report, m mode) Outcome {
	switch {
	case c.Outcome == OutcomeCanceled && (m == modeNormal || m == modeHalting) && s.suspends(&c.Lease):
		return OutcomeSuspended
	case c.Outcome == OutcomeFailed && c.ExitCode == ExitSkipped:
		return OutcomeSkipped
	case c.Outcome == OutcomeFailed && c.Cause == CauseInfra:
		return OutcomeLost
	case c.Outcome == OutcomeCanceled && (m == modeNormal || m == modeHalting):
		return OutcomeLost
	}
	return c.Outcome
}

// forbidsRetry reports whether the step itself ruled out another attempt. Exit
// code 75 asks for one, whatever `never` says.
func forbidsRetry(nd *node, o Outcome, c *Report) bool {
	if o != OutcomeFailed || c.ExitCode == ExitRetry {
		return false
	}
	return c.Final || slices.Contains(nd.never, c.ExitCode)
}

// affords reports whether the budget still pays for one more attempt.
func affords(t *Task, r *plan.Retry, b budget) bool {
	switch b {
	case budgetNone:
		return false
	case budgetFree:
		return true
	case budgetUser:
		return int(t.UsedUser) < r.User
	case budgetInfra:
		return int(t.UsedInfra) < r.Infra
	case budgetPreempt:
		return int(t.UsedPreempt) < r.Preempt
	case budgetRejected:
		return t.Rejected < maxRejected || int(t.UsedInfra) < r.Infra
	}
	return false
}

// ReasonTaken is the reason of an attempt whose lease was taken back, because
// its session had ended: no agent reported it. One that its agent gave up is
// lost for other reasons.
const ReasonTaken = "the agent was lost"

// endReasons are the words for ends that say nothing themselves.
var endReasons = [...]string{
	OutcomeNone:      "",
	OutcomeSucceeded: "",
	OutcomeFailed:    "failed",
	OutcomeTimedOut:  "timed out",
	OutcomeCanceled:  "canceled",
	OutcomeLost:      ReasonTaken,
	OutcomePreempted: "preempted",
	OutcomeRejected:  "the agent could not take it",
	OutcomeRefused:   "the agent's policy refused it",
	OutcomeSkipped:   "exit code 77",
	OutcomeSuspended: "suspended",
}

func endReason(o Outcome, c *Report) string {
	switch {
	case o == OutcomeFailed && c.ExitCode != 0:
		return "exit code " + strconv.Itoa(int(c.ExitCode))
	case o == OutcomeRefused && c.Cause == CauseInput:
		return "an input is not of its type"
	case o == OutcomeLost && c.Outcome == OutcomeFailed:
		return "the infrastructure failed"
	case o == OutcomeLost && c.Outcome == OutcomeCanceled:
		return "the agent gave it up"
	}
	return endReasons[o]
}
