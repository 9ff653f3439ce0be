package advance

import (
	"maps"
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

// unfit lists the classes that no taker of their pool can serve now, with what
// it has free. One that is unfit in one pool and fits in another stays in: the
// queue of the first is then merely read in vain.
func (c *seenClasses) unfit(takers []*taker) []int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	fits := map[int64]bool{}
	for _, t := range takers {
		for class, req := range c.pools[t.session.pool] {
			fits[class] = fits[class] || (req.fits(t.free) && t.session.satisfies(class, req))
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

// note adds a class; it reports whether it was new to the pool. In a pool with
// too many it forgets one for it, and calls none new: to look again each time
// would never end.
func (c *seenClasses) note(pool id.UUID, class int64, req Requirement) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.pools[pool]
	if _, known := p[class]; known {
		return false
	}
	if p == nil {
		p = map[int64]Requirement{}
		c.pools[pool] = p
	}
	full := len(p) >= maxSeenClasses
	evict(p, maxSeenClasses)
	p[class] = req
	return !full
}

// of returns the classes that are known to a pool.
func (c *seenClasses) of(pool id.UUID) map[int64]Requirement {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.pools[pool])
}
