package advance

import (
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// writeDispatch writes where tasks are now: out of the queue, into it, leased,
// told to stop.
func (b *batch) writeDispatch(q *writer, works []*runWork) {
	b.writeUnready(q, works)
	b.writeReady(q, works)
	b.writeLeases(q)
	b.writeStops(q, works)
	b.writePhases(q)
}

func (b *batch) writeUnready(q *writer, works []*runWork) {
	var orgs, runs []id.UUID
	var tasks []int32
	add := func(k taskKey) {
		orgs, runs, tasks = append(orgs, k.Org), append(runs, k.Run), append(tasks, k.Task)
	}
	for _, w := range works {
		for t := range w.closed {
			if k := (taskKey{w.key, t}); b.ready[k] {
				add(k)
			}
		}
	}
	for _, k := range b.unready {
		add(k)
	}
	if len(tasks) > 0 {
		q.exactly(len(tasks), "take from the queue", sqlDeleteReady, args{"orgs": orgs, "runs": runs, "tasks": tasks})
	}
}

func (b *batch) writeReady(q *writer, works []*runWork) {
	var orgs, runs, pools, lanes []id.UUID
	var avoids []*id.UUID
	var tasks, attempts, priorities, nodes []int32
	var classes []int64
	var paths, askings []string
	var sinces []time.Time
	var untils []*time.Time
	for _, w := range works {
		for _, o := range w.opened {
			if o.Wait {
				continue
			}
			t, node := w.version.info(w.state, o.Task, o.Asking), w.version.graph.Node(w.state, o.Task)
			task := &w.version.graph.Plan.Tasks[node]
			lane, _ := b.a.settings.of(t.pool).laneOf(&w.info)
			orgs, runs, pools, lanes = append(orgs, w.key.Org), append(runs, w.key.Run), append(pools, t.pool), append(lanes, lane)
			tasks, attempts = append(tasks, o.Task), append(attempts, o.Attempt)
			priorities, classes = append(priorities, w.info.priority+int32(task.Priority)), append(classes, t.class)
			paths, sinces = append(paths, w.version.graph.Path(w.state, o.Task)), append(sinces, o.At)
			nodes, askings = append(nodes, node), append(askings, o.Asking.String())
			avoids, untils = append(avoids, nullID(o.Avoid.Agent)), append(untils, nullTime(o.Avoid.Until))
			b.wakePools[t.pool] = true
			b.a.directory.note(w.key.Org, t.pool, queueKey{w.info.priority + int32(task.Priority), lane, t.class})
		}
	}
	if len(tasks) > 0 {
		q.exactly(len(tasks), "put into the queue", sqlInsertReady, args{
			"orgs": orgs, "runs": runs, "tasks": tasks, "attempts": attempts, "paths": paths, "pools": pools, "classes": classes,
			"priorities": priorities, "lanes": lanes, "sinces": sinces, "avoids": avoids, "untils": untils,
			"plan_tasks": nodes, "askings": askings,
		})
	}
}

func (b *batch) writeLeases(q *writer) {
	n := len(b.granted)
	if n == 0 {
		return
	}
	orgs, sessions, agents, pools, runs := make([]id.UUID, n), make([]id.UUID, n), make([]id.UUID, n), make([]id.UUID, n), make([]id.UUID, n)
	ids, classes := make([]int64, n), make([]int64, n)
	tasks, attempts, slots, nodes := make([]int32, n), make([]int32, n), make([]int32, n), make([]int32, n)
	paths, askings, readies := make([]string, n), make([]string, n), make([]time.Time, n)
	priorities, lanes := make([]int32, n), make([]*id.UUID, n)
	charges, rates := make([]float64, n), make([]float64, n)
	ranks, gangs, rendezvouses := make([]int32, n), make([]*int32, n), make([]*string, n)
	for i, g := range b.granted {
		s := g.taker.session
		orgs[i], sessions[i], agents[i], pools[i], runs[i] = s.org, s.id, s.agent, s.pool, g.key.Run
		ids[i], classes[i], tasks[i], attempts[i], slots[i] = g.id, g.class, g.key.Task, g.attempt, g.slots
		paths[i], readies[i], nodes[i], askings[i] = g.path, g.readyAt, g.plan, g.asking.String()
		priorities[i], lanes[i], charges[i], rates[i] = g.priority, g.lane, g.charge, g.rate
		if m := g.member; m != nil {
			ranks[i], gangs[i], rendezvouses[i] = m.rank, &m.of.size, &m.of.rendezvous
		}
	}
	q.exactly(n, "insert leases", sqlInsertLeases, args{
		"now": b.now, "orgs": orgs, "ids": ids, "sessions": sessions, "agents": agents, "pools": pools, "runs": runs,
		"tasks": tasks, "attempts": attempts, "paths": paths, "classes": classes, "slots": slots, "readies": readies,
		"priorities": priorities, "lanes": short(lanes), "charges": charges, "rates": rates,
		"plan_tasks": nodes, "askings": askings, "ranks": short(ranks), "gangs": short(gangs), "rendezvouses": short(rendezvouses),
	})
}

func (b *batch) writeStops(q *writer, works []*runWork) {
	var orgs []id.UUID
	var ids, graces []int64
	for _, w := range works {
		held := map[int32][]*leaseRow{} // of a gang several
		if len(w.stops) > 0 {
			for _, l := range b.byRun[w.key] {
				held[l.task] = append(held[l.task], l)
			}
		}
		for _, s := range w.stops {
			for _, l := range held[s.Task] {
				if l.attempt == s.Attempt && !w.gone[l.id] {
					orgs, ids, graces = append(orgs, l.org), append(ids, l.id), append(graces, int64(s.Grace))
					b.wakeSessions[l.session] = true
				}
			}
		}
		// A fenced lease's step must be ended too: its session is told "stale".
		for _, l := range w.fenced {
			b.wakeSessions[l.session] = true
		}
	}
	if len(ids) > 0 {
		q.exec(sqlStopLeases, args{"orgs": orgs, "ids": ids, "graces": graces})
	}
}

// phaseChange is what a heartbeat told that differs from the row.
type phaseChange struct {
	org     id.UUID
	lease   int64
	phase   string
	started *time.Time
}

func (b *batch) writePhases(q *writer) {
	var orgs []id.UUID
	var ids []int64
	var phases []string
	var starteds []*time.Time
	for _, p := range b.phases {
		orgs, ids = append(orgs, p.org), append(ids, p.lease)
		phases, starteds = append(phases, p.phase), append(starteds, p.started)
	}
	if len(ids) > 0 {
		q.exec(sqlTellPhases, args{"orgs": orgs, "ids": ids, "phases": phases, "starteds": starteds})
	}
}
