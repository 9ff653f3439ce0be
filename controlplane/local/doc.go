// Package local is a control plane in memory, for one run and one agent: what
// `signalbox run local` executes a pipeline with, without a server or an account.
//
// It decides nothing by itself. The same packages as the hosted control plane's
// do: engine says how the run advances, dispatch/choose who is next, report what
// an agent's word means, upstream what a task may read. Here are only the things
// around them that the hosted one keeps in PostgreSQL: the journal, what is
// ready, leases and timers, in slices and maps under one lock.
//
// It speaks the contract: AgentService to the agent, and to people what of
// RunService, ApprovalService and RelayService one run needs, so that whoever
// can show a hosted run can show this one. It must not start programs, nor keep
// anything: whoever starts it does.
package local
