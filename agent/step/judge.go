package step

import (
	"fmt"
	"time"

	"github.com/signalboxhq/signalbox/agent/execute"
)

// Outcome is how an attempt ended, in the words of the engine (model.md §3).
type Outcome string

// The outcomes that an agent reports.
const (
	OutcomeSucceeded Outcome = "succeeded"
	OutcomeFailed    Outcome = "failed"
	OutcomeTimedOut  Outcome = "timed_out"
	OutcomeCanceled  Outcome = "canceled"
	OutcomeRejected  Outcome = "rejected" // not here, perhaps elsewhere
	OutcomeRefused   Outcome = "refused"  // by the policy, or an input is wrong
	OutcomeSkipped   Outcome = "skipped"
	OutcomeLost      Outcome = "lost" // the agent is to blame, not the step
)

// Cause says who is to blame, which decides the retry budget.
type Cause string

// The causes.
const (
	CauseNone    Cause = ""
	CauseUser    Cause = "user"
	CauseTimeout Cause = "timeout"
	CauseInfra   Cause = "infra"
	CausePolicy  Cause = "policy"
	CauseInput   Cause = "input"
	CauseControl Cause = "control"
)

// Exit codes with a meaning of their own. ExitRetry counts as a failure of the
// user's code whatever the task's `never` says; the engine sees to that.
const (
	ExitRetry = 75
	ExitSkip  = 77
)

// Verdict is what an attempt came to.
type Verdict struct {
	Outcome  Outcome
	Cause    Cause
	ExitCode int32
	Reason   string // may be seen by the control plane
	Detail   string // may repeat values: to be sealed
	Final    bool   // another attempt is of no use
	Started  bool   // the step itself ran; if not, nothing is billed
	Ran      time.Duration
}

// Judge says what the end of a step's process means.
//
//	exit 0     succeeded           run, progress, start limit   timed_out
//	exit 75    failed, try again   stopped on request           canceled
//	exit 77    skipped             signal, or cannot be started failed (user)
//	any other  failed (user)       the agent lost hold of it    lost (infra)
func Judge(result execute.Result, limits execute.Limits) Verdict {
	v := Verdict{
		Outcome: OutcomeFailed, Cause: CauseUser, ExitCode: int32(result.ExitCode),
		Reason: result.String(), Started: !result.Started.IsZero(), Ran: result.Ran(),
	}
	switch result.End {
	case execute.EndExited:
		switch result.ExitCode {
		case 0:
			v.Outcome, v.Cause, v.Reason = OutcomeSucceeded, CauseNone, ""
		case ExitSkip:
			v.Outcome, v.Cause, v.Reason = OutcomeSkipped, CauseNone, "the step skipped itself (exit code 77)"
		case ExitRetry:
			v.Reason = "the step asks for another attempt (exit code 75)"
		}
	case execute.EndSignaled, execute.EndNotStarted:
	case execute.EndStopped:
		v.Outcome, v.Cause, v.Reason = OutcomeCanceled, CauseControl, "stopped on request"
	case execute.EndRunLimit:
		v.Outcome, v.Cause, v.Reason = OutcomeTimedOut, CauseTimeout, fmt.Sprintf("run timeout of %v", limits.Run)
	case execute.EndStale:
		v.Outcome, v.Cause, v.Reason = OutcomeTimedOut, CauseTimeout, fmt.Sprintf("progress timeout of %v", limits.Progress)
	case execute.EndStartLimit:
		v.Outcome, v.Cause, v.Reason = OutcomeTimedOut, CauseTimeout, fmt.Sprintf("start timeout of %v", limits.Start)
	case execute.EndBroken:
		v.Outcome, v.Cause = OutcomeLost, CauseInfra
	}
	return v
}
