package advance

import (
	"context"

	"github.com/signalboxhq/signalbox/proto/id"
)

// Queued is how many requests wait for a batch.
func (a *Advancer) Queued() int {
	a.queue.mu.Lock()
	defer a.queue.mu.Unlock()
	return a.queue.total
}

// Parked is how many polls wait for work.
func (a *Advancer) Parked() int {
	a.park.mu.Lock()
	defer a.park.mu.Unlock()
	return len(a.park.bySession)
}

// Cached reports whether a run is in the cache.
func (a *Advancer) Cached(key RunKey) bool { return a.runs.get(key) != nil }

// Evict drops a run from the cache, as a full one does.
func (a *Advancer) Evict(key RunKey) { a.runs.drop(key) }

// Corrupt makes the rules of a cached run panic.
func (a *Advancer) Corrupt(key RunKey) {
	r := *a.runs.get(key)
	v := *r.version
	v.graph = nil
	r.version = &v
	a.runs.drop(key)
	a.runs.put(&r)
}

// Ahead makes the cached state of a run one that no commit stands behind.
func (a *Advancer) Ahead(key RunKey) { a.runs.get(key).state.Seq += 5 }

// CorruptSession makes whatever looks at what a session can do panic.
func (a *Advancer) CorruptSession(session id.UUID) {
	a.sessions.mu.Lock()
	defer a.sessions.mu.Unlock()
	a.sessions.known[session].satisfied = nil
}

// Known is what is remembered of a lease, and what its row says.
func (a *Advancer) Known(ctx context.Context, org, run id.UUID, lease int64) (known, read any, err error) {
	rows, err := a.pool.Query(ctx, sqlLockLeases, args{"orgs": []id.UUID{org}, "runs": []id.UUID{run}, "ids": []int64{lease}})
	if err != nil {
		return nil, nil, err
	}
	err = scanLeases(rows, func(l *leaseRow) { read = l })
	if k := a.known[lease]; k != nil {
		known = k
	}
	return known, read, err
}
