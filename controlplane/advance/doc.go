// Package advance is the group commit: the one place where runs change.
//
// Commands queue up in the replica; whatever arrived while the last batch
// committed becomes the next one, and a batch is one transaction in two round
// trips:
//
//	trip one   locks everything, each kind sorted by key, in one fixed order:
//	           start keys → pipelines → runs → ready → leases → sessions →
//	           pools; reads the database's clock, the batch's only one
//	decide     engine.Decide for every command, reports before expiries, then
//	           choose.Choose: what became ready and the head of the queue
//	           compete for the agents that wait here
//	trip two   writes entries, ready rows, leases, timers and usage, one
//	           statement a table, and commits; only then is anybody answered
//
// Any replica may advance any run: PostgreSQL is the only shared state. The
// folded runs kept in memory are a cache that is verified by `seq` under the
// run's lock and thrown away whenever a commit failed or its outcome is unknown.
//
// A panic or an error of a rule fails its command alone. An error of the
// database rolls back, and the batch runs again in halves until the guilty
// command stands alone. Every command may be repeated; an unknown commit answers
// UNAVAILABLE.
//
// The package must not hold a rule (that is controlplane/engine and
// controlplane/dispatch/choose), nor know protobuf.
package advance
