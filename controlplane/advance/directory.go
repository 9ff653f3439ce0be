package advance

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// queueKey names a queue: what is ready in one pool with one priority, lane and
// class. All of it can be taken by the same agents, oldest first.
type queueKey struct {
	priority int32
	lane     id.UUID
	class    int64
}

// queueHint is what is remembered of a queue. The rows are the truth.
type queueHint struct {
	head time.Time // since when its first row waits, when it was last read
	deep bool      // there was more than was read
	read time.Time // when it was last read, by this machine's clock
	// Rows before from were gone when it was last read from its beginning, at
	// full: what deleted rows a snapshot holds there is not read over and over.
	from time.Time
	full time.Time
}

// directory remembers in which queues of a pool something stands, so that a
// batch reads the heads of these and nothing else: neither what no agent of its
// own can run, nor the queues one by one to find them. It is a hint: it is found
// anew when somebody says that there is more, and every while.
type directory struct {
	mu    sync.Mutex
	pools map[id.UUID]*poolQueues
}

type poolQueues struct {
	org    id.UUID
	queues map[queueKey]*queueHint
	found  time.Time // when it was last found out, by this machine's clock; zero: it must be
}

// staleAfter is how long what stands in a pool is believed. Pools for which
// somebody waits are looked at each second anyway.
const staleAfter = 2 * time.Second

// maxQueues bounds how many queues of a pool are found, and maxRead how many of
// them a batch reads.
const (
	maxQueues = 1024
	maxRead   = 64
)

func newDirectory() *directory { return &directory{pools: map[id.UUID]*poolQueues{}} }

// note remembers that something was put into a queue.
func (d *directory) note(org, pool id.UUID, key queueKey) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.pools[pool]
	if p == nil {
		evict(d.pools, maxPools)
		p = &poolQueues{org: org, queues: map[queueKey]*queueHint{}}
		d.pools[pool] = p
	}
	if p.queues[key] == nil && len(p.queues) < maxQueues {
		p.queues[key] = &queueHint{}
	}
}

// doubt makes the pool be found anew: somebody put something into it.
func (d *directory) doubt(pool id.UUID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p := d.pools[pool]; p != nil {
		p.found = time.Time{}
	}
}

// stale reports whether what stands in the pool must be found.
func (d *directory) stale(pool id.UUID, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.pools[pool]
	return p == nil || now.Sub(p.found) > staleAfter
}

// replace sets what was found in a pool. What is remembered of queues that are
// still there stays.
func (d *directory) replace(org, pool id.UUID, keys []queueKey, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.pools[pool]
	evict(d.pools, maxPools)
	p := &poolQueues{org: org, queues: make(map[queueKey]*queueHint, len(keys)), found: now}
	for _, k := range keys {
		p.queues[k] = &queueHint{}
		if before != nil && before.queues[k] != nil {
			p.queues[k] = before.queues[k]
		}
	}
	d.pools[pool] = p
}

// classes lists the classes that stand in a pool.
func (d *directory) classes(pool id.UUID) []int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.pools[pool]
	if p == nil {
		return nil
	}
	found := map[int64]bool{}
	for k := range p.queues {
		found[k.class] = true
	}
	return slices.Collect(maps.Keys(found))
}

// queueRead is a queue that a batch reads.
type queueRead struct {
	queueKey

	limit int32
	from  time.Time // zero: from its beginning
	got   int32
}

// plan says which queues of a pool to read, and how far: those that fits says
// yes to, the highest priority first, so many rows that together they could fill
// limit; behind a priority that has more than enough, only heads are read. Of
// those that only peek says yes to, the head alone. Of too many, those that were
// read longest ago.
func (d *directory) plan(pool id.UUID, limit int32, now time.Time, fits func(class int64) bool, peek func(class int64, head time.Time) bool) []*queueRead {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.pools[pool]
	if p == nil || len(p.queues) == 0 {
		return nil
	}
	type chosen struct {
		key  queueKey
		hint *queueHint
		fits bool
	}
	var list []chosen
	for k, h := range p.queues {
		if ok := fits(k.class); ok || peek(k.class, h.head) {
			list = append(list, chosen{k, h, ok})
		}
	}
	slices.SortFunc(list, func(x, y chosen) int {
		return cmp.Or(cmp.Compare(y.key.priority, x.key.priority), x.hint.read.Compare(y.hint.read))
	})
	if len(list) > maxRead {
		list = list[:maxRead]
	}
	out := make([]*queueRead, 0, len(list))
	enough := false
	for i := 0; i < len(list); {
		n := i + 1
		for n < len(list) && list[n].key.priority == list[i].key.priority {
			n++
		}
		share := limit
		if n-i > 4 {
			share = max(headMargin, 4*limit/int32(n-i))
		}
		if enough {
			share = min(share, headMargin)
		}
		for _, c := range list[i:n] {
			r := &queueRead{queueKey: c.key, limit: share}
			if !c.fits {
				r.limit = 1
			} else if c.hint.deep {
				enough = true
			}
			if now.Sub(c.hint.full) < time.Second {
				r.from = c.hint.from
			}
			c.hint.read = now
			out = append(out, r)
		}
		i = n
	}
	return out
}

// sinceSlack is how much later another replica may commit what it put into a
// queue, without it being passed over until the queue is read from its beginning.
const sinceSlack = 100 * time.Millisecond

// saw remembers how a queue was found: the age of its head, and whether it ends.
// One that was found empty, and read in full, is forgotten.
func (d *directory) saw(pool id.UUID, r *queueRead, head time.Time, filtered bool, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.pools[pool]
	if p == nil || p.queues[r.queueKey] == nil {
		return
	}
	h := p.queues[r.queueKey]
	h.deep = r.got >= r.limit && r.limit > 1
	switch {
	case r.got == 0 && filtered:
	case r.got == 0 && r.from.IsZero():
		delete(p.queues, r.queueKey)
	case r.got == 0:
		h.full = time.Time{}
	default:
		if h.head = head; filtered {
			return
		}
		if r.from.IsZero() {
			h.full = now
		}
		h.from = head.Add(-sinceSlack)
	}
}
