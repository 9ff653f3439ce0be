package engine

// RunState is the state of a run. The zero value is RunPending.
type RunState uint8

// The states of a run (model.md §2).
const (
	RunPending RunState = iota
	RunRunning
	RunPaused
	RunCanceling
	RunFinalizing
	RunSucceeded
	RunFailed
	RunCanceled
	RunDropped
)

var runNames = []string{
	"pending", "running", "paused", "canceling", "finalizing",
	"succeeded", "failed", "canceled", "dropped",
}

// String is the state as the run's column spells it.
func (s RunState) String() string { return text(runNames, s) }

// ParseRunState reads what String wrote.
func ParseRunState(s string) (RunState, error) { return parse[RunState]("run state", runNames, s) }

// RunStates lists all states, for the table's CHECK and the tests.
func RunStates() []RunState { return all[RunState](runNames) }

// Terminal reports whether a run in this state has ended. Within a generation
// it stays ended.
func (s RunState) Terminal() bool { return s >= RunSucceeded }

// RunEvent is what can happen to a run as a whole.
type RunEvent uint8

// The events of a run.
const (
	RunEventAdmit RunEvent = iota
	RunEventDrop
	RunEventPause
	RunEventResume
	RunEventCancel
	RunEventForce
	RunEventDeadline
	RunEventMainsDone // the last main task has ended
	RunEventExitDeadline
	RunEventSucceed // the last exit handler has ended, the outcome is …
	RunEventFail
	RunEventEndCanceled
	RunEventRetry
)

var runEventNames = []string{
	"admit", "drop", "pause", "resume", "cancel", "force", "deadline",
	"mains_done", "exit_deadline", "succeed", "fail", "end_canceled", "retry",
}

// String is the event as the golden file spells it.
func (e RunEvent) String() string { return text(runEventNames, e) }

// RunEvents lists all events.
func RunEvents() []RunEvent { return all[RunEvent](runEventNames) }

// runTable is the machine of model.md §2. What is absent is refused.
//
// Force has no arrow to a terminal state of its own: within its decision it
// ends every task, so that mains_done and the end follow at once. A paused run
// whose tasks are all done waits for resume, hence no mains_done there.
var runTable = map[RunState]map[RunEvent]RunState{
	RunPending: {
		RunEventAdmit:  RunRunning,
		RunEventDrop:   RunDropped,
		RunEventCancel: RunCanceled,
		RunEventForce:  RunCanceled,
	},
	RunRunning: {
		RunEventPause:     RunPaused,
		RunEventCancel:    RunCanceling,
		RunEventForce:     RunCanceling,
		RunEventDeadline:  RunCanceling,
		RunEventMainsDone: RunFinalizing,
	},
	RunPaused: {
		RunEventPause:    RunPaused, // it is suspended, too
		RunEventResume:   RunRunning,
		RunEventCancel:   RunCanceling,
		RunEventForce:    RunCanceling,
		RunEventDeadline: RunCanceling,
	},
	RunCanceling: {
		RunEventCancel:    RunCanceling,
		RunEventForce:     RunCanceling,
		RunEventMainsDone: RunFinalizing,
	},
	RunFinalizing: {
		RunEventForce:        RunFinalizing,
		RunEventExitDeadline: RunFinalizing,
		RunEventSucceed:      RunSucceeded,
		RunEventFail:         RunFailed,
		RunEventEndCanceled:  RunCanceled,
	},
	RunSucceeded: {},
	RunFailed: {
		RunEventRetry: RunRunning,
	},
	RunCanceled: {
		RunEventCancel: RunCanceled,
		RunEventForce:  RunCanceled,
		RunEventRetry:  RunRunning,
	},
	RunDropped: {},
}

var runNext = compile(runTable)

// Next is the state after the event, or a *TransitionError.
func (s RunState) Next(e RunEvent) (RunState, error) {
	to, ok := next(runNext, s, e)
	if !ok {
		return s, &TransitionError{Machine: "run", State: s.String(), Event: e.String()}
	}
	return to, nil
}
