package engine

// Template finds the node from which a step may add tasks: a template of its own
// group, or of one around it.
func (g *Graph) Template(s *State, planner int32, name string) (int32, bool) {
	t, i, ok := g.Plan.Task(name)
	if !ok || !t.Template {
		return 0, false
	}
	if int32(i) < g.top {
		return int32(i), true
	}
	for p := s.place(planner); p.block >= 0; p = s.place(s.Blocks[p.block].Owner) {
		bl := &s.Blocks[p.block]
		for n := bl.Node; bl.Members == nil && n < bl.Node+bl.Width; n++ {
			if g.nodes[n].task == int32(i) && g.nodes[n].outer {
				return n, true
			}
		}
	}
	return 0, false
}

// Planner is the task whose step added a task, or what it is part of, and the
// name that it gave it.
func (g *Graph) Planner(s *State, i int32) (planner int32, name string, ok bool) {
	for p := s.place(i); p.block >= 0; p = s.place(s.Blocks[p.block].Owner) {
		if bl := &s.Blocks[p.block]; bl.Members != nil {
			return bl.Owner, bl.Members[p.off].ID, true
		}
	}
	return 0, "", false
}

// MemberCycle names a member that lies on a cycle or behind one.
func MemberCycle(members []Member) (int, bool) {
	waits := make([]int, len(members))
	down := make([][]int, len(members))
	var free []int
	for i := range members {
		if waits[i] = len(members[i].Needs); waits[i] == 0 {
			free = append(free, i)
		}
		for _, up := range members[i].Needs {
			down[up] = append(down[up], i)
		}
	}
	for ; len(free) > 0; free = free[1:] {
		for _, d := range down[free[0]] {
			if waits[d]--; waits[d] == 0 {
				free = append(free, d)
			}
		}
	}
	for i := range waits {
		if waits[i] > 0 {
			return i, true
		}
	}
	return 0, false
}
