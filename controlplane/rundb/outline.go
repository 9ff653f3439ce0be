package rundb

import (
	"time"

	"github.com/signalboxhq/signalbox/controlplane/engine"
)

// What one answer shows of a run. Maps may have 100,000 items: of those it shows
// counts only, and ListTasks the rest.
const (
	maxShown  = 2000 // tasks in all
	maxPasses = 20   // of a loop, the last ones
	maxAdded  = 200  // tasks that one step added
)

// Items are how the items of a map, the passes of a loop or the tasks of a group
// stand. Waiting, Running and those that have ended add up to Total.
type Items struct {
	Total, Waiting, Running, Done                           int32
	Succeeded, Failed, Tolerated, Reused, Skipped, Canceled int32
	// Most is how many passes a loop may have; 0 for others.
	Most int32
	// When the first of them began and, once they are over, the last one ended;
	// zero where none did.
	FirstStart, LastEnd time.Time
}

// outline lists the tasks that one answer shows: those of the pipeline itself,
// and below each what came into being of it, as far as there is room.
func (h *history) outline() []int32 {
	g, s := h.graph, h.state
	out := make([]int32, 0, g.Own())
	for i := range g.Own() {
		if g.Plan.Tasks[i].Template {
			continue // only what a step makes of it runs
		}
		out = append(out, i)
		if len(s.Tasks) > 0 {
			out = h.below(out, i)
		}
	}
	return out
}

func (h *history) below(out []int32, owner int32) []int32 {
	g, s := h.graph, h.state
	f, kind := s.Fans[owner], g.KindOf(s, owner)
	if f == nil || kind == engine.KindOfMap {
		return out
	}
	first, most := int32(0), maxShown
	switch kind {
	case engine.KindOfLoop:
		first = max(0, f.Made-maxPasses)
	case engine.KindOfGroup:
	default:
		most = maxAdded
	}
	for i := range g.Inside(s, owner, first) {
		if most--; most < 0 || len(out) >= maxShown {
			return out
		}
		out = h.below(append(out, i), i)
	}
	return out
}

// items tells how what is part of a task stands; nil before it came into being.
func (p *picture) items(owner int32) *Items {
	f := p.state.Fans[owner]
	if f == nil || f.Made == 0 && f.Count == 0 {
		return nil
	}
	out, r := p.counts(owner, f), p.reach(owner)
	out.FirstStart, out.LastEnd = r.first, r.last
	return out
}

func (p *picture) counts(owner int32, f *engine.Fan) *Items {
	kind := p.graph.KindOf(p.state, owner)
	out := &Items{Total: f.Count, Done: f.Done, Failed: f.Bad, Tolerated: f.Tolerated, Skipped: f.Gone}
	if kind == engine.KindOfLoop {
		out.Most = int32(p.graph.Task(p.state, owner).Repeat.Max)
	}
	if kind == engine.KindOfMap || kind == engine.KindOfLoop {
		wide := false
		for it := range p.state.Items(owner) {
			wide = true
			switch it {
			case engine.ItemRuns:
				out.Running++
			case engine.ItemSucceeded:
				out.Succeeded++
			case engine.ItemWaits, engine.ItemFailed, engine.ItemSkipped:
			}
		}
		if wide {
			out.Waiting = max(0, out.Total-out.Done-out.Running)
			return out
		}
	} else {
		out.Total = 0
	}
	*out = Items{Total: out.Total, Most: out.Most}
	for i := range p.graph.Inside(p.state, owner, 0) {
		if out.count(p, i); kind != engine.KindOfMap && kind != engine.KindOfLoop {
			out.Total++
		}
	}
	out.Waiting = max(0, out.Total-out.Done-out.Running)
	return out
}

// count adds one task.
func (n *Items) count(p *picture, i int32) {
	t := &p.state.Tasks[i]
	if t.State.Terminal() {
		n.Done++
	}
	switch t.State {
	case engine.TaskPending:
	case engine.TaskOpen:
		if p.live(i) != nil {
			n.Running++
		}
	case engine.TaskHeld, engine.TaskExpanding:
		n.Running++
	case engine.TaskSucceeded, engine.TaskCached:
		n.Succeeded++
	case engine.TaskReused:
		n.Reused++
	case engine.TaskTolerated:
		n.Tolerated++
	case engine.TaskFailed, engine.TaskUpstreamFailed:
		n.Failed++
	case engine.TaskCanceled:
		n.Canceled++
	case engine.TaskSkipped:
		n.Skipped++
	}
}
