package advance

import (
	"sync"

	"github.com/signalboxhq/signalbox/proto/id"
)

// seenClasses remembers which requirement classes stood in the queue of a pool.
// A batch leaves out those that none of its own takers can serve, so that tasks
// waiting for another kind of agent do not fill the head of the queue.
type seenClasses struct {
	mu    sync.Mutex
	pools map[id.UUID]map[int64]Requirement
}

const maxSeenClasses = 1000

func newSeenClasses() *seenClasses {
	return &seenClasses{pools: map[id.UUID]map[int64]Requirement{}}
}

// unfit lists the classes that no taker of their pool can serve. One that is
// unfit in one pool and fits in another stays in: the queue of the first is then
// merely read in vain.
func (c *seenClasses) unfit(takers []*taker) []int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	fits := map[int64]bool{}
	for _, t := range takers {
		for class, req := range c.pools[t.session.pool] {
			fits[class] = fits[class] || t.session.satisfies(class, req)
		}
	}
	out := []int64{}
	for class, ok := range fits {
		if !ok {
			out = append(out, class)
		}
	}
	return out
}

// note adds a class; it reports whether it was new to the pool.
func (c *seenClasses) note(pool id.UUID, class int64, req Requirement) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.pools[pool]
	if p == nil || len(p) >= maxSeenClasses {
		p = map[int64]Requirement{}
		c.pools[pool] = p
	}
	if _, ok := p[class]; ok {
		return false
	}
	p[class] = req
	return true
}

// noteHeads learns from the heads that this batch read. A head with a class
// that is new is read again: behind it may stand what somebody here can do.
func (b *batch) noteHeads() {
	for i := range b.claims {
		r := &b.claims[i]
		req, ok := b.a.versions.knownClass(r.class)
		if ok && b.a.seen.note(r.pool, r.class, req) {
			b.again[poolRef{r.Org, r.pool}] = true
		}
	}
}
