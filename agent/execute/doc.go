// Package execute says what an attempt is to whatever runs it: a command with
// an environment, a folder and some clocks goes in, a Result comes out.
//
// An Executor knows nothing of pipelines, secrets, values or the control plane;
// those belong to the stages before and after it (agent/work). It owes three
// things whatever it is built on: the attempt's clocks are kept, a stop is
// TERM, grace, KILL, and when Wait returns nothing of the attempt is left.
package execute
