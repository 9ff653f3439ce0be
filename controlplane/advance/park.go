package advance

import (
	"context"
	"sync"
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// waiter is a poll that found nothing and waits in this replica.
type waiter struct {
	poll    Poll
	session *session
	req     *request
	// borrowed: a batch is trying to give it work; only the batch answers it.
	borrowed bool
	// over: it wants to leave as soon as no batch holds it.
	over bool
}

// park holds the waiting polls of this replica, oldest first by pool.
type park struct {
	mu        sync.Mutex
	byPool    map[id.UUID][]*waiter
	bySession map[id.UUID]*waiter
	closed    bool
}

func newPark() *park {
	return &park{byPool: map[id.UUID][]*waiter{}, bySession: map[id.UUID]*waiter{}}
}

// add parks a waiter. A session has one: an older poll of it is answered, its
// caller has gone or will ask again.
func (p *park) add(w *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.req.over || p.closed {
		w.req.answer(&Work{}, nil)
		return
	}
	if old := p.bySession[w.poll.Session]; old != nil {
		p.leave(old)
	}
	p.bySession[w.poll.Session] = w
	p.byPool[w.session.pool] = append(p.byPool[w.session.pool], w)
}

// leave answers a waiter with nothing, at once or when its batch is done.
func (p *park) leave(w *waiter) {
	if w.borrowed {
		w.over = true
		return
	}
	if p.remove(w) {
		w.req.answer(&Work{}, nil)
	}
}

func (p *park) remove(w *waiter) bool {
	list := p.byPool[w.session.pool]
	for i, x := range list {
		if x == w {
			p.byPool[w.session.pool] = append(list[:i:i], list[i+1:]...)
			if len(p.byPool[w.session.pool]) == 0 {
				delete(p.byPool, w.session.pool)
			}
			if p.bySession[w.poll.Session] == w {
				delete(p.bySession, w.poll.Session)
			}
			return true
		}
	}
	return false
}

// expire ends the wait of a request whose time is over or whose caller has gone.
// One that is not parked yet will not be: see add.
func (p *park) expire(session id.UUID, r *request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r.over = true
	if w := p.bySession[session]; w != nil && w.req == r {
		p.leave(w)
	}
}

// wake ends the wait of a session's poll: its agent asks again and is told what
// is new. It reports whether the session waits here.
func (p *park) wake(session id.UUID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.bySession[session]
	if w != nil {
		p.leave(w)
	}
	return w != nil
}

// close answers all who wait, and whoever would.
func (p *park) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, w := range p.bySession {
		p.leave(w)
	}
}

// borrow hands the waiters of the pools that could take work to a batch, at
// most n a pool. They are given back with restore.
func (p *park) borrow(pools map[id.UUID]bool, n int) []*waiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []*waiter
	for pool := range pools {
		left := n
		for _, w := range p.byPool[pool] {
			if left == 0 {
				break
			}
			if !w.borrowed && w.poll.Free.Slots > 0 {
				w.borrowed = true
				out = append(out, w)
				left--
			}
		}
	}
	return out
}

// restore gives a borrowed waiter back: answered ones leave the park.
func (p *park) restore(w *waiter, answered bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.borrowed = false
	if answered {
		p.remove(w)
		return
	}
	if w.over {
		p.leave(w)
	}
}

// pools lists the pools for which somebody with room waits here.
func (p *park) pools() []poolRef {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]poolRef, 0, len(p.byPool))
	for pool, list := range p.byPool {
		for _, w := range list {
			if w.poll.Free.Slots > 0 {
				out = append(out, poolRef{w.poll.Org, pool})
				break
			}
		}
	}
	return out
}

type poolRef struct{ org, id id.UUID }

// endWait arranges that a poll which may be parked ends: with its time, with its
// caller, or with news from elsewhere.
func (a *Advancer) endWait(ctx context.Context, r *request, c Poll, answered <-chan struct{}) {
	timer := time.NewTimer(c.Wait)
	defer timer.Stop()
	select {
	case <-answered:
		return
	case <-timer.C:
	case <-ctx.Done():
	case <-c.Wake:
	}
	a.park.expire(c.Session, r)
}
