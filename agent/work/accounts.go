package work

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/signalboxhq/signalbox/agent/gpu"
	"github.com/signalboxhq/signalbox/agent/link"
)

// errNoRoom means that a task asks for more than the agent has in all.
var errNoRoom = errors.New("the task asks for more than this agent has")

// accounts is who has which part of the agent's capacity: leases that are
// charged, some of which run, and requests that offer what is left.
type accounts struct {
	mu      sync.Mutex
	total   link.Capacity
	stock   *gpu.Stock              // held by leases that run
	ids     []string                // of the devices in stock
	charged map[int64]link.Capacity // by lease
	started map[int64]bool
	offered link.Capacity // in requests that are not answered yet
	changed chan struct{} // closed and replaced when something is given back
}

func newAccounts(total link.Capacity, found gpu.Found) *accounts {
	c := &accounts{
		total: total, stock: gpu.NewStock(nil), charged: map[int64]link.Capacity{}, started: map[int64]bool{},
		changed: make(chan struct{}),
	}
	c.equip(found)
	return c
}

func plus(a, b link.Capacity) link.Capacity {
	return link.Capacity{
		Slots: a.Slots + b.Slots, CPUMillis: a.CPUMillis + b.CPUMillis, MemoryBytes: a.MemoryBytes + b.MemoryBytes, GPUs: a.GPUs + b.GPUs,
		Decisions: a.Decisions + b.Decisions,
	}
}

func minus(a, b link.Capacity) link.Capacity {
	return link.Capacity{
		Slots: max(0, a.Slots-b.Slots), CPUMillis: max(0, a.CPUMillis-b.CPUMillis), MemoryBytes: max(0, a.MemoryBytes-b.MemoryBytes),
		GPUs: max(0, a.GPUs-b.GPUs), Decisions: max(0, a.Decisions-b.Decisions),
	}
}

func fits(need, room link.Capacity) bool {
	return need.Slots <= room.Slots && need.CPUMillis <= room.CPUMillis && need.MemoryBytes <= room.MemoryBytes && need.GPUs <= room.GPUs
}

// capacity is what there is in all.
func (c *accounts) capacity() link.Capacity {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}

// equip replaces the devices by those that are found now. It returns false if
// they are the same.
func (c *accounts) equip(found gpu.Found) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Equal(c.ids, found.IDs()) && c.total.GPUType == found.Type {
		return false
	}
	c.ids = found.IDs()
	c.stock.Replace(c.ids)
	c.total.GPUs, c.total.GPUType = c.stock.Len(), found.Type
	c.wake()
	return true
}

// offer takes all that is free for a request. taken must be called once the
// request is answered, before its leases are charged or after: the overlap errs
// on the side of offering less.
func (c *accounts) offer() (free link.Capacity, taken func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	free = minus(minus(c.total, c.sum(false)), c.offered)
	if free.Slots == 0 {
		free = link.Capacity{Decisions: free.Decisions}
	}
	c.offered = plus(c.offered, free)
	return free, sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.offered = minus(c.offered, free)
	})
}

// arrive books a lease before its plan is read: by what is expected of its task,
// if that is known, else by one slot and every GPU. A GPU that is offered again
// meanwhile may have two leases wait for it here, the second for hours, where
// another agent has one idle.
func (c *accounts) arrive(lease int64, expected *link.Capacity) {
	c.mu.Lock()
	defer c.mu.Unlock()
	need := link.Capacity{Slots: 1, GPUs: c.total.GPUs}
	if expected != nil && fits(*expected, c.total) {
		need = *expected
	}
	c.charged[lease] = need
}

// decide books a lease that only asks for a decision. It never waits.
func (c *accounts) decide(lease int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.charged[lease] = link.Capacity{Decisions: 1}
}

// charge books a lease by what its task asks for. It returns false for a task
// that could never fit.
func (c *accounts) charge(lease int64, need link.Capacity) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !fits(need, c.total) {
		return false
	}
	c.charged[lease] = need
	return true
}

// start waits until a charged lease fits beside those that run, and gives it its
// devices. It returns errNoRoom if it can fit no more, because devices are gone,
// and the cause of ctx if that ends first.
func (c *accounts) start(ctx context.Context, lease int64) (devices []string, err error) {
	for {
		c.mu.Lock()
		need := c.charged[lease]
		if !fits(need, c.total) {
			c.mu.Unlock()
			return nil, errNoRoom
		}
		if fits(plus(c.sum(true), need), c.total) {
			if devices, ok := c.stock.Take(lease, need.GPUs); ok {
				c.started[lease] = true
				c.mu.Unlock()
				return devices, nil
			}
		}
		changed := c.changed
		c.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// release gives back what a lease had.
func (c *accounts) release(lease int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.charged, lease)
	delete(c.started, lease)
	c.stock.Return(lease)
	c.wake()
}

// wake has those that wait in start look again. The lock is held.
func (c *accounts) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// spare reports whether there is something to offer.
func (c *accounts) spare() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return minus(minus(c.total, c.sum(false)), c.offered).Slots > 0
}

// whole reports whether free, which a request offers, is all there is: no lease is
// charged, and no other request offers a part of it.
func (c *accounts) whole(free link.Capacity) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.charged) == 0 && c.offered.Slots == free.Slots
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
