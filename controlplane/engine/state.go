package engine

import (
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// UnixMilli is a moment in a task's state: milliseconds since 1970, zero for
// none. A third of time.Time's size, and equal means equal.
type UnixMilli int64

// Time is the moment in UTC; the zero time for none.
func (m UnixMilli) Time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(m)).UTC()
}

func milli(t time.Time) UnixMilli {
	if t.IsZero() {
		return 0
	}
	return UnixMilli(t.UnixMilli())
}

// State is a run as its journal tells it up to Seq. It is advanced in place by
// Decide and Fold and read by everyone else. It is not safe for concurrent use.
type State struct {
	ID  id.UUID // the run's; it spreads the jitter of its retries
	Seq int64

	Run        RunState
	Outcome    RunState // fixed on entry to finalizing; RunPending before
	Reason     string   // why the run ends as it does; empty when it succeeds
	Generation int32    // 1 … ; a retry of the run opens the next

	CancelRequested    bool
	Forced             bool
	DeadlinePassed     bool
	ExitDeadlinePassed bool
	Halted             bool // on_task_failure stopped all scheduling
	Suspended          bool // paused, and what ran was told to stop

	StartedAt    time.Time // admission
	GenerationAt time.Time // admission or the last retry: where the deadline counts from
	FirstStartAt time.Time // when the first attempt of all began
	FinalizingAt time.Time
	FinishedAt   time.Time
	SuspendedAt  time.Time // the last suspend: leases older than that were told to stop
	ResumedAt    time.Time // the last resume: where queue timeouts count from
	TurnedSeq    int64     // of the last pause, suspend or resume

	// Counts over Tasks.
	LeftMain    int32 // main tasks that have not ended
	LeftExit    int32 // exit handlers that have not ended
	FailingMain int32 // main tasks that are failed, upstream_failed or canceled
	// CanceledMain are those of FailingMain that did not fail by themselves: people
	// are told of them apart.
	CanceledMain int32
	FailedExit   int32 // exit handlers that failed; they never change the outcome

	// Seed is what the run took over from another, nil for most; Origins says
	// where the outputs of its reused tasks are.
	Seed    *Seed
	Origins map[int32]Origin

	// Tasks are the pipeline's own, as in Plan.Tasks, and then those that came
	// into being: see Block. Nil before the first entry.
	Tasks  []Task
	Blocks []Block
	Fans   map[int32]*Fan

	Gangs     map[int32]Gang     // open attempts of which a member has ended
	Holds     map[int32]Hold     // the tasks that are held
	Votes     map[int32][]Ballot // on approvals, of this generation
	Signals   []Received         // oldest first
	RetriedBy string             // who opened this generation, if it is not the first
}

// Task is a task's part of the state.
type Task struct {
	State   TaskState
	Attempt int32 // the open attempt, else the last one; 0 if there was none

	// How many upstream tasks ended in which class (model.md §4).
	S, F, U, K int32

	// What this generation's attempts used up.
	UsedUser    int16
	UsedInfra   int16
	UsedPreempt int16
	Rejected    int16

	Asking Ask   // what the open attempt asks; AskNothing for the step's
	Asked  int32 // how many decisions there were: see Try

	ReadyAt    UnixMilli // of the open attempt: when it may be leased
	AvoidAgent id.UUID
	AvoidUntil UnixMilli

	// EndSeq is the entry with the task's outputs: the one that ended it, or the
	// end of the step that added the tasks that it waited for.
	EndSeq int64
}

// NewState is a run before its first entry.
func NewState(run id.UUID) *State { return &State{ID: run, Generation: 1} }

// Failed counts the tasks that failed, or were kept from running by one that
// did: what a list shows. Canceled ones are not among them.
func (s *State) Failed() int32 { return s.FailingMain - s.CanceledMain + s.FailedExit }
