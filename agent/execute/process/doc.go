// Package process runs attempts as processes of the agent's own machine.
//
// Each attempt has a guard (execute/guard) as its parent, which ends it when it
// is told to or when the agent dies. This package holds the attempt's clocks
// and turns what the guard reports into a Result. Output goes straight from the
// step's pipes to the Spec's writers; whoever makes those redacts and keeps it.
//
// Steps run as the agent's user and see its machine: isolation is the business
// of the other executors.
package process
