package local

import (
	"cmp"
	"container/heap"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/controlplane/agentmsg"
	"github.com/signalboxhq/signalbox/controlplane/dispatch/choose"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// opened is an open attempt that nobody holds.
type opened struct {
	engine.Opening

	queued bool
}

// waiting is a place in the queue. What was closed or leased meanwhile is left
// out when its turn comes.
type waiting struct {
	run      *run
	task     int32
	attempt  int32
	priority int32
	since    time.Time
}

// queue is ordered as choose.Choose orders: by priority, then age, or what stands
// for it where it is shuffled.
type queue []waiting

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q queue) Less(i, j int) bool {
	a, b := &q[i], &q[j]
	if c := cmp.Or(cmp.Compare(b.priority, a.priority), a.since.Compare(b.since)); c != 0 {
		return c < 0
	}
	return a.task < b.task
}

// Push and Pop serve container/heap.
func (q *queue) Push(x any) { *q = append(*q, x.(waiting)) }

// Pop takes the last one.
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

// open makes an attempt ready, now or when its wait is over. The lock is held.
func (p *Plane) open(r *run, o engine.Opening) {
	kept := &opened{Opening: o}
	r.opened[o.Task] = kept
	if o.Wait {
		p.soon(o.At)
		return
	}
	p.enqueue(r, o.Task, kept)
}

func (p *Plane) enqueue(r *run, task int32, o *opened) {
	o.queued = true
	t := r.version.graph.Task(r.state, task)
	since := o.At
	if p.config.Shuffle != nil {
		since = time.Unix(p.config.Shuffle.Int64N(1<<32), 0)
	}
	heap.Push(&p.queue, waiting{run: r, task: task, attempt: o.Attempt, priority: r.priority + int32(t.Priority), since: since})
}

// maxHeads is how many at the head of the queue compete for what the agent
// offers: many more than it has slots.
const maxHeads = 256

// take leases what fits into what the agent offers. The lock is held.
func (p *Plane) take(free *agentv1.Capacity) []*agentv1.Lease {
	if free.GetSlots() == 0 && free.GetDecisions() == 0 {
		return nil
	}
	heads, aside := p.heads()
	defer func() {
		for i := range aside {
			heap.Push(&p.queue, aside[i])
		}
	}()
	scene := choose.Scene{
		Now: p.now(), Pools: map[id.UUID]choose.Pool{p.pool: {}},
		Takers: []choose.Taker{{
			Agent: p.agent.id, Pool: p.pool, Decisions: int(free.GetDecisions()), Satisfies: func(int64) bool { return true },
			Free: choose.Amount{
				Slots: int32(free.GetSlots()), CPUMillis: free.GetCpuMillis(), MemoryBytes: free.GetMemoryBytes(), GPUs: int32(free.GetGpus()),
			},
		}},
	}
	for i := range heads {
		scene.Candidates = append(scene.Candidates, p.candidate(&heads[i]))
	}
	var out []*agentv1.Lease
	given := map[int]bool{}
	for _, a := range choose.Choose(scene).Assignments {
		if !given[a.Candidate] {
			given[a.Candidate] = true
			out = append(out, p.lease(&heads[a.Candidate]))
		}
	}
	for i := range heads {
		if !given[i] {
			aside = append(aside, heads[i])
		}
	}
	return out
}

// heads takes the head of the queue out of it, and sets aside what the agent
// could never run.
func (p *Plane) heads() (heads, aside []waiting) {
	for len(p.queue) > 0 && len(heads) < maxHeads {
		w := heap.Pop(&p.queue).(waiting)
		o := w.run.opened[w.task]
		switch {
		case o == nil || o.Attempt != w.attempt || !o.queued:
		case p.missing(w.run, w.task) != "":
			aside = append(aside, w)
		default:
			heads = append(heads, w)
		}
	}
	return heads, aside
}

// candidate is a task as choose weighs it. There is one pool, one agent and
// nobody to be fair to; limits and gangs are the workspace's, and not kept here.
func (p *Plane) candidate(w *waiting) choose.Candidate {
	c := choose.Candidate{Pool: p.pool, Priority: w.priority, Since: w.since, Run: w.run.id, Task: w.task, Possible: true}
	if w.run.opened[w.task].Asking == engine.AskNothing {
		c.Need = needOf(w.run.version.graph.Task(w.run.state, w.task))
	}
	return c
}

func needOf(t *plan.Task) choose.Amount {
	return choose.Amount{
		Slots: int32(max(1, t.Resources.Slots)), CPUMillis: t.Resources.CPUMillis, MemoryBytes: t.Resources.MemoryBytes, GPUs: int32(t.Resources.GPUs),
	}
}

// missing says what the agent lacks for a task, however free it is; empty: nothing.
func (p *Plane) missing(r *run, task int32) string {
	c := p.agent.capacity
	t := r.version.graph.Task(r.state, task)
	if c == nil || r.state.Tasks[task].Asking != engine.AskNothing {
		return ""
	}
	var lacks []string
	lack := func(format string, args ...any) { lacks = append(lacks, fmt.Sprintf(format, args...)) }
	need := needOf(t)
	if need.Slots > int32(c.GetSlots()) {
		lack("%d slots of %d", need.Slots, c.GetSlots())
	}
	if need.CPUMillis > c.GetCpuMillis() {
		lack("%d CPU millis of %d", need.CPUMillis, c.GetCpuMillis())
	}
	if need.MemoryBytes > c.GetMemoryBytes() {
		lack("%d bytes of memory of %d", need.MemoryBytes, c.GetMemoryBytes())
	}
	if need.GPUs > int32(c.GetGpus()) {
		lack("%d GPUs of %d", need.GPUs, c.GetGpus())
	} else if types := t.Resources.GPUTypes; need.GPUs > 0 && len(types) > 0 && !slices.Contains(types, c.GetGpuType()) {
		lack("a GPU of type %s", strings.Join(types, " or "))
	}
	for _, key := range slices.Sorted(maps.Keys(t.Select)) {
		if p.agent.labels[key] != t.Select[key] {
			lack("the label %s=%s", key, t.Select[key])
		}
	}
	if len(lacks) == 0 {
		return ""
	}
	return "this machine's agent lacks " + strings.Join(lacks, ", ")
}

// lease gives the right to run an attempt. The lock is held.
func (p *Plane) lease(w *waiting) *agentv1.Lease {
	r, o := w.run, w.run.opened[w.task]
	delete(r.opened, w.task)
	p.lastLease++
	g, s := r.version.graph, r.state
	t, path := g.Task(s, w.task), g.Path(s, w.task)
	l := &lease{
		id: p.lastLease, run: r, task: w.task, attempt: o.Attempt, asking: o.Asking, agent: p.agent.id, ready: o.At, granted: p.now(), sent: p.now(), phase: "leased",
	}
	l.message = &agentv1.Lease{
		Id: l.id, RunId: id.Format(id.Run, r.id), RunNumber: r.number, Pipeline: r.pipeline, Version: r.version.digest.String(),
		Task: path, Attempt: uint32(max(0, o.Attempt)), GrantedAt: timestamppb.New(l.granted), Labels: r.labels,
		HasInputs: true, Decision: agentmsg.Decision(o.Asking),
	}
	if t.Name != path {
		l.message.PlanTask = t.Name
	}
	for _, k := range g.Indexes(s, w.task) {
		l.message.Indexes = append(l.message.Indexes, uint32(k))
	}
	if d := g.Plan.Deadline; d > 0 {
		l.message.Deadline = timestamppb.New(s.GenerationAt.Add(time.Duration(d) * time.Millisecond))
	}
	if t.Exit != "" && s.Outcome != engine.RunPending {
		l.message.RunOutcome = s.Outcome.String()
	}
	p.leases[l.id] = l
	return l.message
}
