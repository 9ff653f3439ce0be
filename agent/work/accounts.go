package work

import (
	"context"
	"sync"

	"github.com/signalboxhq/signalbox/agent/link"
)

// accounts is who has which part of the agent's capacity: leases that are
// charged, some of which run, and requests that offer what is left.
type accounts struct {
	total link.Capacity

	mu      sync.Mutex
	charged map[int64]link.Capacity // by lease
	started map[int64]bool
	offered link.Capacity // in requests that are not answered yet
	changed chan struct{} // closed and replaced when something is given back
}

func newAccounts(total link.Capacity) *accounts {
	return &accounts{total: total, charged: map[int64]link.Capacity{}, started: map[int64]bool{}, changed: make(chan struct{})}
}

func plus(a, b link.Capacity) link.Capacity {
	return link.Capacity{Slots: a.Slots + b.Slots, CPUMillis: a.CPUMillis + b.CPUMillis, MemoryBytes: a.MemoryBytes + b.MemoryBytes}
}

func minus(a, b link.Capacity) link.Capacity {
	return link.Capacity{
		Slots: max(0, a.Slots-b.Slots), CPUMillis: max(0, a.CPUMillis-b.CPUMillis), MemoryBytes: max(0, a.MemoryBytes-b.MemoryBytes),
	}
}

func fits(need, room link.Capacity) bool {
	return need.Slots <= room.Slots && need.CPUMillis <= room.CPUMillis && need.MemoryBytes <= room.MemoryBytes
}

// offer takes all that is free for a request. taken must be called once the
// request is answered, before its leases are charged or after: the overlap errs
// on the side of offering less.
func (c *accounts) offer() (free link.Capacity, taken func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	free = minus(minus(c.total, c.sum(false)), c.offered)
	if free.Slots == 0 {
		free = link.Capacity{}
	}
	c.offered = plus(c.offered, free)
	return free, sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.offered = minus(c.offered, free)
	})
}

// charge books a lease, first with one slot and again when its task is known. It
// returns false for a task that could never fit.
func (c *accounts) charge(lease int64, need link.Capacity) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !fits(need, c.total) {
		return false
	}
	c.charged[lease] = need
	return true
}

// start waits until a charged lease fits beside those that run. It returns false
// if ctx ends first.
func (c *accounts) start(ctx context.Context, lease int64) bool {
	for {
		c.mu.Lock()
		if fits(plus(c.sum(true), c.charged[lease]), c.total) {
			c.started[lease] = true
			c.mu.Unlock()
			return true
		}
		changed := c.changed
		c.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// release gives back what a lease had.
func (c *accounts) release(lease int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.charged, lease)
	delete(c.started, lease)
	close(c.changed)
	c.changed = make(chan struct{})
}

// spare reports whether there is something to offer.
func (c *accounts) spare() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return minus(minus(c.total, c.sum(false)), c.offered).Slots > 0
}

// busy reports whether any lease is charged.
func (c *accounts) busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.charged) > 0
}

// sum adds up what is charged, or only what runs. The lock is held.
func (c *accounts) sum(startedOnly bool) link.Capacity {
	var sum link.Capacity
	for lease, need := range c.charged {
		if !startedOnly || c.started[lease] {
			sum = plus(sum, need)
		}
	}
	return sum
}
