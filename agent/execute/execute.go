package execute

import (
	"context"
	"time"
)

// Executor starts attempts. Implementations are safe for concurrent use.
type Executor interface {
	// Start begins an attempt and returns at once; a command that cannot be
	// started is a Result (EndNotStarted), not an error, because it may show
	// only later. The error is reserved for a Spec that makes no sense. When
	// ctx ends, the attempt is killed without grace.
	Start(ctx context.Context, spec Spec) (Attempt, error)
}

// Attempt is one try at a task while it runs. Its methods may be called from
// several goroutines and after the attempt has ended.
type Attempt interface {
	// Stop asks the attempt to end: TERM to all of it, and KILL once the grace
	// is over. Zero kills at once. A second call can only shorten the grace.
	Stop(grace time.Duration)
	// Wait returns when the attempt has ended and nothing of it is left.
	Wait() Result
}
