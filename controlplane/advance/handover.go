package advance

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/choose"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
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
	// What its lane was charged, and by the second; nil where there is one lane.
	priority     int32
	lane         *id.UUID
	charge, rate float64
	plan         int32 // the task of the plan
	asking       engine.Ask
	member       *member // nil: no gang's
}

// member is one of a gang that this batch leases.
type member struct {
	of   *gang
	rank int32
}

// gang is an attempt that several agents get at once.
type gang struct {
	size       int32
	rendezvous string // the address of member 0's agent
	startMS    int64
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
	plan     int32
	asking   engine.Ask
}

// handOver lets what became ready and the heads of the queues compete for the
// takers. Winners get a lease in this transaction, losers stay in the queue.
func (b *batch) handOver(ctx context.Context, conn *pgx.Conn) error {
	works := b.works()
	b.unhold(works)
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
	b.settleLanes(works)
	if len(list) == 0 {
		return nil
	}
	result := choose.Choose(choose.Scene{
		Now: b.now, Pools: pools, Candidates: list, Takers: b.chooseTakers(infos), Limits: b.scene, Lanes: b.lanes, Clocks: b.clocks,
	})
	gangs := b.gangs(infos, result.Assignments)
	for _, a := range result.Assignments {
		if err := b.grant(ctx, conn, infos[a.Candidate], &list[a.Candidate], a, gangs[a.Candidate]); err != nil {
			return err
		}
		b.heads[list[a.Candidate].Pool].granted++
	}
	b.chargeLanes(result)
	if !b.how.lone {
		b.follow(list, infos, result.Why)
	}
	return nil
}

// gangs are the candidates that are, as far as they were assigned: all members
// of one, or none.
func (b *batch) gangs(infos []candidate, assigned []choose.Assignment) map[int]*gang {
	var out map[int]*gang
	for _, a := range assigned {
		asked := infos[a.Candidate].req.Gang
		if asked == nil {
			continue
		}
		if out == nil {
			out = map[int]*gang{}
		}
		if a.Rank == 0 {
			out[a.Candidate] = &gang{rendezvous: b.takers[a.Taker].session.address, startMS: asked.StartMS}
		}
		out[a.Candidate].size++
	}
	return out
}

// opening describes a task that became ready in this batch.
func (b *batch) opening(w *runWork, o opened) (choose.Candidate, candidate) {
	t, node := w.version.info(w.state, o.Task, o.Asking), w.version.graph.Node(w.state, o.Task)
	task := &w.version.graph.Plan.Tasks[node]
	s := b.a.settings.of(t.pool)
	lane, name := s.laneOf(&w.info)
	c := choose.Candidate{
		Pool: t.pool, Class: t.class, Priority: w.info.priority + int32(task.Priority), Lane: lane, Since: o.At,
		Run: w.key.Run, Task: o.Task, Avoid: o.Avoid.Agent, AvoidUntil: o.Avoid.Until,
		Prefer: o.by, // its caches are warm
	}
	b.weigh(choose.LaneKey{Pool: c.Pool, Priority: c.Priority, Lane: lane}, s, name)
	path := w.version.name(w.state, o.Task)
	b.require(&c, t.req, path)
	b.use(&c, w.key.Org, w.info.workspace, t.req.Uses)
	return c, candidate{
		key: taskKey{w.key, o.Task}, attempt: o.Attempt, path: path, class: t.class,
		readyAt: o.At, hasTimer: o.queued && task.Timeouts.Queue > 0, req: t.req, plan: node, asking: o.Asking,
	}
}

// require adds what a candidate needs.
func (b *batch) require(c *choose.Candidate, req Requirement, path string) {
	c.Need = need(req)
	if g := req.Gang; g != nil {
		c.Gang = choose.Gang{Size: g.Size, Min: g.Min, Apart: g.Apart}
	}
	s := b.a.settings.of(c.Pool)
	if s == nil {
		return
	}
	if s.laned {
		c.Seconds = b.a.estimates.seconds(c.Class, path)
	}
	if s.reserveAfter > 0 && b.now.Sub(c.Since) >= s.reserveAfter {
		but := id.Nil
		if b.now.Before(c.AvoidUntil) {
			but = c.Avoid
		}
		c.Possible = b.a.voices.could(c.Pool, c.Class, req, but)
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
		Pool: r.pool, Class: r.class, Priority: r.priority, Lane: r.lane, Since: r.since, Run: r.Run, Task: r.Task,
	}
	if r.avoid != nil {
		c.Avoid = *r.avoid
	}
	if r.avoidUntil != nil {
		c.AvoidUntil = *r.avoidUntil
	}
	b.require(&c, req, r.path)
	b.use(&c, r.Org, b.workspaceOf(r.pool), req.Uses)
	// A run that is not in the cache may have any timers.
	timer := true
	s, name := b.a.settings.of(c.Pool), ""
	if known := b.a.runs.get(r.RunKey); known != nil {
		if lane, key := s.laneOf(&known.info); lane == r.lane {
			name = key
		}
		timer = known.version.graph.Plan.Tasks[r.plan].Timeouts.Queue > 0
	}
	b.weigh(choose.LaneKey{Pool: c.Pool, Priority: c.Priority, Lane: c.Lane}, s, name)
	return c, candidate{
		key: r.taskKey, attempt: r.attempt, path: r.path, class: r.class, readyAt: r.since, queued: true, hasTimer: timer, req: req,
		plan: r.plan, asking: r.asking,
	}, nil
}

func (b *batch) grant(ctx context.Context, conn *pgx.Conn, c candidate, of *choose.Candidate, a choose.Assignment, all *gang) error {
	lease, err := b.a.nextLease(ctx, conn)
	if err != nil {
		return err
	}
	t := b.takers[a.Taker]
	t.leases = append(t.leases, len(b.granted))
	g := grant{
		key: c.key, attempt: c.attempt, path: c.path, class: c.class, slots: c.req.Slots,
		readyAt: c.readyAt, id: lease, taker: t, queueTimer: c.hasTimer, priority: of.Priority, plan: c.plan, asking: c.asking,
	}
	if s := b.a.settings.of(of.Pool); s != nil && s.laned {
		g.lane, g.charge, g.rate = &of.Lane, a.Charge, a.Charge/of.Seconds
	}
	if all != nil {
		g.member, g.queueTimer = &member{all, a.Rank}, g.queueTimer && a.Rank == 0
	}
	b.granted = append(b.granted, g)
	if g.lane != nil {
		b.laneOf(c.key.Org, choose.LaneKey{Pool: of.Pool, Priority: of.Priority, Lane: of.Lane}).charge += a.Charge
	}
	if a.Rank > 0 {
		return nil
	}
	b.take(c, t.session.workspace)
	if c.queued {
		b.unready = append(b.unready, c.key)
		return nil
	}
	w := b.runs[c.key.RunKey]
	delete(w.opened, c.key.Task)
	delete(w.timers, timerKey{engine.TimerQueue.String(), c.key.Task})
	return nil
}
