// Package agentsim is many agents in one process. They speak the agents' own
// protocol as agent/work does: enrol with a join token, exchange signed
// assertions for access tokens, open a session, poll with all leases they hold,
// report ends until each is answered, and take the leases that an answer brings.
//
// Steps do nothing, or wait for a given time. No step is started, no log is
// kept, nothing is sealed: what is measured is the control plane.
//
// The protocol between the fleet's process and the one that measures is Config
// on standard input and a gob stream of Told on standard output.
package agentsim

import (
	"time"

	"github.com/signalboxhq/signalbox/loadtest/driver"
)

// Config says which agents to be.
type Config struct {
	Server string
	// Tokens each join AgentsPerToken of the Workers.Count agents.
	Tokens  []string
	Prefix  string
	Workers driver.Workers
}

// Told is one message to the process that measures.
type Told struct {
	// Online is set once, when all agents have sessions.
	Online bool
	Events []driver.Event
	// Polled and Reported count the leases that came with the answer to a poll
	// and to a report, Idle the polls that brought none, Ordered those of them
	// that brought orders. Stale counts reports whose lease was gone, Retried calls that failed and
	// were repeated; since the fleet began.
	Polled, Reported, Idle, Ordered, Stale, Retried int64
	// Err is why the fleet cannot work at all.
	Err string
}

// AgentsPerToken is how many agents may join with one token.
const AgentsPerToken = 1000

// pauses before a call is repeated.
const (
	firstPause = 20 * time.Millisecond
	maxPause   = 2 * time.Second
)
