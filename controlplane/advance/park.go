package advance

import (
	"slices"
	"sync"

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

// park holds the waiting polls of this replica, by pool. Every poll in it is
// answered exactly once: by the batch that borrowed it, or by leaving.
type park struct {
	mu        sync.Mutex
	byPool    map[id.UUID][]*waiter // who was asked last stands last
	bySession map[id.UUID]*waiter
	closed    bool

	// What was heard since the batch under way began: a poll that it found
	// nothing for has not seen this, and must not be parked over it.
	batch        bool
	newsPools    map[id.UUID]bool
	newsSessions map[id.UUID]bool
}

func newPark() *park {
	return &park{
		byPool: map[id.UUID][]*waiter{}, bySession: map[id.UUID]*waiter{},
		newsPools: map[id.UUID]bool{}, newsSessions: map[id.UUID]bool{},
	}
}

// begin prepares a batch. A session has one poll for work: one in the park that
// a poll of the batch follows is answered, and of several in the batch the last
// one counts. Otherwise what an agent has free would be offered twice.
func (p *park) begin(reqs []*request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.batch = true
	clear(p.newsPools)
	clear(p.newsSessions)
	last := map[id.UUID]*request{}
	for _, r := range reqs {
		c, ok := r.cmd.(Poll)
		if !ok {
			continue
		}
		r.silent = r.over
		if c.Wait <= 0 && !c.Free.takes() {
			continue // a heartbeat beside the poll that waits
		}
		if earlier := last[c.Session]; earlier != nil {
			earlier.silent = true
		}
		last[c.Session] = r
		if w := p.bySession[c.Session]; w != nil {
			p.leave(w)
		}
	}
}

// end says that the polls of the batch are parked.
func (p *park) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.batch = false
}

// add parks a poll. It reports whether its pool's queue must be looked at again,
// because somebody said so while the batch was under way.
func (p *park) add(w *waiter) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.req.over || w.req.silent || p.closed || p.newsSessions[w.poll.Session] {
		w.req.answer(&Work{}, nil)
		return false
	}
	if old := p.bySession[w.poll.Session]; old != nil {
		p.leave(old)
	}
	p.bySession[w.poll.Session] = w
	p.byPool[w.session.pool] = append(p.byPool[w.session.pool], w)
	return p.newsPools[w.session.pool] && w.wants()
}

// wants reports whether the waiter could take work.
func (w *waiter) wants() bool { return w.poll.Free.takes() && !w.poll.Draining && !w.over }

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

// remove takes a waiter out, in place: a pool has thousands of them, and each
// leaves several times a minute.
func (p *park) remove(w *waiter) bool {
	pool := w.session.pool
	i := slices.Index(p.byPool[pool], w)
	if i < 0 {
		return false
	}
	if p.byPool[pool] = slices.Delete(p.byPool[pool], i, i+1); len(p.byPool[pool]) == 0 {
		delete(p.byPool, pool)
	}
	if p.bySession[w.poll.Session] == w {
		delete(p.bySession, w.poll.Session)
	}
	return true
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
// is new.
func (p *park) wake(session id.UUID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.batch {
		p.newsSessions[session] = true
	}
	if w := p.bySession[session]; w != nil {
		p.leave(w)
	}
}

// hear notes that there is work for a pool. It names the pool if somebody here
// waits for it.
func (p *park) hear(pool id.UUID) (poolRef, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.batch {
		p.newsPools[pool] = true
	}
	for _, w := range p.byPool[pool] {
		if w.wants() {
			return poolRef{w.poll.Org, pool}, true
		}
	}
	return poolRef{}, false
}

// scatter ends the wait of all who wait for a pool with room, and of whoever is
// about to.
func (p *park) scatter(pool id.UUID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range slices.Clone(p.byPool[pool]) {
		if w.wants() {
			p.leave(w)
		}
	}
}

// wakeAll ends the wait of all polls.
func (p *park) wakeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for session, w := range p.bySession {
		if p.batch {
			p.newsSessions[session] = true
		}
		p.leave(w)
	}
}

// close answers all who wait, and whoever would.
func (p *park) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.wakeAll()
}

// How many waiters of a pool compete in one batch, and how many are asked
// whether they could.
const (
	maxBorrowed = 64
	maxAsked    = 1024
)

// borrow hands waiters to a batch, for each pool as many as it could use. They
// are given back with restore, and stand behind those that were not asked.
func (p *park) borrow(pools map[id.UUID]*demand) []*waiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []*waiter
	for pool, d := range pools {
		list := p.byPool[pool]
		asked, left := 0, min(d.n, d.most())
		for ; asked < min(len(list), maxAsked) && left > 0; asked++ {
			if w := list[asked]; !w.borrowed && w.wants() && w.serves(d.classes) {
				out = append(out, w)
				left--
			}
		}
		if asked < len(list) {
			first := slices.Clone(list[:asked])
			copy(list[copy(list, list[asked:]):], first)
		}
	}
	for _, w := range out {
		w.borrowed = true
	}
	return out
}

// serves reports whether a waiter has room for a task of one of the classes.
func (w *waiter) serves(classes map[int64]Requirement) bool {
	if classes == nil {
		return true
	}
	for class, req := range classes {
		if req.fits(w.poll.Free) && w.session.satisfies(class, req) {
			return true
		}
	}
	return false
}

// waits reports whether somebody waits for a pool who could take one of the
// classes.
func (p *park) waits(pool id.UUID, classes map[int64]Requirement) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.byPool[pool] {
		if w.wants() && w.serves(classes) {
			return true
		}
	}
	return false
}

// couldTake reports whether somebody waits here, and was not borrowed, who could
// take a task of the class now.
func (p *park) couldTake(pool id.UUID, class int64, req Requirement, but id.UUID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := map[int64]Requirement{class: req}
	for _, w := range p.byPool[pool] {
		if !w.borrowed && w.wants() && w.session.agent != but && w.serves(one) {
			return true
		}
	}
	return false
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
			if w.wants() {
				out = append(out, poolRef{w.poll.Org, pool})
				break
			}
		}
	}
	return out
}

type poolRef struct{ org, id id.UUID }
