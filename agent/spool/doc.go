// Package spool is the agent's journal of outcomes: what an attempt came to is
// written and fsynced here before the first byte of it goes to the network, and
// leaves only when the control plane has acknowledged it.
//
// So an outcome survives the agent's death (kill -9, power), and any outage of
// the control plane however long. One file per lease: an outcome is written
// once, under its fence, and a lease has one outcome.
//
// The content is opaque here; agent/work writes it and agent/link sends it.
package spool
