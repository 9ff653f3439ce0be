package engine

import "slices"

// Source is one task that left what another reads.
type Source struct {
	Task int32
	// Output is its name there: a group hands out its inner tasks' outputs.
	Output string
	// Indexes are the ordinals of the maps between source and reader, outermost
	// first, Counts how many items these have: a reader outside of a map reads a
	// list, in the order of its items.
	Indexes, Counts []int32
}

// Sources finds what a task means by another one's output: the task of that name
// beside it, or beside what it is part of; of a map all children, of a loop the
// last pass, of a group the inner task that its output is from. A loop that asks
// whether it is done reads its last pass. task is an index in Plan.Tasks; output
// is empty for artifacts.
func (g *Graph) Sources(s *State, reader, task int32, output string) []Source {
	at, ok := g.beside(s, reader, task)
	if !ok {
		return nil
	}
	return g.gather(s, nil, at, task, Source{Output: output})
}

// Leaves finds what one of the pipeline's own tasks, by its index in Plan.Tasks,
// leaves as an output: what a run hands on to who started it.
func (g *Graph) Leaves(s *State, task int32, output string) []Source {
	return g.gather(s, nil, task, task, Source{Output: output})
}

// Beside is the instance of a task that a reader sees, as a whole: how that ended
// is what its state says.
func (g *Graph) Beside(s *State, reader, task int32) (int32, bool) { return g.beside(s, reader, task) }

// beside finds the outermost instance of a task as a reader sees it.
func (g *Graph) beside(s *State, reader, task int32) (int32, bool) {
	for i := reader; ; {
		p := s.place(i)
		nd := &g.nodes[p.node]
		in := int32(g.Plan.Tasks[task].In)
		switch {
		case s.Fans[i] != nil && (in == nd.task+1 || task == nd.task):
			return g.lastPass(s, i, task) // a loop reads what is inside of it
		case nd.outer && g.Plan.Tasks[nd.task].In == int(in) && !s.addedByStep(p):
			if p.block < 0 {
				return task, true
			}
			bl := &s.Blocks[p.block]
			return i - p.off + g.offset(bl.Node, task), true
		case p.block < 0:
			return 0, false
		}
		i = s.Blocks[p.block].Owner
	}
}

// addedByStep reports whether a task was added by a step: what it reads stands beside
// the one that added it.
func (s *State) addedByStep(p place) bool {
	return p.block >= 0 && s.Blocks[p.block].Members != nil
}

func (g *Graph) lastPass(s *State, owner, task int32) (int32, bool) {
	f := s.Fans[owner]
	if f.Made == 0 {
		return 0, false
	}
	base := s.item(owner, f.Made-1)
	if g.nodes[s.place(base).node].task == task {
		return base, true
	}
	return base + g.offset(s.Blocks[s.place(base).block].Node, task), true
}

// gather adds the sources that lie in a task.
func (g *Graph) gather(s *State, out []Source, i, task int32, src Source) []Source {
	nd, f := g.node(s, i), s.Fans[i]
	if nd.layer == layerWork {
		src.Task = i
		return append(out, src)
	}
	into, output := task, src.Output
	if t := &g.Plan.Tasks[task]; t.Group && g.bodyIsGroup(nd) {
		for k := range t.Outputs {
			if t.Outputs[k].Name == src.Output && t.Outputs[k].From != nil {
				if _, inner, ok := g.Plan.Task(t.Outputs[k].From.Task); ok {
					into, output = int32(inner), t.Outputs[k].From.Output
				}
			}
		}
		if into == task {
			return out
		}
	}
	if f == nil || f.Made == 0 {
		return out
	}
	first, last := int32(0), f.Made
	if nd.layer == layerLoop {
		first = f.Made - 1
	}
	for k := first; k < last; k++ {
		one := Source{Output: output, Indexes: src.Indexes, Counts: src.Counts}
		if nd.layer == layerMap {
			one.Indexes, one.Counts = append(slices.Clone(src.Indexes), k), append(slices.Clone(src.Counts), f.Count)
		}
		at := s.item(i, k)
		if into != task {
			at += g.offset(s.Blocks[s.place(at).block].Node, into)
		}
		out = g.gather(s, out, at, into, one)
	}
	return out
}

// bodyIsGroup reports whether the body of a node is the tasks of its group.
func (g *Graph) bodyIsGroup(nd *node) bool {
	return nd.layer != layerWork && g.nodes[nd.body].outer
}

// Maps are how many maps lie around a task and how many items each has, for a
// reader that has to know how long a list is of which nobody left anything.
func (g *Graph) Maps(s *State, reader, task int32) []int32 {
	at, ok := g.beside(s, reader, task)
	if !ok || g.node(s, at).layer != layerMap || s.Fans[at] == nil {
		return nil
	}
	return []int32{s.Fans[at].Count}
}
