package engine

import (
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// Command asks for a decision about one run. The set is closed: only this
// package's types implement it. Now is the batch's clock in every one of them;
// within a run it never goes back.
type Command interface {
	now() time.Time
}

// Lease is a live lease as its row tells it.
type Lease struct {
	Task    int32
	Attempt int32
	ID      int64 // the fence
	Agent   id.UUID
	Granted time.Time
	Started time.Time // zero until a heartbeat told of it
	// Gang is how many members the attempt has, 0 where it is no gang's; Rank is
	// which of them this lease is.
	Gang, Rank int32
}

// Start admits a run: its roots become ready. The second Start decides nothing.
type Start struct {
	Now   time.Time
	Actor string
}

// Report ends an attempt: an agent's report, or the reaper's word that the
// session is gone (OutcomeLost). Lease names the attempt; Lease.Started is what
// the report says, or what heartbeats said when nobody reports.
//
// Refusals: StaleFence, when the task has no such open attempt.
type Report struct {
	Now      time.Time
	Lease    Lease
	Finished time.Time
	Outcome  Outcome // what the agent says; exit codes 75 and 77 are read from ExitCode
	Cause    Cause   // CauseNone lets the outcome decide
	ExitCode int32
	// Final says that the step forbade another attempt ("retryable: false").
	Final bool
	// Answer is what an agent decided, if that was asked.
	Answer *Answer
	// Members are tasks that the step adds. The caller has checked them: their
	// templates exist, their needs are places in the list and have no cycle.
	Members []Member
	// Reason, if given, replaces the engine's own short text.
	Reason string
	// Live holds the run's other live leases. Needed only if
	// Graph.StopsOnFailure. Of a gang, members that have ended are not among them.
	Live []Lease
}

// Cancel asks a run to end: nothing new starts, what runs is told to stop, exit
// handlers run. With Force nothing is waited for: live attempts are fenced off
// and exit handlers are aborted or skipped. Canceling what is canceled, or on
// its way, is no error and decides nothing.
//
// Refusals: RunFinalizing (without Force), RunTerminal.
type Cancel struct {
	Now    time.Time
	Actor  string
	Reason string // the asker's words; they are kept in the open
	Force  bool
	// Generation is the one to cancel, as the asker saw it, so that a late
	// repetition spares the next one. Zero means whichever is current.
	Generation int32
	Live       []Lease // all live leases of the run
}

// Retry opens the next generation of a run that has ended: what failed, what
// was canceled and all that lies downstream of it run again, exit handlers too.
//
// Refusals: RunActive, NothingToRetry, RunTerminal (a dropped run).
type Retry struct {
	Now   time.Time
	Actor string
	// Generation is the one to retry, as the asker saw it: the same Retry
	// again decides nothing. Zero means whichever is current; such a command
	// is not safe to repeat.
	Generation int32
}

// QueueTimeout ends a task whose open attempt nobody took in time. It decides
// nothing if the attempt was taken, is another one, or is not due.
type QueueTimeout struct {
	Now     time.Time
	Task    int32
	Attempt int32
	Missing string  // what was missing, for the reason: "no agent in pool gpu"
	Live    []Lease // all live leases of the run
}

// Deadline ends a run whose time is over: as Cancel, but its tasks and the run
// fail. It decides nothing if the run is ending already or has time left.
type Deadline struct {
	Now  time.Time
	Live []Lease
}

// ExitDeadline ends exit handlers that took too long. It decides nothing if the
// run is not finalizing or has time left.
type ExitDeadline struct {
	Now  time.Time
	Live []Lease
}

func (c Start) now() time.Time        { return c.Now }
func (c Report) now() time.Time       { return c.Now }
func (c Cancel) now() time.Time       { return c.Now }
func (c Retry) now() time.Time        { return c.Now }
func (c QueueTimeout) now() time.Time { return c.Now }
func (c Deadline) now() time.Time     { return c.Now }
func (c ExitDeadline) now() time.Time { return c.Now }
