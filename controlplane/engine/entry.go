package engine

import (
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// EntryVersion is the newest format of entries that this package folds. Each
// entry is written in the oldest that says what it means, so that a replica of an
// earlier release goes on with whatever it understands.
const EntryVersion int16 = 2

// What the formats say.
const (
	formatFirst int16 = 1
	// Of KindTaskExpanded: items that are taken over count as ended and leave alone
	// how many run. Before, each made room for one more.
	formatRoom int16 = 2
)

// NoTask is Entry.Task of an entry that concerns the run as a whole.
const NoTask int32 = -1

// Kind says what an entry records.
type Kind uint8

// The kinds of entries. Their number only grows: journals are folded for ever.
const (
	KindNone Kind = iota
	KindRunStarted
	KindRunCanceled
	KindRunForced // cancel --force
	KindRunRetried
	KindAttemptEnded
	KindTaskEnded // the end of a task that had no attempt to end
	KindDeadlinePassed
	KindExitDeadlinePassed
	KindTaskDecided  // an agent answered what a task asked
	KindTaskExpanded // items of a map came into being
	KindItemsStopped // all that is inside of a task ended, but for what runs
	KindRunPaused
	KindRunSuspended
	KindRunResumed
	KindSignalReceived
	KindTaskApproved // a vote; the end that it brings is an entry of its own
	KindTaskRejected
	KindRunSeeded   // what the run takes over from another one
	KindRunQueued   // a run that has not begun waits, or waits for something else
	KindRunDropped  // by a policy, before it began
	KindMemberEnded // a member of a gang; its attempt goes on
)

var kindNames = []string{
	"none", "run_started", "run_canceled", "run_forced", "run_retried",
	"attempt_ended", "task_ended", "deadline_passed", "exit_deadline_passed",
	"task_decided", "task_expanded", "items_stopped",
	"run_paused", "run_suspended", "run_resumed", "signal_received", "task_approved", "task_rejected",
	"run_seeded",
	"run_queued", "run_dropped",
	"member_ended",
}

// String is the kind as the journal's column spells it.
func (k Kind) String() string { return text(kindNames, k) }

// ParseKind reads what String wrote.
func ParseKind(s string) (Kind, error) { return parse[Kind]("entry kind", kindNames, s) }

// Kinds lists all kinds, KindNone first.
func Kinds() []Kind { return all[Kind](kindNames) }

// Entry is one row of a run's journal. It carries the decision that was taken
// (Next, RetryAt), so that folding it needs no retry rule: a later change of
// the rules never changes what an old journal folds to.
//
// Outputs and error texts are the row's body; they never enter this package.
type Entry struct {
	V   int16
	Seq int64     // 1, 2, … per run
	At  time.Time // the batch's clock

	Kind    Kind
	Task    int32 // index in State.Tasks, or NoTask
	Attempt int32 // see Task.Try; for KindTaskEnded the open attempt that nobody took, else 0

	// The attempt's lease, as far as there was one. Granted, Started and
	// Finished are zero where unknown; the caller has cut them to
	// [granted, now].
	Lease    int64
	Agent    id.UUID
	Granted  time.Time
	Started  time.Time
	Finished time.Time

	Outcome  Outcome
	Cause    Cause
	ExitCode int32

	Next    TaskState // state of Task after this entry; TaskOpen means another attempt
	RetryAt time.Time // with TaskOpen: not before; zero means at once

	Reason string // short, made by the machine, never a customer's data
	Actor  string // who acted from outside: usr_…, key_…, "system"

	Detail *Detail // of rare kinds only
}

// EndsLease reports whether the entry ends the lease that it names.
func (e *Entry) EndsLease() bool {
	return e.Lease != 0 && (e.Kind == KindAttemptEnded || e.Kind == KindTaskDecided || e.Kind == KindMemberEnded)
}
