package cli

import (
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// Local is what a local run is made of.
type Local struct {
	// Plans are encoded plans by the name of their pipeline.
	Plans map[string][]byte
	// Keep is the folder in which journal, logs and artifacts are left; empty:
	// nothing is.
	Keep string
	// Agent is the agent's program; empty: it is looked for.
	Agent string
	// Shuffle is the seed of the order in which what is ready begins; nil: the
	// oldest first.
	Shuffle *uint64
}

// LocalRun is a control plane for one run, in memory, with an agent beside it.
// It is spoken to as any other server is.
type LocalRun struct {
	Server string
	Token  string
	// Org and Workspace are what envelopes are bound to, Key what opens them.
	Org       id.UUID
	Workspace id.UUID
	Key       *seal.WorkspaceKey
	// Started lists the attempts whose step has started, without the first ones
	// that the caller knows, and what is closed at the next change.
	Started func(known int) ([]LocalAttempt, <-chan struct{})
	// Stop ends everything, and leaves what is kept.
	Stop func() error
}

// LocalAttempt is an attempt that has a log.
type LocalAttempt struct {
	Run     id.UUID
	Task    string
	Attempt uint32
	// Nested names the run that another one started; empty for the run itself.
	Nested string
}
