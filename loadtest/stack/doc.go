// Package stack starts what is measured: a durable PostgreSQL and a server, each
// a process of its own, in a temporary folder that is gone afterwards.
//
// It owns processes and the way in (signing up through the public API). It
// measures nothing and imports nothing of the server: the benchmark drives the
// binary that customers run.
package stack
