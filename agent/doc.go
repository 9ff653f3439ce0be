// Package agent is the module of Signalbox's agent: the program that runs in a
// customer's cluster, pulls work and does it. Code, data, logs, secrets and values
// stay with it.
//
//	cmd/signalbox-agent  the binary
//	work/      from a lease to its report: the chain of stages, capacity, drain
//	link/      the calls to the control plane, identity, tokens, grants
//	relay/     logs and values to a reader, sealed end to end
//	value/     opening, rendering and sealing values; the workspace's keys
//	step/      the protocol between a step and its agent: files and environment
//	execute/   what an attempt is to whatever runs it; execute/process, execute/guard
//	artifact/ logs/ spool/   what is kept on the agent's disk
//	policy/ secret/ redact/  what may run, with which secrets, and hiding them
//	config/ host/ tree/      settings, the machine, files
//	fakeplane/               the control plane in tests
//
// The module imports github.com/signalboxhq/signalbox/proto and nothing else of
// Signalbox: what customers install can be read and audited alone. deps.txt lists
// every package of others that it uses, and internal/deptest keeps it true.
package agent
