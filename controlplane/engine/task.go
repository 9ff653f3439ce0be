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

// Failing reports whether a task in this state makes its run fail.
func (s TaskState) Failing() bool {
	return s == TaskFailed || s == TaskCanceled || s == TaskUpstreamFailed
}

// TaskEvent is what can happen to a task.
type TaskEvent uint8

// The events of a task.
const (
	TaskEventRun   TaskEvent = iota // its rule says RUN
	TaskEventRetry                  // an attempt ended and a budget pays for another
	TaskEventHold
	TaskEventExpand
	TaskEventSucceed
	TaskEventCacheHit
	TaskEventReuse
	TaskEventTolerate
	TaskEventFail
	TaskEventCancel
	TaskEventUpstreamFail
	TaskEventSkip
	TaskEventReset // a retry of the run starts it anew
)

var taskEventNames = []string{
	"run", "retry", "hold", "expand", "succeed", "cache_hit", "reuse",
	"tolerate", "fail", "cancel", "upstream_fail", "skip", "reset",
}

// String is the event as the golden file spells it.
func (e TaskEvent) String() string { return text(taskEventNames, e) }

// TaskEvents lists all events.
func TaskEvents() []TaskEvent { return all[TaskEvent](taskEventNames) }

var reset = map[TaskEvent]TaskState{TaskEventReset: TaskPending}

// taskTable is the machine of model.md §3. What is absent is refused.
var taskTable = map[TaskState]map[TaskEvent]TaskState{
	TaskPending: {
		TaskEventRun:          TaskOpen,
		TaskEventHold:         TaskHeld,
		TaskEventExpand:       TaskExpanding,
		TaskEventReuse:        TaskReused,
		TaskEventSkip:         TaskSkipped,
		TaskEventUpstreamFail: TaskUpstreamFailed,
		TaskEventCancel:       TaskCanceled,
	},
	TaskOpen: {
		TaskEventRetry:        TaskOpen,
		TaskEventHold:         TaskHeld,
		TaskEventExpand:       TaskExpanding,
		TaskEventSucceed:      TaskSucceeded,
		TaskEventCacheHit:     TaskCached,
		TaskEventSkip:         TaskSkipped,
		TaskEventFail:         TaskFailed,
		TaskEventTolerate:     TaskTolerated,
		TaskEventUpstreamFail: TaskUpstreamFailed,
		TaskEventCancel:       TaskCanceled,
	},
	TaskHeld: {
		TaskEventSucceed:  TaskSucceeded,
		TaskEventSkip:     TaskSkipped,
		TaskEventFail:     TaskFailed,
		TaskEventTolerate: TaskTolerated,
		TaskEventCancel:   TaskCanceled,
	},
	TaskExpanding: {
		TaskEventRetry:    TaskOpen, // a loop asks whether it is done
		TaskEventSucceed:  TaskSucceeded,
		TaskEventSkip:     TaskSkipped,
		TaskEventFail:     TaskFailed,
		TaskEventTolerate: TaskTolerated,
		TaskEventCancel:   TaskCanceled,
	},
	TaskSucceeded:      reset,
	TaskCached:         reset,
	TaskReused:         reset,
	TaskTolerated:      reset,
	TaskFailed:         reset,
	TaskCanceled:       reset,
	TaskUpstreamFailed: reset,
	TaskSkipped:        reset,
}

var taskNext = compile(taskTable)

// Next is the state after the event, or a *TransitionError.
func (s TaskState) Next(e TaskEvent) (TaskState, error) {
	to, ok := next(taskNext, s, e)
	if !ok {
		return s, &TransitionError{Machine: "task", State: s.String(), Event: e.String()}
	}
	return to, nil
}

// arrivals says which event an entry with a given Entry.Next tells of.
var arrivals = [...]TaskEvent{
	TaskPending:        TaskEventReset,
	TaskOpen:           TaskEventRetry,
	TaskHeld:           TaskEventHold,
	TaskExpanding:      TaskEventExpand,
	TaskSucceeded:      TaskEventSucceed,
	TaskCached:         TaskEventCacheHit,
	TaskReused:         TaskEventReuse,
	TaskTolerated:      TaskEventTolerate,
	TaskFailed:         TaskEventFail,
	TaskCanceled:       TaskEventCancel,
	TaskUpstreamFailed: TaskEventUpstreamFail,
	TaskSkipped:        TaskEventSkip,
}
