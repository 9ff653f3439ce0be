// Package choose decides which agent gets which task: one pure function over
// the tasks that compete and the agents that wait (model.md §7).
//
// Tasks that became ready in a batch and the head of the queue compete in the
// same call, so that hand-over never overtakes anybody. The package owns the
// order (priority, fairness, age), the fitting of needs into free capacity, and
// the limits of pools. It must not know what a task does, do I/O, or read a
// clock.
//
// The order is a promise: when a task gets an agent, no task before it that
// could have had a place is left without. A task that nobody can take does not
// hold up those behind it. Who asks for the same thing gets the same answer: the
// result depends on the order of the takers given, never on that of the
// candidates.
package choose
