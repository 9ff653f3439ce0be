package engine

// Outcome says how an attempt ended. The zero value is "none": the entry ends
// no attempt.
type Outcome uint8

// The outcomes of an attempt (model.md §3).
const (
	OutcomeNone Outcome = iota
	OutcomeSucceeded
	OutcomeFailed
	OutcomeTimedOut
	OutcomeCanceled
	OutcomeLost
	OutcomePreempted
	OutcomeRejected // the agent cannot run it now
	OutcomeRefused  // the agent's policy or an input forbids it for ever
	OutcomeSkipped  // exit code 77
	OutcomeSuspended
)

var outcomeNames = []string{
	"", "succeeded", "failed", "timed_out", "canceled", "lost",
	"preempted", "rejected", "refused", "skipped", "suspended",
}

// String is the outcome as the journal's column spells it; empty for none.
func (o Outcome) String() string { return text(outcomeNames, o) }

// ParseOutcome reads what String wrote.
func ParseOutcome(s string) (Outcome, error) { return parse[Outcome]("outcome", outcomeNames, s) }

// Outcomes lists all outcomes, OutcomeNone first.
func Outcomes() []Outcome { return all[Outcome](outcomeNames) }

// Cause says whose doing an end was. It decides which retry budget pays.
type Cause uint8

// The causes of model.md §3. CauseRule and CauseUpstream end tasks that never
// ran; CauseControl is somebody's wish (cancel, force, stop_scheduling).
const (
	CauseNone Cause = iota
	CauseUser
	CauseTimeout
	CauseInfra
	CausePreempted
	CausePolicy
	CauseInput
	CauseQueue
	CauseDeadline
	CauseControl
	CauseRule
	CauseUpstream
)

var causeNames = []string{
	"", "user", "timeout", "infra", "preempted", "policy", "input",
	"queue", "deadline", "control", "rule", "upstream",
}

// String is the cause as the journal's column spells it; empty for none.
func (c Cause) String() string { return text(causeNames, c) }

// ParseCause reads what String wrote.
func ParseCause(s string) (Cause, error) { return parse[Cause]("cause", causeNames, s) }

// Causes lists all causes, CauseNone first.
func Causes() []Cause { return all[Cause](causeNames) }
