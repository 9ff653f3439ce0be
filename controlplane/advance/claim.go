package advance

import (
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// claimArgs are the heads of queues that a batch reads.
type claimArgs struct {
	orgs, pools, lanes, agents []id.UUID
	priorities, limits         []int32
	classes                    []int64
	froms                      []time.Time
	reads                      []*queueRead
}

// queueClaims reads the heads of the queues of all pools that somebody takes
// from: of those that its takers could run something of, and of those whose head
// has waited so long that room may have to be kept free for it.
func (b *batch) queueClaims(q *pgx.Batch) {
	b.readAt = time.Now()
	only := map[poolRef]id.UUID{} // the only agent that asks, or Nil
	takers := map[id.UUID][]*taker{}
	for _, t := range b.takers {
		ref := poolRef{t.session.org, t.session.pool}
		h := b.heads[ref.id]
		if h == nil {
			h = &head{}
			b.heads[ref.id] = h
		}
		h.limit = min(maxHead, h.limit+t.free.Slots+t.free.Decisions)
		if agent, known := only[ref]; !known {
			only[ref] = t.session.agent
		} else if agent != t.session.agent {
			only[ref] = id.Nil
		}
		takers[ref.id] = append(takers[ref.id], t)
	}
	var all claimArgs
	for ref, agent := range only {
		h := b.heads[ref.id]
		h.limit += headMargin
		h.reads = b.a.directory.plan(ref.id, h.limit, b.readAt, b.fitting(takers[ref.id]), b.peeking(ref.id))
		for _, r := range h.reads {
			all.add(ref, agent, r)
		}
	}
	if len(all.reads) == 0 {
		return
	}
	q.Queue(sqlClaimHeads, all.args()).Query(func(rows pgx.Rows) error { return b.scanClaims(rows, &all) })
}

// fitting reports for a class whether one of the takers can serve it now, with
// what it has free.
func (b *batch) fitting(takers []*taker) func(class int64) bool {
	known := map[int64]bool{}
	return func(class int64) bool {
		ok, asked := known[class]
		if asked {
			return ok
		}
		if req, remembered := b.a.versions.requirement(class); remembered {
			for _, t := range takers {
				if ok = req.fits(t.free) && t.session.satisfies(class, req); ok {
					break
				}
			}
		}
		known[class] = ok
		return ok
	}
}

// peeking reports whether to read the head of a queue that nobody here could
// take from now.
func (b *batch) peeking(pool id.UUID) func(class int64, head time.Time) bool {
	s := b.a.settings.of(pool)
	return func(class int64, head time.Time) bool {
		if s == nil || s.reserveAfter <= 0 || b.readAt.Sub(head) < s.reserveAfter {
			return false
		}
		req, remembered := b.a.versions.requirement(class)
		return remembered && b.a.voices.could(pool, class, req, id.Nil)
	}
}

func (a *claimArgs) add(ref poolRef, agent id.UUID, r *queueRead) {
	a.orgs, a.pools, a.lanes, a.agents = append(a.orgs, ref.org), append(a.pools, ref.id), append(a.lanes, r.lane), append(a.agents, agent)
	a.priorities, a.limits = append(a.priorities, r.priority), append(a.limits, r.limit)
	a.classes, a.froms, a.reads = append(a.classes, r.class), append(a.froms, r.from), append(a.reads, r)
}

func (a *claimArgs) args() args {
	return args{
		"orgs": a.orgs, "pools": a.pools, "priorities": a.priorities, "lanes": a.lanes, "classes": a.classes,
		"limits": a.limits, "agents": a.agents, "froms": a.froms,
	}
}

// scanClaims takes the heads in, and remembers how the queues were found.
func (b *batch) scanClaims(rows pgx.Rows, all *claimArgs) error {
	heads := make([]time.Time, len(all.reads))
	var r readyRow
	var n int64
	var asking string
	_, err := pgx.ForEachRow(rows, []any{
		&n, &r.Org, &r.Run, &r.Task, &r.attempt, &r.path, &r.pool, &r.class, &r.priority, &r.lane, &r.since, &r.avoid, &r.avoidUntil,
		&r.plan, &asking,
	}, func() error {
		var err error
		if r.asking, err = engine.ParseAsk(asking); err != nil {
			return err
		}
		q := all.reads[n-1]
		if q.got == 0 {
			heads[n-1] = r.since
		}
		q.got++
		b.claims = append(b.claims, r)
		return nil
	})
	if err != nil {
		return err
	}
	for i, q := range all.reads {
		b.a.directory.saw(all.pools[i], q, heads[i], all.agents[i] != id.Nil, b.readAt)
	}
	return nil
}

// orgOf is the organization of a pool that somebody takes from in this batch.
func (b *batch) orgOf(pool id.UUID) id.UUID {
	for _, t := range b.takers {
		if t.session.pool == pool {
			return t.session.org
		}
	}
	return id.Nil
}
