// Package advance is the group commit: the one place where runs change.
//
// Commands queue up in the replica, by organization; whatever arrived while the
// last batch committed becomes the next one, one command of each organization in
// turn. A batch is one transaction in two round trips:
//
//	remember   finds the batch's runs in the cache, or folds them, without locks
//	trip one   locks everything, each kind sorted by key, in one fixed order:
//	           start keys → pipelines → lines → runs → ready → leases → sessions →
//	           pools → limits → lanes → audit heads; reads the database's clock,
//	           the batch's only one
//	freshen    folds what other replicas have written since
//	decide     engine.Decide for every command, reports before expiries
//	heartbeat  renews and ends sessions, compares what agents say they hold
//	hand over  choose.Choose: what became ready and the heads of the queues
//	           compete for the agents that ask, or wait here (park)
//	trip two   writes entries, ready rows, leases, timers and usage, one
//	           statement a table, and commits; only then is anybody answered
//
// Any replica may advance any run: PostgreSQL is the only shared state. The
// folded runs kept in memory are a cache that is verified by `seq` under the
// run's lock and thrown away whenever a commit failed or its outcome is unknown.
// Of the leases that a replica gave, it remembers what never changes; that one is
// there, and whose, its locked row says (known).
//
// A panic or an error of a rule fails its run's commands alone. An error of the
// database rolls back, and the batch runs again in halves until the guilty
// command stands alone. Every command may be repeated; an unknown commit answers
// UNAVAILABLE, and what was lost before anything was written runs again.
//
// Where somebody asks for little, those who ask for much have a few milliseconds of
// each batch between them (load.go), and a map's next items are as many as that
// leaves room for. Polls of agents that found nothing a moment ago wait for each
// other, or for whatever else makes a batch.
//
// # Who is woken
//
// A poll that finds nothing waits in the park, and every poll is answered once.
// A batch borrows as many waiters as it may make tasks ready for; what it leaves
// in a queue although somebody here could take it is looked at again. One
// notification a batch tells the other replicas of queues and of sessions with
// orders; what arrives while a poll is in a batch is not lost on it. Under all of
// this lies a look of each second at the queues for which somebody waits.
//
// # What one run means for another
//
// One command changes one run. What it means for another (the next of a
// concurrency line, a child, a parent, one that a newer run takes the place of)
// is a row of `wake` in the same transaction and a command of a later batch,
// which deletes the row under the lock of what it changes; a wake whose row is
// gone does nothing. So no batch finds a lock that it should have taken before.
// The replica that wrote a wake serves it at once after the commit; what it did
// not live to serve is found by whoever ticks, a second later.
//
// Who stands in a line is written under the line's lock only. A run's end does
// not take it: the release that follows does, reads whether the run has still
// ended, and gives its place to the next, whose admission is a wake again. So
// reports never meet at a line. Nothing costs more as a line grows: its row
// counts, and of those who wait only the first are read.
//
// A child begins in the batch that has its parent locked: if that does not wait
// for it any more, it never begins. Its run's id is drawn with the wake, and
// the database admits one child for a task's attempt.
//
// # What the loop must not do
//
// Between its two trips the loop holds locks that others wait for, and some of
// them hold connections of the pool: so it reads on its own connection only.
// After the commit it reads nothing: what an answer still lacks is read beside it.
//
// The package must not hold a rule (that is controlplane/engine and
// controlplane/dispatch/choose), nor know protobuf.
package advance
