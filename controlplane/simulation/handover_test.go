package simulation_test

import (
	"cmp"
	"slices"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/choose"
	"github.com/signalboxhq/signalbox/proto/id"
)

// taker is an agent that could take work in this batch.
type taker struct {
	agent, session id.UUID
	pool           int
	free           int32
	leases         []*leaseRow
}

// gatherTakers lists who could take work: those who ask in this batch, and those
// who wait in this replica.
func (b *batch) gatherTakers(lone bool) {
	r := b.r
	for pool := range r.w.db.pools {
		delete(r.looks, pool)
	}
	for _, q := range b.reqs {
		switch c := q.cmd.(type) {
		case poll:
			for _, p := range r.parked {
				if p.cmd.(poll).session == c.session {
					r.leave(p) // it has asked anew
					break
				}
			}
			b.offer(q, c.agent, c.session, c.free)
		case reportAll:
			b.offer(q, c.agent, c.session, c.free)
		}
	}
	if lone {
		return
	}
	b.borrowed, r.parked = r.parked, nil
	for _, q := range b.borrowed {
		q.taker, q.orders, q.resend = nil, nil, nil
		c := q.cmd.(poll)
		b.offer(q, c.agent, c.session, c.free)
	}
}

func (b *batch) offer(q *request, agent, session id.UUID, free int32) {
	if !q.over {
		q.taker = &taker{agent: agent, session: session, pool: b.r.w.poolOf(agent), free: free}
		b.takers = append(b.takers, q.taker)
	}
}

// Sessions, as controlplane/advance keeps them.
const (
	sessionTTL   = 32 * time.Second
	renewalSlack = 2 * time.Second
	resendAfter  = 5 * time.Second
)

// heartbeats renews the sessions of this batch's requests, compares what agents
// hold with the rows, and then ends what has expired.
func (b *batch) heartbeats() {
	renewed := map[id.UUID]bool{}
	for _, q := range b.reqs {
		switch c := q.cmd.(type) {
		case poll:
			s := b.living[c.session]
			if s == nil || s.ended {
				q.err = errExpired
				continue
			}
			b.renewSession(s, renewed)
			if c.lists {
				b.compare(q, c)
			}
		case reportAll:
			if s := b.living[c.session]; s != nil && !s.ended {
				b.renewSession(s, renewed)
			}
		}
	}
	for _, q := range b.reqs {
		c, ok := q.cmd.(endSession)
		if !ok {
			continue
		}
		if s := b.living[c.session]; s != nil && !s.ended && s.expires.Before(b.now) && !renewed[s.id] {
			s.ended, q.value = true, true
			b.ended = append(b.ended, s.id)
			b.tell = append(b.tell, s.id)
		}
	}
}

func (b *batch) renewSession(s *sessionRow, renewed map[id.UUID]bool) {
	if !renewed[s.id] && s.expires.Before(b.now.Add(sessionTTL-renewalSlack)) {
		renewed[s.id] = true
		b.renew = append(b.renew, s.id)
	}
}

// compare tells an agent what to do with what it holds, and sends again what it
// should hold: the answer that carried it was lost.
func (b *batch) compare(q *request, c poll) {
	rows := map[int64]*leaseRow{}
	for _, l := range b.listed[c.session] {
		if w := b.works[l.run]; w == nil || !w.gone[l.id] {
			rows[l.id] = l
		}
	}
	held := map[int64]bool{}
	for _, h := range c.held {
		held[h.lease] = true
		l := rows[h.lease]
		switch {
		case l == nil:
			q.orders = append(q.orders, order{lease: h.lease, stale: true})
			continue
		case l.stop:
			q.orders = append(q.orders, order{lease: h.lease})
		}
		if h.started && l.started.IsZero() {
			b.phases[l.id] = clamp(b.now.Add(-h.since), l.granted, b.now)
		}
	}
	for _, l := range b.listed[c.session] {
		if rows[l.id] != nil && !held[l.id] && b.now.Sub(l.granted) > resendAfter {
			q.resend = append(q.resend, l)
			if q.taker != nil {
				q.taker.free -= l.slots
			}
		}
	}
}

// handOver lets what became ready and the heads of the queues compete.
func (b *batch) handOver() {
	w := b.r.w
	b.unhold()
	var list []choose.Candidate
	var keys []taskKey
	var rows []readyRow
	add := func(k taskKey, row readyRow) {
		need, _ := needOf(row.class, row.asking)
		gang, _ := gangIn(row.class, row.asking)
		list = append(list, choose.Candidate{
			Pool: w.poolID(row.pool), Class: row.class, Priority: row.priority, Since: row.since, Run: k.run, Task: k.task,
			Need: need, Avoid: row.avoid.Agent, AvoidUntil: row.avoid.Until, Possible: w.possible(row), Uses: w.db.usesIn(row.class, row.asking), Gang: gang,
		})
		keys, rows = append(keys, k), append(rows, row)
	}
	for _, run := range b.order {
		x := b.works[run]
		for _, task := range sortedKeys(x.opened) {
			if o := x.opened[task]; !o.Wait {
				add(taskKey{run, task}, b.readyRow(run, x, task))
			}
		}
	}
	fresh := len(list)
	for _, k := range b.claims {
		if x := b.works[k.run]; x != nil && (x.closed[k.task] || x.finished) {
			continue // this batch takes it back
		}
		add(k, b.claimed[k])
	}
	result := choose.Choose(choose.Scene{Now: b.now, Pools: b.choosePools(), Candidates: list, Takers: b.chooseTakers(), Limits: b.chooseLimits()})
	members := map[int]int32{}
	for _, a := range result.Assignments {
		members[a.Candidate]++
	}
	for _, a := range result.Assignments {
		if a.Rank > 0 && w.opt.plant == plantGang {
			continue
		}
		t, row, k := b.takers[a.Taker], rows[a.Candidate], keys[a.Candidate]
		_, slots := needOf(row.class, row.asking)
		l := &leaseRow{
			id: w.db.nextLease, session: t.session, agent: t.agent, pool: row.pool, run: k.run, task: k.task,
			attempt: row.attempt, asking: row.asking, class: row.class, slots: slots, granted: b.now,
		}
		w.db.nextLease++
		if list[a.Candidate].Gang.Size > 0 {
			l.rank, l.gang = a.Rank, members[a.Candidate]
		}
		t.leases = append(t.leases, l)
		b.granted = append(b.granted, l)
		if l.rank > 0 {
			continue
		}
		b.take(l)
		if a.Candidate >= fresh {
			b.unready = append(b.unready, k)
			continue
		}
		x := b.works[k.run]
		delete(x.opened, k.task)
		delete(x.timers, timerKey{k, "queue"})
	}
}

func (b *batch) readyRow(run id.UUID, x *runWork, task int32) readyRow {
	o := x.opened[task]
	g := b.graph(run, x)
	p := g.Task(x.state, task)
	var priority int32
	if row := b.r.w.db.runs[run]; row != nil {
		priority = row.priority
	} else {
		priority = x.start.cmd.(startRun).priority
	}
	return readyRow{
		attempt: o.Attempt, asking: o.Attempt < 0, pool: poolNamed(p.Pool), class: classOf(p),
		priority: priority + int32(p.Priority), since: o.At, avoid: o.Avoid,
	}
}

func (b *batch) choosePools() map[id.UUID]choose.Pool {
	w := b.r.w
	freed := map[int]int64{}
	for _, run := range b.order {
		for lease := range b.works[run].gone {
			if l := b.leases[lease]; l != nil {
				freed[l.pool] += int64(l.slots)
			}
		}
	}
	out := map[id.UUID]choose.Pool{}
	for i, p := range w.db.pools {
		used, counted := b.used[i]
		if p.slots > 0 && !counted {
			continue
		}
		out[p.id] = choose.Pool{
			Limited: p.slots > 0, Slots: int64(p.slots), SlotsLeft: int64(p.slots) - used + freed[i], ReserveAfter: time.Minute,
		}
	}
	return out
}

func (b *batch) chooseTakers() []choose.Taker {
	out := make([]choose.Taker, len(b.takers))
	for i, t := range b.takers {
		free, decisions := choose.Amount{Slots: t.free, GPUs: b.r.w.agentOf(t.agent).gpus}, decisionsEach
		if s := b.living[t.session]; s == nil || (s.ended && b.r.w.opt.plant != plantSessionFence) {
			free, decisions = choose.Amount{}, 0
		}
		out[i] = choose.Taker{Agent: t.agent, Pool: b.r.w.poolID(t.pool), Free: free, Decisions: decisions, Satisfies: func(class int64) bool {
			need, _ := needOf(class, false)
			return need.GPUs <= b.r.w.agentOf(t.agent).gpus
		}}
	}
	return out
}

// decisionsEach is how many decisions an agent takes with one request.
const decisionsEach = 4

// possible reports whether some agent of the pool could ever run a task.
func (w *world) possible(row readyRow) bool {
	need, _ := needOf(row.class, row.asking)
	return slices.ContainsFunc(w.agents, func(a *agent) bool {
		// Of a gang each member; no gang is drawn for which there are too few agents.
		return a.pool == row.pool && need.Slots <= a.slots && need.GPUs <= a.gpus
	})
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
