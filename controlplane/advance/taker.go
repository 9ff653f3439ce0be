package advance

import (
	"context"
	"time"

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

// head is what a batch reads of a pool's queues.
type head struct {
	limit, granted int32
	depth          int32 // how many looks in a row led to this one
	reads          []*queueRead
}

// How far beyond what fits into their free slots the heads of queues are read,
// and the most that is.
const (
	headMargin = 8
	maxHead    = 1000
)

// gatherTakers lists who could take work: askers of this batch, and waiters of
// the pools in which it may make tasks ready.
func (b *batch) gatherTakers(ctx context.Context, conn *pgx.Conn) error {
	wanted := map[id.UUID]*demand{}
	var looks []look
	for _, r := range b.reqs {
		switch c := r.cmd.(type) {
		case Poll:
			if !c.Draining && !r.silent {
				b.offer(r, c.Free)
			}
			b.a.voices.note(r.session)
		case Report:
			b.offer(r, c.Free)
			b.a.voices.note(r.session)
		case StartRun:
			r.version.demand(wanted, opensFirst)
		case Wake:
			if r.start != nil {
				r.version.demand(wanted, opensFirst)
			}
		case look:
			looks = append(looks, c)
		}
	}
	for _, o := range b.ops {
		w := b.runs[o.key]
		switch o.req.cmd.(type) {
		case Report, Lose:
			if w.run != nil {
				w.version.demand(wanted, opensNext)
			}
		case CancelRun, RetryRun, Due, Wake:
			if w.run != nil {
				w.version.demand(wanted, opensAll)
			}
		}
	}
	if err := b.discover(ctx, conn, looks); err != nil {
		return err
	}
	for _, l := range looks {
		if l.classes == nil {
			l.classes = b.a.requirements(l.pool)
		}
		d := demand{classes: l.classes}
		addDemand(wanted, l.pool, d.most(), l.classes)
		b.heads[l.pool] = &head{depth: l.depth}
	}
	for _, t := range b.takers {
		// Who reports takes what its report makes ready, if it can.
		if d := wanted[t.session.pool]; d != nil {
			d.n -= int(t.free.Slots)
		}
	}
	if b.how.lone {
		return nil
	}
	b.borrowed = b.a.park.borrow(wanted)
	for _, w := range b.borrowed {
		b.takers = append(b.takers, &taker{session: w.session, free: w.poll.Free, waiter: w})
	}
	return nil
}

// discover finds what stands in the pools that somebody asks for, where that was
// not found out lately.
func (b *batch) discover(ctx context.Context, conn *pgx.Conn, looks []look) error {
	now := time.Now()
	asked := map[poolRef]bool{}
	for _, t := range b.takers {
		asked[poolRef{t.session.org, t.session.pool}] = true
	}
	for _, l := range looks {
		asked[poolRef{l.org, l.pool}] = true
	}
	var refs []poolRef
	for ref := range asked {
		if b.a.directory.stale(ref.id, now) {
			refs = append(refs, ref)
		}
	}
	if len(refs) == 0 {
		return nil
	}
	return b.a.findQueues(ctx, conn, refs)
}

func (b *batch) offer(r *request, free Free) {
	if free.takes() && r.session != nil {
		t := &taker{session: r.session, free: free, req: r}
		b.takers = append(b.takers, t)
		b.takerOf[r] = t
	}
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
		out[k] = choose.Pool{
			Paused: p.paused, Limited: limited, Slots: int64(p.slots), SlotsLeft: int64(p.slots) - p.used + freed[k],
			ReserveAfter: p.setting.reserveAfter,
		}
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
		decisions := int(t.free.Decisions)
		if s := b.living[t.session.id]; s == nil || s.ended || s.draining {
			free, decisions = choose.Amount{}, 0
		}
		out[i] = choose.Taker{Agent: t.session.agent, Pool: t.session.pool, Free: free, Decisions: decisions, Satisfies: func(class int64) bool {
			return t.session.satisfies(class, *classes[class])
		}}
	}
	return out
}

func need(r Requirement) choose.Amount {
	return choose.Amount{Slots: r.Slots, CPUMillis: r.CPUMillis, MemoryBytes: r.MemoryBytes, GPUs: r.GPUs}
}
