// Package link is the agent's line to the control plane: who the agent is, how
// it proves that, and the calls of signalbox.agent.v1.AgentService.
//
// All calls are outbound, unary and repeatable. What is repeated, how often and
// with which pauses is the business of agent/work; this package makes one call,
// renews the access token when it must, and says why a call failed (Reason).
//
// Protobuf messages stop here: the rest of the agent sees the types of this
// package. Nothing here is logged but names and numbers.
package link
