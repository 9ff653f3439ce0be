package engine

import (
	"errors"
	"fmt"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// layer is what a node does with its body.
type layer uint8

// The layers of a task, outermost first. A task has the ones that its plan
// names; a group under a map or a loop is their body, and has no node itself.
const (
	layerMap   layer = iota // one item of its body for each item of a list
	layerLoop               // its body, pass after pass
	layerGroup              // its body, once
	layerWork               // no body: a step, or what is held
)

// layersOf lists the layers of a task.
func layersOf(t *plan.Task) []layer {
	var out []layer
	if t.ForEach != nil {
		out = append(out, layerMap)
	}
	if t.Repeat != nil {
		out = append(out, layerLoop)
	}
	switch {
	case !t.Group:
		return append(out, layerWork)
	case len(out) == 0:
		return append(out, layerGroup)
	}
	return out
}

// inner is the layer of the one node in the body of a task's layer l; false if
// the body is the tasks of its group.
func inner(t *plan.Task, l layer) (layer, bool) {
	layers := layersOf(t)
	for i, have := range layers {
		if have == l && i+1 < len(layers) {
			return layers[i+1], true
		}
	}
	return layerWork, false
}

// unfold makes the nodes.
func (g *Graph) unfold() error {
	groups, err := g.groups()
	if err != nil {
		return err
	}
	g.top = int32(len(groups[0]))
	for i, t := range groups[0] {
		if t != int32(i) {
			return errors.New("the tasks of the pipeline itself do not come first")
		}
		g.add(t, layersOf(&g.Plan.Tasks[t])[0], true, false, int32(i))
	}
	for n := 0; n < len(g.nodes); n++ {
		task, l, inExit := g.nodes[n].task, g.nodes[n].layer, g.nodes[n].inExit
		if l == layerWork {
			continue
		}
		t := &g.Plan.Tasks[task]
		body := int32(len(g.nodes))
		if in, one := inner(t, l); one {
			g.add(task, in, false, inExit, 0)
		} else {
			for off, member := range groups[task+1] {
				g.add(member, layersOf(&g.Plan.Tasks[member])[0], true, inExit, int32(off))
			}
		}
		g.nodes[n].body, g.nodes[n].width = body, int32(len(g.nodes))-body
		if g.nodes[n].width == 0 {
			return fmt.Errorf("group %q has no tasks", t.Name)
		}
	}
	return nil
}

// groups lists the tasks of each group, in the order of the plan; groups[0] is
// the pipeline itself. A task comes after its group, so that no group is part of
// itself.
func (g *Graph) groups() ([][]int32, error) {
	out := make([][]int32, len(g.Plan.Tasks)+1)
	for i := range g.Plan.Tasks {
		t := &g.Plan.Tasks[i]
		if t.In < 0 || t.In > i || (t.In > 0 && !g.Plan.Tasks[t.In-1].Group) {
			return nil, fmt.Errorf("task %q is part of no group before it", t.Name)
		}
		out[t.In] = append(out[t.In], int32(i))
	}
	return out, nil
}

func (g *Graph) add(task int32, l layer, outer, inExit bool, off int32) {
	t := &g.Plan.Tasks[task]
	g.nodes = append(g.nodes, node{task: task, layer: l, outer: outer, inExit: inExit || t.Exit != "", off: off})
}

// offset is the place of a task in the body that begins at node first.
func (g *Graph) offset(first, task int32) int32 {
	if first == 0 {
		return task
	}
	for n := first; ; n++ {
		if g.nodes[n].task == task {
			return n - first
		}
	}
}
