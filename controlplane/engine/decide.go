package engine

import "time"

// Decide advances s by the command and returns what to write. On a Refusal s is
// untouched; after any other error, and when the caller's transaction fails, s
// must be thrown away and folded again.
func Decide(g *Graph, s *State, c Command) (Decision, error) {
	panic("unreachable until the rules land")
}

// Fold advances s by one entry of its journal. Its errors mean a broken
// journal, or one of a newer release.
func Fold(g *Graph, s *State, e Entry) error { panic("unreachable until the rules land") }

// Pending lists what must stand in ready and timer for the state to go on:
// every open task, including those that hold a live lease, which the caller
// takes out, and the run's timers. It rebuilds the tables when they are lost.
func Pending(g *Graph, s *State, now time.Time) ([]Opening, []Timer) {
	panic("unreachable until the rules land")
}
