package advance

import (
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/proto/id"
)

// maxKnown bounds how many leases are remembered: one takes about 300 bytes.
const maxKnown = 50_000

// know remembers the leases that a batch gave, and forgets those that it ended:
// most are reported to the replica that gave them, which then need not be told
// all that never changes. That a lease is there, whose it is and since when, only
// its locked row says: nobody is billed from memory. Of a gang's each is read in full.
func (a *Advancer) know(b *batch) {
	for _, w := range b.runs {
		for lease := range w.gone {
			delete(a.known, lease)
		}
	}
	for i := range b.granted {
		if g := &b.granted[i]; g.member == nil {
			evict(a.known, maxKnown)
			a.known[g.id] = g.row(b.now)
		}
	}
}

// row is the lease as it is written.
func (g *grant) row(now time.Time) *leaseRow {
	s := g.taker.session
	return &leaseRow{
		org: s.org, session: s.id, agent: s.agent, pool: s.pool, run: g.key.Run, lane: g.lane,
		priority: g.priority, charge: g.charge, rate: g.rate, id: g.id, class: g.class, slots: g.slots,
		task: g.key.Task, attempt: g.attempt, path: g.path, readyAt: g.readyAt.UTC(), grantedAt: now,
		phase: "leased", plan: g.plan, asking: g.asking,
	}
}

// knows reports whether all leases are remembered.
func (a *Advancer) knows(leases []int64) bool {
	for _, l := range leases {
		if a.known[l] == nil {
			return false
		}
	}
	return true
}

// scanKnown reads the rows of remembered leases.
func (a *Advancer) scanKnown(rows pgx.Rows, each func(*leaseRow)) error {
	var lease int64
	var session id.UUID
	var granted time.Time
	var started *time.Time
	_, err := pgx.ForEachRow(rows, []any{&lease, &session, &granted, &started}, func() error {
		v := *a.known[lease]
		v.session, v.grantedAt, v.startedAt = session, granted.UTC(), started
		each(&v)
		return nil
	})
	return err
}
