package advance

import (
	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/choose"
	"github.com/signalboxhq/signalbox/proto/id"
)

// taker is an agent that could take work in this batch: its poll or report is
// in it, or its poll waits in this replica.
type taker struct {
	session *session
	free    Free
	req     *request
	waiter  *waiter
	leases  []int // indices into batch.granted
}

// head is what a batch reads of a pool's queue.
type head struct {
	limit, read, granted int32
	depth                int32 // how many looks in a row led to this one
}

// How far beyond what fits into their free slots the head of a queue is read,
// and the most that is.
const (
	headMargin = 8
	maxHead    = 1000
)

// gatherTakers lists who could take work: askers of this batch, and waiters of
// the pools in which it may make tasks ready.
func (b *batch) gatherTakers() {
	wanted := map[id.UUID]*demand{}
	for _, r := range b.reqs {
		switch c := r.cmd.(type) {
		case Poll:
			if !c.Draining && !r.silent {
				b.offer(r, c.Free)
			}
		case Report:
			b.offer(r, c.Free)
		case StartRun:
			r.version.demand(wanted, opensFirst)
		case look:
			addDemand(wanted, c.pool, maxBorrowed, c.classes)
			b.heads[c.pool] = &head{depth: c.depth}
		}
	}
	for _, o := range b.ops {
		w := b.runs[o.key]
		switch o.req.cmd.(type) {
		case Report, Lose:
			if w.run != nil {
				w.version.demand(wanted, opensNext)
			}
		case CancelRun, RetryRun, Due:
			if w.run != nil {
				w.version.demand(wanted, opensAll)
			}
		}
	}
	for _, t := range b.takers {
		// Who reports takes what its report makes ready, if it can.
		if d := wanted[t.session.pool]; d != nil {
			d.n -= int(t.free.Slots)
		}
	}
	if b.how.lone {
		return
	}
	b.borrowed = b.a.park.borrow(wanted)
	for _, w := range b.borrowed {
		b.takers = append(b.takers, &taker{session: w.session, free: w.poll.Free, waiter: w})
	}
}

func (b *batch) offer(r *request, free Free) {
	if free.Slots > 0 && r.session != nil {
		t := &taker{session: r.session, free: free, req: r}
		b.takers = append(b.takers, t)
		b.takerOf[r] = t
	}
}

// queueClaims reads the heads of the queues of all pools that somebody takes
// from.
func (b *batch) queueClaims(q *pgx.Batch) {
	refs := map[poolRef]id.UUID{} // the only agent that asks, or Nil
	for _, t := range b.takers {
		ref := poolRef{t.session.org, t.session.pool}
		h := b.heads[ref.id]
		if h == nil {
			h = &head{}
			b.heads[ref.id] = h
		}
		h.limit = min(maxHead, h.limit+t.free.Slots)
		if only, known := refs[ref]; !known {
			refs[ref] = t.session.agent
		} else if only != t.session.agent {
			refs[ref] = id.Nil
		}
	}
	if len(refs) == 0 {
		return
	}
	var orgs, pools, agents []id.UUID
	var limits []int32
	for ref, only := range refs {
		h := b.heads[ref.id]
		h.limit += headMargin
		orgs, pools, limits, agents = append(orgs, ref.org), append(pools, ref.id), append(limits, h.limit), append(agents, only)
	}
	named := args{"orgs": orgs, "pools": pools, "limits": limits, "agents": agents, "unfit": b.a.seen.unfit(b.takers)}
	q.Queue(sqlClaimHeads, named).Query(func(rows pgx.Rows) error {
		var r readyRow
		_, err := pgx.ForEachRow(rows, []any{
			&r.Org, &r.Run, &r.Task, &r.attempt, &r.path, &r.pool, &r.class, &r.priority, &r.since, &r.avoid, &r.avoidUntil,
		}, func() error {
			b.claims = append(b.claims, r)
			b.heads[r.pool].read++
			return nil
		})
		return err
	})
}

// choosePools are the pools as this batch finds them, what it frees included.
func (b *batch) choosePools(works []*runWork) map[id.UUID]choose.Pool {
	freed := map[id.UUID]int64{}
	for _, w := range works {
		for lease := range w.gone {
			if l := b.leases[lease]; l != nil {
				freed[l.pool] += int64(l.slots)
			}
		}
	}
	out := make(map[id.UUID]choose.Pool, len(b.pools))
	for k, p := range b.pools {
		limited := p.slots > 0
		if limited != p.locked {
			b.a.limit(k, limited)
		}
		if limited && !p.locked {
			// It has a limit since it was last read: nothing is given out of it
			// until its leases are counted.
			b.lookAgain(look{org: p.org, pool: k})
			continue
		}
		out[k] = choose.Pool{Paused: p.paused, Limited: limited, SlotsLeft: int64(p.slots) - p.used + freed[k]}
	}
	return out
}

func (b *batch) chooseTakers(infos []candidate) []choose.Taker {
	classes := map[int64]*Requirement{}
	for i := range infos {
		classes[infos[i].class] = &infos[i].req
	}
	out := make([]choose.Taker, len(b.takers))
	for i, t := range b.takers {
		free := choose.Amount{Slots: t.free.Slots, CPUMillis: t.free.CPUMillis, MemoryBytes: t.free.MemoryBytes, GPUs: t.free.GPUs}
		if s := b.living[t.session.id]; s == nil || s.ended || s.draining {
			free = choose.Amount{}
		}
		out[i] = choose.Taker{Agent: t.session.agent, Pool: t.session.pool, Free: free, Satisfies: func(class int64) bool {
			return t.session.satisfies(class, *classes[class])
		}}
	}
	return out
}

func need(r Requirement) choose.Amount {
	return choose.Amount{Slots: r.Slots, CPUMillis: r.CPUMillis, MemoryBytes: r.MemoryBytes, GPUs: r.GPUs}
}
