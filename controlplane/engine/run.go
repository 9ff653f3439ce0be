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
