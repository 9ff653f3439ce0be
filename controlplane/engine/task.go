package engine

// TaskState is the state of a task in the engine. The zero value is
// TaskPending.
type TaskState uint8

// The states of a task (model.md §3). Where an open task is (ready, running,
// in backoff) is not the engine's business: see Display.
const (
	TaskPending TaskState = iota
	TaskOpen              // an attempt may be leased, or is
	TaskHeld              // waits for a person, a signal or a time
	TaskExpanding
	TaskSucceeded
	TaskCached
	TaskReused
	TaskTolerated
	TaskFailed
	TaskCanceled
	TaskUpstreamFailed
	TaskSkipped
)

var taskNames = []string{
	"pending", "open", "held", "expanding", "succeeded", "cached", "reused",
	"tolerated", "failed", "canceled", "upstream_failed", "skipped",
}

// String is the state as a column spells it.
func (s TaskState) String() string { return text(taskNames, s) }

// ParseTaskState reads what String wrote.
func ParseTaskState(s string) (TaskState, error) {
	return parse[TaskState]("task state", taskNames, s)
}

// TaskStates lists all states, for the table's CHECK and the tests.
func TaskStates() []TaskState { return all[TaskState](taskNames) }

// Terminal reports whether a task in this state has ended. Within a generation
// it stays ended.
func (s TaskState) Terminal() bool { return s >= TaskSucceeded }
