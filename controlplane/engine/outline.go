package engine

import (
	"iter"
	"strconv"
	"strings"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// What a task is, as people see it.
const (
	KindOfMap      = "map"
	KindOfLoop     = "loop"
	KindOfGroup    = "group"
	KindOfStep     = "step"
	KindOfWait     = "wait"
	KindOfSignal   = "signal"
	KindOfApprove  = "approve"
	KindOfPipeline = "pipeline"
)

// KindOf says what task i is: a map's items are what is mapped.
func (g *Graph) KindOf(s *State, i int32) string {
	nd := g.node(s, i)
	t := &g.Plan.Tasks[nd.task]
	switch {
	case nd.layer == layerMap:
		return KindOfMap
	case nd.layer == layerLoop:
		return KindOfLoop
	case nd.layer == layerGroup:
		return KindOfGroup
	case t.Wait != nil:
		return KindOfWait
	case t.Signal != nil:
		return KindOfSignal
	case t.Approve != nil:
		return KindOfApprove
	case t.Pipeline != nil:
		return KindOfPipeline
	}
	return KindOfStep
}

// Owner is the task whose body task i is part of; false for the pipeline's own.
func (g *Graph) Owner(s *State, i int32) (int32, bool) {
	p := s.place(i)
	if p.block < 0 {
		return 0, false
	}
	return s.Blocks[p.block].Owner, true
}

// Ordinal is the number of the item or pass that task i is, or is part of; false
// where its owner is a group or a step.
func (g *Graph) Ordinal(s *State, i int32) (int32, bool) {
	p := s.place(i)
	if p.block < 0 {
		return 0, false
	}
	l := g.node(s, s.Blocks[p.block].Owner).layer
	return s.ordinal(p), l == layerMap || l == layerLoop
}

// HasItemsOfItsOwn reports whether what task i does is done by items that are
// instances of the same task of the plan.
func (g *Graph) HasItemsOfItsOwn(s *State, i int32) bool {
	nd := g.node(s, i)
	return nd.layer != layerWork && !g.nodes[nd.body].outer
}

// Upstream lists the tasks that task i needs, those beside it.
func (g *Graph) Upstream(s *State, i int32) []int32 {
	p := s.place(i)
	first := i - p.off
	var out []int32
	if p.block >= 0 && s.Blocks[p.block].Members != nil {
		for _, off := range s.Blocks[p.block].Members[p.off].Needs {
			out = append(out, first+off)
		}
		return out
	}
	nd := &g.nodes[p.node]
	if !nd.outer {
		return nil // it begins whenever its owner does
	}
	for _, up := range g.Plan.Tasks[nd.task].Needs {
		if p.block < 0 {
			out = append(out, int32(up))
		} else {
			out = append(out, first+g.offset(s.Blocks[p.block].Node, int32(up)))
		}
	}
	return out
}

// Inside yields the tasks of an owner that exist in this generation, item by
// item from the one with number first; templates are left out.
func (g *Graph) Inside(s *State, owner, first int32) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		f := s.Fans[owner]
		if f == nil {
			return
		}
		for _, b := range f.Blocks {
			bl := &s.Blocks[b]
			from, to := max(first, bl.First), min(f.Made, bl.First+bl.Count)
			for i := bl.Base + (from-bl.First)*bl.Width; i < bl.Base+(to-bl.First)*bl.Width; i++ {
				if bl.Members == nil && g.Task(s, i).Template {
					continue
				}
				if !yield(i) {
					return
				}
			}
		}
	}
}

// End is the entry that has what a task left, in its run or in one that it was
// taken over from.
type End struct {
	Task int32
	Run  id.UUID
	Seq  int64
}

// Ends lists where what tasks left lies, of those that have ended; run is the
// state's own.
func (s *State) Ends(run id.UUID, which []int32) []End {
	var out []End
	for _, i := range which {
		if int(i) >= len(s.Tasks) || !s.Tasks[i].State.Terminal() || s.Tasks[i].EndSeq == 0 {
			continue
		}
		e := End{i, run, s.Tasks[i].EndSeq}
		if o, ok := s.Origins[i]; ok && s.Tasks[i].State == TaskReused {
			e.Run, e.Seq = s.Seed.Runs[o.Run], o.Seq
		}
		out = append(out, e)
	}
	return out
}

// Item is how an item stands that is made of several tasks.
type Item uint8

// How an item stands.
const (
	ItemWaits Item = iota
	ItemRuns
	ItemFailed // within what is tolerated or not: see Fan
	ItemSkipped
	ItemSucceeded
)

// Items yields how the made items of an owner stand whose items are several
// tasks each; nothing for other owners.
func (s *State) Items(owner int32) iter.Seq[Item] {
	return func(yield func(Item) bool) {
		f := s.Fans[owner]
		if f == nil {
			return
		}
		for _, b := range f.Blocks {
			bl := &s.Blocks[b]
			for k := range min(bl.Count, f.Made-bl.First) {
				if bl.Left == nil || !yield(itemOf(bl, k, bl.First+k < f.Begun)) {
					return
				}
			}
		}
	}
}

func itemOf(bl *Block, k int32, begun bool) Item {
	switch {
	case bl.Left[k] > 0 && begun:
		return ItemRuns
	case bl.Left[k] > 0:
		return ItemWaits
	case bl.Bad[k] > 0:
		return ItemFailed
	case bl.Gone[k] == bl.Width:
		return ItemSkipped
	}
	return ItemSucceeded
}

// Find is the task of that path, if it exists. Of tasks that a step added more
// than once it is the last one.
func (g *Graph) Find(s *State, path string) (int32, bool) {
	name, rest := cutPath(path)
	_, at, ok := g.Plan.Task(name)
	i := int32(at)
	if !ok || i >= g.top || int(i) >= len(s.Tasks) && rest != "" {
		return 0, false
	}
	for rest != "" {
		if strings.HasPrefix(rest, "[") {
			number, after, closed := strings.Cut(rest[1:], "]")
			k, err := strconv.ParseInt(number, 10, 32)
			if l := g.node(s, i).layer; err != nil || !closed || strconv.FormatInt(k, 10) != number || l != layerMap && l != layerLoop {
				return 0, false
			}
			if i, rest, ok = g.findItem(s, i, int32(k), after); !ok {
				return 0, false
			}
			continue
		}
		name, rest = cutPath(rest[1:])
		if i, ok = g.findMember(s, i, 0, name); !ok {
			return 0, false
		}
	}
	return i, true
}

// cutPath takes the first name off a path.
func cutPath(path string) (name, rest string) {
	if at := strings.IndexAny(path, "[/"); at >= 0 {
		return path[:at], path[at:]
	}
	return path, ""
}

// findItem goes into an item: to its one task, or to the one that the path names
// next.
func (g *Graph) findItem(s *State, owner, ordinal int32, rest string) (int32, string, bool) {
	if s.Fans[owner] == nil || ordinal < 0 {
		return 0, "", false
	}
	base := s.item(owner, ordinal)
	if base < 0 {
		return 0, "", false
	}
	if !g.node(s, base).outer {
		return base, rest, true
	}
	if !strings.HasPrefix(rest, "/") {
		return 0, "", false
	}
	name, rest := cutPath(rest[1:])
	i, ok := g.findMember(s, owner, ordinal, name)
	return i, rest, ok
}

// findMember is the task of that name in an item of its owner.
func (g *Graph) findMember(s *State, owner, ordinal int32, name string) (int32, bool) {
	if s.Fans[owner] == nil {
		return 0, false
	}
	base := s.item(owner, ordinal)
	if base < 0 {
		return 0, false
	}
	bl := &s.Blocks[s.place(base).block]
	for off := range bl.Width {
		if bl.Members != nil {
			if bl.Members[off].ID == name {
				return base + off, true
			}
			continue
		}
		if nd := &g.nodes[bl.Node+off]; nd.outer && lastName(&g.Plan.Tasks[nd.task]) == name {
			return base + off, true
		}
	}
	return 0, false
}

func lastName(t *plan.Task) string { return t.Name[strings.LastIndexByte(t.Name, '/')+1:] }
