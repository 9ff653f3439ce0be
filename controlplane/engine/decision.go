package engine

import (
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// Decision is what a command leads to, to be written in one transaction. The
// zero Decision changes nothing.
//
// Every entry of KindAttemptEnded ends the lease it names (Entry.Lease): its
// row is deleted with the entry's insert. If several commands of one batch
// concern the same run, a Closed of a later one also takes back an Opened of an
// earlier one.
type Decision struct {
	Entries []Entry
	Opened  []Opening
	Closed  []int32 // tasks whose ready row and timers must go: retry, queue, hold
	Stop    []Stop
	Timers  []Timer

	// Children are other runs that tasks of this one start, and Recalled those
	// that are to end.
	Children []Child
	Recalled []Recall
	Held     []int32 // tasks that came to be held

	// FirstStart is the index in Entries of the first attempt of this run, over
	// all generations, that had started; -1 if it is not among them. It is
	// where the run itself is metered.
	FirstStart int

	// RunChanged says that more of the run's row changed than its seq and how
	// many tasks are done: state, reason, outcome, generation, failures or one
	// of its times.
	RunChanged bool
	// Finished says that the run is now terminal: no ready row, timer or lease
	// of it may remain.
	Finished bool
}

// Empty reports whether nothing was decided.
func (d *Decision) Empty() bool { return len(d.Entries) == 0 }

// Opening is an attempt that may be leased from At on.
type Opening struct {
	Task    int32
	Attempt int32 // see Task.Try
	Asking  Ask   // what is to be decided; AskNothing for a step
	// At is when it is ready: what `since` means in the order of the queue.
	At time.Time
	// Wait says that At lies ahead: a timer, not yet a ready row.
	Wait bool
	// QueueUntil is when the attempt fails if nobody took it; zero means never.
	// It stands in Decision.Timers too.
	QueueUntil time.Time
	Avoid      Avoid
}

// Avoid names the agent that another one should replace for this attempt.
type Avoid struct {
	Agent id.UUID // id.Nil: none
	// Until zero is a preference: any other agent first, but this one rather
	// than none. Otherwise the agent is excluded until then.
	Until time.Time
}

// Stop tells the holder of a live lease to end its step.
type Stop struct {
	Task    int32
	Attempt int32
	Grace   plan.Millis // between TERM and KILL
}

// TimerKind says which command a due timer becomes.
type TimerKind uint8

// The timers that a decision sets. The retry timer of an Opening is not among
// them.
const (
	TimerQueue        TimerKind = iota // QueueTimeout
	TimerDeadline                      // Deadline
	TimerExitDeadline                  // ExitDeadline
	TimerExpand                        // Expand
	TimerHold                          // HoldOver
	// TimerGang becomes GangTimeout; whoever grants the leases sets it.
	TimerGang
)

var timerNames = []string{"queue", "deadline", "exit_deadline", "expand", "hold", "gang"}

// String is the kind as the timer's column spells it.
func (k TimerKind) String() string { return text(timerNames, k) }

// ParseTimerKind reads what String wrote.
func ParseTimerKind(s string) (TimerKind, error) { return parse[TimerKind]("timer", timerNames, s) }

// Timer is to be set, replacing one of the same kind and task.
type Timer struct {
	Kind    TimerKind
	Task    int32 // NoTask for the run's own
	Attempt int32
	At      time.Time
}
