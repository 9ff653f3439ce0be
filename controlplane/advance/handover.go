package advance

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/choose"
	"github.com/signalboxhq/signalbox/controlplane/engine"
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

// grant is a lease that this batch gives.
type grant struct {
	key        taskKey
	attempt    int32
	path       string
	class      int64
	slots      int32
	readyAt    time.Time
	id         int64
	taker      *taker
	queueTimer bool
}

// candidate is a task that competes, and where it stands now.
type candidate struct {
	key      taskKey
	attempt  int32
	path     string
	class    int64
	readyAt  time.Time
	queued   bool // it is a row of ready
	hasQueue bool // a queue timer runs, or would be set
	req      Requirement
}

// How many parked agents of a pool compete in one batch, and how far beyond
// their free slots the head of its queue is read.
const (
	maxBorrowed = 64
	headMargin  = 8
	maxHead     = 256
)

// gatherTakers lists who could take work: askers of this batch, and waiters of
// the pools that its runs or askers concern.
func (b *batch) gatherTakers() {
	pools := map[id.UUID]bool{}
	for _, r := range b.reqs {
		switch c := r.cmd.(type) {
		case Poll:
			if c.Free.Slots > 0 && !c.Draining {
				b.takers = append(b.takers, &taker{session: r.session, free: c.Free, req: r})
			}
		case Report:
			if c.Free.Slots > 0 {
				b.takers = append(b.takers, &taker{session: r.session, free: c.Free, req: r})
			}
		case StartRun:
			for i := range r.version.tasks {
				pools[r.version.tasks[i].pool] = true
			}
		case look:
			pools[c.pool] = true
		}
	}
	for k := range b.runs {
		if cached := b.a.runs.get(k); cached != nil {
			for i := range cached.version.tasks {
				pools[cached.version.tasks[i].pool] = true
			}
		}
	}
	for _, t := range b.takers {
		pools[t.session.pool] = true
	}
	b.borrowed = b.a.park.borrow(pools, maxBorrowed)
	for _, w := range b.borrowed {
		b.takers = append(b.takers, &taker{session: w.session, free: w.poll.Free, waiter: w})
	}
}

func (b *batch) queueClaims(q *pgx.Batch) {
	want := map[poolRef]int32{}
	for _, t := range b.takers {
		ref := poolRef{t.session.org, t.session.pool}
		want[ref] = min(maxHead, want[ref]+t.free.Slots)
	}
	if len(want) == 0 {
		return
	}
	var orgs, pools []id.UUID
	var limits []int32
	for ref, n := range want {
		orgs, pools, limits = append(orgs, ref.org), append(pools, ref.id), append(limits, n+headMargin)
	}
	args := pgx.NamedArgs{"orgs": orgs, "pools": pools, "limits": limits, "unfit": b.a.seen.unfit(b.takers)}
	q.Queue(sqlClaimHeads, args).Query(func(rows pgx.Rows) error {
		var r readyRow
		_, err := pgx.ForEachRow(rows, []any{
			&r.Org, &r.Run, &r.Task, &r.attempt, &r.path, &r.pool, &r.lane, &r.class, &r.priority, &r.since, &r.avoid, &r.avoidUntil,
		}, func() error {
			b.claims = append(b.claims, r)
			return nil
		})
		return err
	})
}

// handOver lets what became ready and the heads of the queues compete for the
// takers. Winners get a lease in this transaction, losers stay in the queue.
func (b *batch) handOver(ctx context.Context) error {
	var list []choose.Candidate
	var infos []candidate
	for _, w := range b.works() {
		for _, o := range w.opened {
			if !o.Wait {
				c, info := b.opening(w, o)
				list, infos = append(list, c), append(infos, info)
			}
		}
	}
	for i := range b.claims {
		c, info, ok, err := b.claimed(ctx, &b.claims[i])
		if err != nil {
			return err
		}
		if ok {
			list, infos = append(list, c), append(infos, info)
		}
	}
	if len(list) == 0 {
		return nil
	}
	for _, a := range choose.Choose(b.now, b.choosePools(), list, b.chooseTakers()) {
		if err := b.grant(ctx, infos[a.Candidate], b.takers[a.Taker]); err != nil {
			return err
		}
	}
	b.noteHeads()
	return nil
}

// opening describes a task that became ready in this batch.
func (b *batch) opening(w *runWork, o engine.Opening) (choose.Candidate, candidate) {
	t := &w.version.tasks[o.Task]
	task := &w.version.graph.Plan.Tasks[o.Task]
	c := choose.Candidate{
		Pool: t.pool, Class: t.class, Priority: w.info.priority + int32(task.Priority), Since: o.At,
		Run: w.key.Run, Task: o.Task, Need: need(t.req), Avoid: o.Avoid.Agent, AvoidUntil: o.Avoid.Until,
	}
	for i := range w.entries {
		if l := w.entries[i].lease; l != nil && l.agent != c.Avoid {
			c.Prefer = l.agent // whose report made it ready: its caches are warm
		}
	}
	return c, candidate{
		key: taskKey{w.key, o.Task}, attempt: o.Attempt, path: task.Name, class: t.class,
		readyAt: o.At, hasQueue: task.Timeouts.Queue > 0, req: t.req,
	}
}

// claimed describes a row of the queue, unless this batch takes it back.
func (b *batch) claimed(ctx context.Context, r *readyRow) (choose.Candidate, candidate, bool, error) {
	if w := b.runs[r.RunKey]; w != nil && (w.closed[r.Task] || w.finished) {
		return choose.Candidate{}, candidate{}, false, nil
	}
	req, err := b.a.versions.class(ctx, r.Org, r.class)
	if err != nil {
		return choose.Candidate{}, candidate{}, false, err
	}
	c := choose.Candidate{
		Pool: r.pool, Class: r.class, Priority: r.priority, Since: r.since, Run: r.Run, Task: r.Task, Need: need(req),
	}
	if r.avoid != nil {
		c.Avoid = *r.avoid
	}
	if r.avoidUntil != nil {
		c.AvoidUntil = *r.avoidUntil
	}
	return c, candidate{
		key: r.taskKey, attempt: r.attempt, path: r.path, class: r.class, readyAt: r.since, queued: true, hasQueue: true, req: req,
	}, true, nil
}

func need(r Requirement) choose.Amount {
	return choose.Amount{Slots: r.Slots, CPUMillis: r.CPUMillis, MemoryBytes: r.MemoryBytes, GPUs: r.GPUs}
}

func (b *batch) choosePools() map[id.UUID]choose.Pool {
	out := make(map[id.UUID]choose.Pool, len(b.pools))
	for k, p := range b.pools {
		freed := int64(0)
		for _, w := range b.runs {
			for lease := range w.gone {
				if l := b.leases[lease]; l != nil && l.pool == k {
					freed += int64(w.slotsOf(l.task))
				}
			}
		}
		out[k] = choose.Pool{Paused: p.paused, Limited: p.slots > 0, SlotsLeft: int64(p.slots) - p.used + freed}
	}
	return out
}

func (w *runWork) slotsOf(task int32) int32 { return w.version.tasks[task].req.Slots }

func (b *batch) chooseTakers() []choose.Taker {
	out := make([]choose.Taker, len(b.takers))
	for i, t := range b.takers {
		free := choose.Amount{Slots: t.free.Slots, CPUMillis: t.free.CPUMillis, MemoryBytes: t.free.MemoryBytes, GPUs: t.free.GPUs}
		if s := b.living[t.session.id]; s == nil || s.ended || s.draining {
			free = choose.Amount{}
		}
		out[i] = choose.Taker{Agent: t.session.agent, Pool: t.session.pool, Free: free, Satisfies: func(class int64) bool {
			req, ok := b.a.versions.knownClass(class)
			return ok && t.session.satisfies(class, req)
		}}
	}
	return out
}

func (b *batch) grant(ctx context.Context, c candidate, t *taker) error {
	lease, err := b.a.nextLease(ctx)
	if err != nil {
		return err
	}
	t.leases = append(t.leases, len(b.granted))
	b.granted = append(b.granted, grant{
		key: c.key, attempt: c.attempt, path: c.path, class: c.class, slots: c.req.Slots,
		readyAt: c.readyAt, id: lease, taker: t, queueTimer: c.queued && c.hasQueue,
	})
	if c.queued {
		b.unready = append(b.unready, c.key)
		return nil
	}
	w := b.runs[c.key.RunKey]
	delete(w.opened, c.key.Task)
	delete(w.timers, timerKey{engine.TimerQueue.String(), c.key.Task})
	return nil
}
