// Package simulation proves by trying: servers, agents, people, clocks, network
// and PostgreSQL in one bubble of testing/synctest, driven by a seed. All of it
// is in the tests; docs/proof.md says how it is run.
//
// Real are the rules (controlplane/engine), the choice of who gets what
// (controlplane/dispatch/choose) and what is billed (billing/usage). Modelled,
// rule by rule and in the same order, are the group commit with its locks and
// its two trips, the long polls, the reaper, the ticker, the sessions and the
// agents; and PostgreSQL as rows, row locks that wait or are skipped, unique
// rules, and counts that a statement must touch. Not modelled: SQL itself, the
// network of bytes, sealing, logs, and everything else that no invariant of the
// engine is about. What is bound to SQL is stormed on a real PostgreSQL
// (controlplane/advance) and in real processes (internal/e2e).
//
// Exactly one thing happens at a time, and the seed alone says which: a fiber
// for every thread of every process, resumed one after the other. So a seed
// repeats its history to the last step, and a digest of all steps proves it.
package simulation
