package link

import (
	"net/http"
	"sync/atomic"
	"time"
)

// tolerated is how far two clocks may differ before it is a difference at all:
// the Date header has whole seconds, and an answer takes time.
const tolerated = 5 * time.Second

// Clock is this machine's clock, corrected by what the control plane says the
// time is. Assertions and grants live for a minute, and a laptop that slept or a
// virtual machine that was restored may be hours off. It is used for nothing
// else: durations are measured with the monotonic clock.
type Clock struct {
	now  func() time.Time
	skew atomic.Int64
}

// NewClock corrects now, which is time.Now outside of tests.
func NewClock(now func() time.Time) *Clock { return &Clock{now: now} }

// Now is the corrected time.
func (c *Clock) Now() time.Time { return c.now().Add(c.Skew()) }

// Skew is how far this machine's clock is behind.
func (c *Clock) Skew() time.Duration { return time.Duration(c.skew.Load()) }

// learn takes the time from an answer of the control plane.
func (c *Clock) learn(header http.Header) {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return
	}
	skew := date.Sub(c.now())
	if skew > -tolerated && skew < tolerated {
		skew = 0
	}
	c.skew.Store(int64(skew))
}

// listener is a transport that learns the time from each answer.
type listener struct {
	clock *Clock
	next  http.RoundTripper
}

func (l *listener) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := l.next.RoundTrip(request)
	if err == nil {
		l.clock.learn(response.Header)
	}
	return response, err
}
