package engine

import (
	"fmt"
	"strconv"
)

// MaxTasks bounds how many tasks a run may have, all that come into being
// included: maps in maps, and steps that add tasks which add tasks, would
// otherwise grow without end. A task takes about 100 bytes of memory.
const MaxTasks = 500_000

// measure finds how many tasks a node may become by what the plan says; items
// that only an agent knows count when they are told. Bodies come after their
// nodes, so the last one is measured first.
func (g *Graph) measure() error {
	for n := len(g.nodes) - 1; n >= 0; n-- {
		nd := &g.nodes[n]
		nd.size = 1
		if nd.layer == layerWork {
			continue
		}
		items := int64(1)
		switch t := &g.Plan.Tasks[nd.task]; nd.layer {
		case layerMap:
			known, _ := t.ForEach.Known()
			items = int64(known)
		case layerLoop:
			items = int64(max(t.Repeat.Max, 1))
		case layerGroup, layerWork:
		}
		if nd.size += g.inside(nd) * items; nd.size > MaxTasks {
			return fmt.Errorf("task %q may become %d tasks, at most %d", g.nodeName(int32(n)), nd.size, MaxTasks)
		}
	}
	return nil
}

// inside is how many tasks one item of a node may become.
func (g *Graph) inside(nd *node) int64 {
	var sum int64
	for n := nd.body; n < nd.body+nd.width; n++ {
		sum += g.nodes[n].size
	}
	return sum
}

// grown reports whether a run has no room for so many more tasks.
func (g *Graph) grown(s *State, more int64) bool { return int64(len(s.Tasks))+more > MaxTasks }

const reasonTooLarge = "run_too_large"

func tooLarge(what string) string {
	return reasonTooLarge + ": " + what + " would have more than " + strconv.Itoa(MaxTasks) + " tasks"
}

// tooLarge ends a map that would make its run too large; what runs of it already
// ends first.
func (x *decider) tooLarge(owner int32) error {
	reason := tooLarge("with these items the run")
	if x.s.Fans[owner].Made > 0 {
		return x.stopItems(owner, TaskCanceled, CauseUser, reason)
	}
	e := Entry{Kind: KindTaskEnded, Task: owner, Next: TaskFailed, Cause: CauseUser, Reason: reason}
	if x.g.tolerates(x.s, owner) {
		e.Next = TaskTolerated
	}
	return x.emit(e)
}

// added is how many tasks those may become that a step adds.
func (g *Graph) added(members []Member) int64 {
	var sum int64
	for i := range members {
		sum += g.nodes[members[i].Node].size
	}
	return sum
}
