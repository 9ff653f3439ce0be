// Package engine decides how a run advances. It is pure: no clock, no
// database, no goroutine, no randomness.
//
//	Decide(graph, state, command) → entries and what follows from them
//	Fold(graph, state, entry)     → the state after the entry
//
// All orchestration rules live here and nowhere else.
package engine
