package work

import (
	"slices"
	"sync"
	"time"

	"github.com/signalboxhq/signalbox/agent/link"
)

// remembered is how many leases that are over are still known: one that comes
// again in a late answer must not run again.
const remembered = 4096

// book lists the leases that this agent holds: from their arrival until their
// report is answered.
type book struct {
	mu      sync.Mutex
	held    map[int64]*control
	over    map[int64]bool
	order   []int64       // of over, oldest first
	emptied chan struct{} // closed and replaced when the last lease goes
}

func newBook() *book {
	return &book{held: map[int64]*control{}, over: map[int64]bool{}, emptied: make(chan struct{})}
}

// add takes a lease in. It returns false if the agent has or had it already.
func (b *book) add(lease int64, c *control) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held[lease] != nil || b.over[lease] {
		return false
	}
	b.held[lease] = c
	return true
}

// remove forgets a lease but for its number.
func (b *book) remove(lease int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held[lease] == nil {
		return
	}
	delete(b.held, lease)
	b.over[lease] = true
	b.order = append(b.order, lease)
	if len(b.order) > remembered {
		delete(b.over, b.order[0])
		b.order = b.order[1:]
	}
	if len(b.held) == 0 {
		close(b.emptied)
		b.emptied = make(chan struct{})
	}
}

// list is what a poll says of the leases, in their order.
func (b *book) list() []link.Held {
	b.mu.Lock()
	defer b.mu.Unlock()
	held := make([]link.Held, 0, len(b.held))
	for lease, c := range b.held {
		held = append(held, c.held(lease))
	}
	slices.SortFunc(held, func(x, y link.Held) int { return int(x.Lease - y.Lease) })
	return held
}

// obey passes an order on to its attempt, if it is held.
func (b *book) obey(order link.Order) {
	b.mu.Lock()
	c := b.held[order.Lease]
	b.mu.Unlock()
	if c == nil {
		return
	}
	switch order.Action {
	case link.ActionStop:
		c.stop(byOrder, order.Grace)
	case link.ActionKill:
		c.stop(byOrder, 0)
	case link.ActionStale:
		c.stop(byStale, 0)
	}
}

// stopAll ends all attempts.
func (b *book) stopAll(reason why, grace time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.held {
		c.stop(reason, grace)
	}
}

// empty returns a channel that is closed when nothing is held any more, or nil
// if that is so already.
func (b *book) empty() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.held) == 0 {
		return nil
	}
	return b.emptied
}
