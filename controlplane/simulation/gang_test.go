package simulation_test

import (
	"slices"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/choose"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// drawGang makes some tasks gangs, of a size that each agent can hold, as replicas
// do not gather agents here; as often as not several share the members. Histories
// for leasecheck have none: it knows one lease of a task at a time.
func (w *world) drawGang(t *plan.Task) {
	if w.opt.record || t.Resources.Slots > 1 || !w.roll(5) {
		return
	}
	t.Resources.GPUs = 0
	t.Gang = &plan.Gang{Size: 2, Spread: plan.SpreadAny}
	t.Timeouts.Start = plan.Millis(pick(w, 0, 6_000, 30_000))
}

// gangClass is what a class says of a gang: size, least size, spread and the
// seconds within which all must start.
func gangClass(t *plan.Task) int64 {
	g := t.Gang
	if g == nil {
		return 0
	}
	class := int64(g.Size)<<32 | int64(g.Min)<<36 | int64(t.Timeouts.Start/1000)<<44
	if g.Spread != plan.SpreadAny {
		class |= 1 << 40
	}
	return class
}

func gangIn(class int64, asking bool) (g choose.Gang, start time.Duration) {
	if asking {
		return choose.Gang{}, 0
	}
	return choose.Gang{Size: int32(class >> 32 & 0xf), Min: int32(class >> 36 & 0xf), Apart: class>>40&1 == 1},
		time.Duration(class>>44&0xff) * time.Second
}

// hasGangs reports whether the end of one lease may mean the end of others.
func hasGangs(g *engine.Graph) bool {
	return slices.ContainsFunc(g.Plan.Tasks, func(t plan.Task) bool { return t.Gang != nil })
}

// membersOf is how many members the attempt had that the entry ends; 0 where it
// was no gang's.
func membersOf(e *engine.Entry) int32 {
	if e.Kind != engine.KindAttemptEnded || e.Detail == nil {
		return 0
	}
	return e.Detail.Gang
}

// writeGangTimers bounds how long a gang's members take to start.
func (b *batch) writeGangTimers() {
	db := b.r.w.db
	for _, run := range b.order {
		x := b.works[run]
		for i := range x.entries {
			if e := &x.entries[i]; membersOf(&e.Entry) > 0 {
				b.tx.write(func() string { delete(db.timers, timerKey{taskKey{run, e.Task}, engine.TimerGang.String()}); return "" })
			}
		}
	}
	for _, l := range b.granted {
		if _, start := gangIn(l.class, l.asking); start > 0 && l.rank == 0 {
			b.tx.write(func() string {
				db.timers[timerKey{taskKey{l.run, l.task}, engine.TimerGang.String()}] = timerRow{l.attempt, b.now.Add(start)}
				db.w.notify(&db.timersChanged)
				return ""
			})
		}
	}
}

// gangs: all members of a gang live or have ended; none was left out.
func (c *checker) gangs(run id.UUID, s *engine.State) {
	type gang struct {
		attempt, size int32
		ranks         map[int32]bool
	}
	all := map[int32]*gang{}
	for _, l := range c.w.db.leases {
		if l.run != run || l.gang == 0 {
			continue
		}
		g := all[l.task]
		if g == nil {
			g = &gang{l.attempt, l.gang, map[int32]bool{}}
			all[l.task] = g
		}
		if g.attempt != l.attempt || g.size != l.gang || g.ranks[l.rank] || l.rank >= l.gang {
			c.w.violate("member %d of %d of task %d of run %s does not belong to %+v", l.rank, l.gang, l.task, run, *g)
		}
		g.ranks[l.rank] = true
	}
	for task, g := range all {
		if ended := s.Gangs[task].Ended; int32(len(g.ranks))+ended != g.size {
			c.w.violate("of the %d members of task %d of run %s %d live and %d have ended", g.size, task, run, len(g.ranks), ended)
		}
	}
}
