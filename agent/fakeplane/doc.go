// Package fakeplane plays the control plane in tests of the agent: a real server
// of AgentService on a real port, with its state in memory and faults on demand.
//
// It is as strict as the real one where an agent could get it wrong: assertions
// and tokens are verified, a session must be open, a report counts only with a
// live lease. It has no engine: a test queues leases itself and looks at the
// reports. Everything that agents send is recorded, so that a test can search it
// for what must never leave.
package fakeplane
