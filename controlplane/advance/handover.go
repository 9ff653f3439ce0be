package advance

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/choose"
	"github.com/signalboxhq/signalbox/controlplane/engine"
)

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
	hasTimer bool // a queue timer of it may run
	req      Requirement
}

// handOver lets what became ready and the heads of the queues compete for the
// takers. Winners get a lease in this transaction, losers stay in the queue.
func (b *batch) handOver(ctx context.Context, conn *pgx.Conn) error {
	works := b.works()
	var list []choose.Candidate
	var infos []candidate
	for _, w := range works {
		for _, o := range w.opened {
			if !o.Wait {
				c, info := b.opening(w, o)
				list, infos = append(list, c), append(infos, info)
			}
		}
	}
	for i := range b.claims {
		r := &b.claims[i]
		if w := b.runs[r.RunKey]; w != nil && w.failed == nil && (w.closed[r.Task] || w.finished) {
			continue // this batch takes it back
		}
		c, info, err := b.claimed(ctx, conn, r)
		if err != nil {
			return err
		}
		list, infos = append(list, c), append(infos, info)
	}
	pools := b.choosePools(works)
	if len(list) == 0 {
		return nil
	}
	taken := make([]bool, len(list))
	for _, a := range choose.Choose(b.now, pools, list, b.chooseTakers(infos)) {
		if err := b.grant(ctx, conn, infos[a.Candidate], b.takers[a.Taker]); err != nil {
			return err
		}
		c := &list[a.Candidate]
		taken[a.Candidate] = true
		p := pools[c.Pool]
		p.SlotsLeft -= int64(c.Need.Slots)
		pools[c.Pool] = p
		b.heads[c.Pool].granted++
	}
	if !b.how.lone {
		b.follow(list, infos, taken, pools)
	}
	return nil
}

// opening describes a task that became ready in this batch.
func (b *batch) opening(w *runWork, o opened) (choose.Candidate, candidate) {
	t := &w.version.tasks[o.Task]
	task := &w.version.graph.Plan.Tasks[o.Task]
	c := choose.Candidate{
		Pool: t.pool, Class: t.class, Priority: w.info.priority + int32(task.Priority), Since: o.At,
		Run: w.key.Run, Task: o.Task, Need: need(t.req), Avoid: o.Avoid.Agent, AvoidUntil: o.Avoid.Until,
		Prefer: o.by, // its caches are warm
	}
	return c, candidate{
		key: taskKey{w.key, o.Task}, attempt: o.Attempt, path: task.Name, class: t.class,
		readyAt: o.At, hasTimer: o.queued && task.Timeouts.Queue > 0, req: t.req,
	}
}

// claimed describes a row of the queue. Its class is read on the batch's own
// connection: whoever has the pool's may wait for the locks of this batch.
func (b *batch) claimed(ctx context.Context, conn *pgx.Conn, r *readyRow) (choose.Candidate, candidate, error) {
	req, err := b.a.versions.class(ctx, conn, r.Org, r.class)
	if err != nil {
		return choose.Candidate{}, candidate{}, err
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
	// A run that is not in the cache may have any timers.
	timer := true
	if known := b.a.runs.get(r.RunKey); known != nil {
		timer = known.version.graph.Plan.Tasks[r.Task].Timeouts.Queue > 0
	}
	return c, candidate{
		key: r.taskKey, attempt: r.attempt, path: r.path, class: r.class, readyAt: r.since, queued: true, hasTimer: timer, req: req,
	}, nil
}

func (b *batch) grant(ctx context.Context, conn *pgx.Conn, c candidate, t *taker) error {
	lease, err := b.a.nextLease(ctx, conn)
	if err != nil {
		return err
	}
	t.leases = append(t.leases, len(b.granted))
	b.granted = append(b.granted, grant{
		key: c.key, attempt: c.attempt, path: c.path, class: c.class, slots: c.req.Slots,
		readyAt: c.readyAt, id: lease, taker: t, queueTimer: c.hasTimer,
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
