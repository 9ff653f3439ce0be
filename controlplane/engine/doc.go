// Package engine decides how runs advance. It is pure: no clock, no database,
// no goroutine, no randomness; time comes in with the command.
//
//	Decide(graph, state, command) → entries, and what follows from them
//	Fold(graph, state, entry)     → the state after that entry
//
// All orchestration rules are here and nowhere else. The package must not know
// what a value, a log or an agent is, nor how anything is stored: group commit
// (controlplane/advance) reads, locks and writes, the engine only says what.
//
// # The journal and what is not in it
//
// A run's journal is the only truth about it. An entry is the end of an attempt,
// the end of a task that had no attempt to end, or an act from outside (start,
// cancel, force, retry, a deadline). Three things are deliberately no entries:
//
//   - a task that becomes ready: Fold asks its trigger rule again;
//   - a grant: Fold knows that attempt k is open, the tables ready, lease and
//     timer say where it is (ready, running, in backoff: see Display);
//   - a run that begins to finalize, or finishes: it follows from its tasks.
//
// Decide advances the state by folding its own entries, so that the live state
// and the fold of the journal cannot differ. An ending entry carries what was
// decided (the task's next state, when to retry), so Fold reads no retry rule:
// rules may change, old journals keep their meaning.
//
// # States
//
// A run:   pending → running ⇄ paused → canceling → finalizing → an end.
// A task:  pending → open → an end; open covers every attempt and every wait
// between attempts. Both machines are tables (run.go, task.go); docs/states.md
// is drawn from them. The outcome is fixed on entry to finalizing, before exit
// handlers, which never change it. An end is final within its generation; a
// retry of the run opens the next one and starts anew what failed, what lies
// downstream of it, and the exit handlers.
//
// # Who decides
//
//   - Whether a task runs: its rule over the counts of its upstream tasks
//     (rule.go). No verdict but "wait" is ever taken back, so the order of ends
//     does not matter.
//
//   - Whether an attempt is followed by another: the table of ends (attempt.go)
//     and three budgets; an agent only says how the attempt ended.
//
//   - Who holds which attempt: not the engine. Where that matters (cancel,
//     deadlines, on_task_failure), the command brings the live leases, read
//     under the run's lock.
//
//   - Whether a task that waits for a time, a signal or people goes on: a hold
//     (held.go) that a timer, a signal or a vote ends. It has no lease and stands
//     in no queue.
//
// # Paused
//
// A paused run starts nothing: what is open and not leased is taken back, what
// the rules would decide waits for the resume. What is leased runs on, holds and
// the deadline go on; the clock of the queue begins anew with the resume. Suspend
// is a pause that tells the live attempts to stop: they end as suspended, cost
// nothing, and are open again.
//
// Propagation is a work list inside Decide: an end adds one to the counters of
// the tasks downstream, each of these is asked, and those that end without
// running end others. A decision costs the edges it touches, not the graph.
//
// # Tasks that come into being
//
// A task of a run is an index in State.Tasks. The pipeline's own come first; maps,
// loops, groups and steps that add tasks append blocks of further ones (place.go),
// which keep their index in every generation. The layers of a task are nodes of
// the graph (layer.go), so that they combine; what an owner knows of its items is
// its Fan. What only an agent can know is a decision (ask.go): an attempt with a
// negative number, which takes no slot and is no step. A resumed run's first
// entry, its Seed, says what it takes over.
//
// # Time
//
// Now is the batch's clock, PostgreSQL's, in whole milliseconds. The engine
// compares it only with moments that the same clock gave (deadlines, queue
// timeouts, exit handlers' hour), and never with an agent's. Waits between
// attempts are spread by a hash of run, task and attempt, so that a replay
// computes the same moment.
//
// # Twice
//
// A command that arrives again decides nothing: it returns an empty Decision or
// a Refusal, and the state is untouched. A Decision is written in one
// transaction or not at all; if that fails, the state is thrown away and folded
// again.
package engine
