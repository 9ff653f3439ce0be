// Package work does what an agent is for: it takes leases, runs their attempts
// and reports what they came to.
//
// One worker has five loops beside the attempts themselves:
//
//	poll     offers what is free, lists what is held, takes leases and orders
//	report   sends outcomes from the spool until each is acknowledged
//	pulse    tells at once that a step runs, for those who watch
//	find     looks for GPUs that came or went
//	sweep    removes logs and artifacts whose retention is over
//
// An attempt goes through a chain of stages (chain.go has the picture). What it
// came to is in the spool before anything of it is sent; a lease is held, and
// listed in every poll, until its report is answered.
//
// # Who decides what
//
// The control plane decides what runs and when an attempt is over: an agent that
// cannot reach it keeps its steps running and keeps their outcomes. The agent
// decides whether it runs a task at all: the plan's bytes must hash to the
// version, and its own policy must allow it. A step's clocks are the agent's.
//
// # Capacity
//
// What is offered in a request belongs to that request until it is answered, so
// no slot is ever offered twice. Two answers can still bring more than fits (one
// was lost and is sent again); what does not fit waits here, leased and not
// started.
//
// GPUs are given to an attempt by name when it starts, and taken back when it has
// ended. A session says how many there are, so one is opened anew when that
// changes; what runs keeps what it was given.
//
// # Ending
//
// Drain takes no more work and finishes what there is; StopSteps ends steps with
// grace; Kill ends them now. Attempts that the agent's own end cut short are
// reported as lost to the infrastructure, which costs the user's retries nothing.
package work
