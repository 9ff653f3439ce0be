package engine

// RefusalReason says why a command was refused.
type RefusalReason string

// The reasons of refusals.
const (
	RefusedStaleFence     RefusalReason = "STALE_FENCE"      // not the open attempt
	RefusedRunTerminal    RefusalReason = "RUN_TERMINAL"     // the run has ended
	RefusedRunFinalizing  RefusalReason = "RUN_FINALIZING"   // only its exit handlers are left
	RefusedRunActive      RefusalReason = "RUN_ACTIVE"       // the run has not ended
	RefusedNothingToRetry RefusalReason = "NOTHING_TO_RETRY" // no task failed

	RefusedRunPending      RefusalReason = "RUN_PENDING"       // the run has not started
	RefusedRunCanceling    RefusalReason = "RUN_CANCELING"     // the run is being canceled
	RefusedRunNotPaused    RefusalReason = "RUN_NOT_PAUSED"    // there is nothing to resume
	RefusedSignalUnknown   RefusalReason = "SIGNAL_UNKNOWN"    // no task waits for that name
	RefusedSignalLimit     RefusalReason = "SIGNAL_LIMIT"      // too many signals
	RefusedNotApproval     RefusalReason = "NOT_AN_APPROVAL"   // the task waits for no votes
	RefusedApprovalNotOpen RefusalReason = "APPROVAL_NOT_OPEN" // the task is not reached yet
	RefusedApprovalClosed  RefusalReason = "APPROVAL_CLOSED"   // the task has ended
	RefusedFourEyes        RefusalReason = "FOUR_EYES"         // the voter asked for the run
)

// Refusal is a command that the rules do not allow. The state is untouched.
type Refusal struct { //nolint:errname // an answer of the rules; its reasons go out as they are
	Reason RefusalReason
	Text   string // fit for a customer
}

// Error is the refusal's text.
func (r *Refusal) Error() string { return r.Text }

func refuse(reason RefusalReason, text string) error {
	return &Refusal{Reason: reason, Text: text}
}
