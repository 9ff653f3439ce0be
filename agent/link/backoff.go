package link

import (
	"context"
	"math/rand/v2"
	"time"
)

// The pauses before a call is repeated.
const (
	firstPause = 100 * time.Millisecond
	maxPause   = 15 * time.Second // half a session's life, so that a short outage costs no session
)

// Backoff is the pause before a call is repeated. It doubles, and a random part
// of it is taken off: after an outage of the control plane all agents come back
// at once, and those that wait equally long would keep knocking in step. At
// least half of it is waited, so that a refusal in no time is no busy loop. It
// is for one goroutine; the zero value is ready.
type Backoff struct {
	tries int
}

// Next returns the pause after one more failure.
func (b *Backoff) Next() time.Duration {
	whole := min(maxPause, firstPause<<min(b.tries, 20))
	b.tries++
	return whole/2 + rand.N(whole/2) //nolint:gosec // G404: a pause is no secret
}

// Reset is called after a success.
func (b *Backoff) Reset() { b.tries = 0 }

// Wait pauses after one more failure. It returns false if ctx ends first.
func (b *Backoff) Wait(ctx context.Context) bool {
	timer := time.NewTimer(b.Next())
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
