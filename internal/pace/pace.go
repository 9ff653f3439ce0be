// Package pace bounds how often one caller may ask of this process: a token
// bucket for each key, in memory.
//
// It is for what costs us work before we know who asks: requests without a
// credential, or with one that does not count. It is no quota and no proof
// against guessing (tenancy/throttle is, and counts in the database): each
// replica counts for itself, and a restart forgets. It knows no business words;
// what a key is, its user decides.
package pace

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxKeys bounds how many buckets a generation has. Whoever has more addresses
// than that is forgotten now and then; memory is not theirs to fill.
const maxKeys = 20_000

// Pacer is a set of buckets. It may be used by many goroutines.
type Pacer struct {
	limit rate.Limit
	burst int
	now   func() time.Time

	mu sync.Mutex
	// Two generations: what was not asked for since the last change of them is
	// full again, or belongs to one of very many.
	fresh, old map[string]*rate.Limiter
}

// New makes a Pacer whose buckets hold burst tokens and gain perSecond of them a
// second. now is time.Now outside tests.
func New(perSecond float64, burst int, now func() time.Time) *Pacer {
	return &Pacer{limit: rate.Limit(perSecond), burst: burst, now: now, fresh: map[string]*rate.Limiter{}}
}

// Wait returns how long key must wait for a token, zero if there is one. It takes
// none.
func (p *Pacer) Wait(key string) time.Duration {
	missing := 1 - p.bucket(key).TokensAt(p.now())
	if missing <= 0 {
		return 0
	}
	return time.Duration(missing / float64(p.limit) * float64(time.Second))
}

// Take takes a token of key, if there is one, and reports whether there was.
func (p *Pacer) Take(key string) bool { return p.bucket(key).AllowN(p.now(), 1) }

func (p *Pacer) bucket(key string) *rate.Limiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b, ok := p.fresh[key]; ok {
		return b
	}
	b, ok := p.old[key]
	if !ok {
		b = rate.NewLimiter(p.limit, p.burst)
	}
	if len(p.fresh) >= maxKeys {
		p.old, p.fresh = p.fresh, map[string]*rate.Limiter{}
	}
	p.fresh[key] = b
	return b
}
