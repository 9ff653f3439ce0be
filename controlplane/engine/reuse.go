package engine

import (
	"slices"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// Reuse is another run of the pipeline, and what of it is to be taken over.
type Reuse struct {
	Run   id.UUID
	Graph *Graph // the other run's version
	State *State // the other run, ended or not
	// From names a task: it and all behind it run again.
	From string
	// Changed are params whose values differ: who reads them runs again.
	Changed []string
	// Trust takes over tasks whose spec has changed as well.
	Trust bool
	// Digests returns the digests of a map's items, 16 bytes each, as the entry
	// with that seq tells them; nil if they are not there.
	Digests func(seq int64) []byte
	// Beside lists what an item of a map of the new version reads besides the item:
	// params and tasks. What changes only the list leaves an item what it was. Nil:
	// everything that the map reads is taken for something that its items read.
	Beside func(task int32) (params, tasks []string, err error)
}

// Kept says of a task whether it is taken over, and if not, why.
type Kept struct {
	Task   string
	Reused bool
	Items  int    // of a map or loop: how many may be taken over
	Reason string // why it runs: "spec changed", "downstream of prepare"
}

// Plant compares a version with another run and says what a new run of the
// version may take over: a task whose origin succeeded, whose spec is the same,
// and whose upstream tasks are all taken over. Maps and loops of steps are
// expanded anew, and take over the items that succeeded; so are groups of steps,
// which take over of each item the tasks that did. Of others nothing is taken over.
func (g *Graph) Plant(r *Reuse) (*Seed, []Kept, error) {
	seed := &Seed{From: r.Run, Runs: []id.UUID{r.Run}}
	if r.State.Seed != nil {
		seed.Runs = append(seed.Runs, r.State.Seed.Runs...)
	}
	var kept []Kept
	c := comparison{g: g, Reuse: r, reused: make([]bool, g.top), forced: make([]bool, g.top)}
	reused := c.reused
	for _, i := range g.order() {
		k := Kept{Task: g.nodeName(i)}
		old, why, err := c.counterpart(i)
		if err != nil {
			return nil, nil, err
		}
		switch k.Reason = why; {
		case why != "":
		case g.nodes[i].layer == layerWork:
			t := &r.State.Tasks[old]
			if !slices.Contains([]TaskState{TaskSucceeded, TaskCached, TaskReused}, t.State) {
				k.Reason = "it was " + t.State.String()
				break
			}
			reused[i], k.Reused = true, true
			seed.Tasks = append(seed.Tasks, SeedTask{Task: i, Origin: r.where(old)})
		default:
			fan, whole := r.items(g, old, i)
			whole = whole && !c.listMayDiffer
			for n := range fan.Items {
				if whole || fan.Items[n].whole() {
					k.Items++
				}
			}
			k.Reused = whole
			// What is behind a map runs again only if one of its items does: that
			// is known when it has expanded.
			reused[i] = whole
			if k.Reason = "its items are looked at again"; len(fan.Items) > 0 {
				seed.Fans = append(seed.Fans, fan)
			}
		}
		kept = append(kept, k)
	}
	return seed, kept, nil
}

// order lists the main tasks of the pipeline itself, upstream first.
func (g *Graph) order() []int32 {
	waits := make([]int32, g.top)
	var out []int32
	for i := range g.top {
		if waits[i] = g.nodes[i].needs; waits[i] == 0 && g.nodes[i].exit == "" && !g.Plan.Tasks[i].Template {
			out = append(out, i)
		}
	}
	for head := 0; head < len(out); head++ {
		for _, d := range g.downstream(out[head]) {
			if waits[d]--; waits[d] == 0 {
				out = append(out, d)
			}
		}
	}
	return out
}

// comparison goes through the tasks of a new version, upstream first.
type comparison struct {
	*Reuse

	g              *Graph
	reused, forced []bool // forced: it, or what it waits for, is to run again in any case
	// listMayDiffer is whether the last task is a map that may have other items.
	listMayDiffer bool
}

// counterpart finds a task's counterpart, or says why it runs again.
func (c *comparison) counterpart(i int32) (old int32, why string, err error) {
	c.listMayDiffer = false
	t := &c.g.Plan.Tasks[i]
	_, k, ok := c.Graph.Plan.Task(t.Name)
	old = int32(k)
	c.forced[i] = t.Name == c.From || slices.ContainsFunc(t.Needs, func(up int) bool { return c.forced[up] })
	switch {
	case !ok || old >= c.Graph.top || int(old) >= len(c.State.Tasks):
		return 0, "it is new", nil
	case t.Name == c.From:
		return 0, "from here on", nil
	}
	if why, err := c.inputs(i); why != "" || err != nil {
		return 0, why, err
	}
	if layersOf(t)[0] != layersOf(&c.Graph.Plan.Tasks[old])[0] {
		return 0, "spec changed", nil
	}
	if !c.Trust {
		now, err := SpecDigest(c.g.Plan, t)
		if err != nil {
			return 0, "", err
		}
		was, err := SpecDigest(c.Graph.Plan, &c.Graph.Plan.Tasks[old])
		if err != nil {
			return 0, "", err
		}
		if now != was {
			return 0, "spec changed", nil
		}
	}
	return old, "", nil
}

// inputs says which of the things that a task reads or waits for has changed. Of
// a map whose items an agent tells, what only makes the list does not count: an
// item that is equal is taken over, wherever it stands now.
func (c *comparison) inputs(i int32) (why string, err error) {
	t := &c.g.Plan.Tasks[i]
	known := false
	if t.ForEach != nil {
		_, known = t.ForEach.Known()
	}
	lists := t.ForEach != nil && !known && !t.Group && !c.forced[i] && c.Beside != nil
	var params, tasks []string
	if lists {
		if params, tasks, err = c.Beside(i); err != nil {
			return "", err
		}
	}
	for _, up := range t.Needs {
		if c.reused[up] {
			continue
		}
		name := c.g.nodeName(int32(up))
		if !lists || slices.Contains(tasks, name) || !readsTask(&t.Asked, name) {
			return "downstream of " + name, nil
		}
		c.listMayDiffer = true
	}
	for _, p := range c.Changed {
		asked := slices.Contains(t.Asked.Params, p)
		switch {
		case lists && asked && !slices.Contains(params, p):
			c.listMayDiffer = true
		case asked, slices.Contains(t.Reads.Params, p), c.g.readsInside(i, p):
			return "param " + p + " changed", nil
		}
	}
	return "", nil
}

// readsInside reports whether a task of a group reads a param.
func (g *Graph) readsInside(group int32, param string) bool {
	for i := range g.Plan.Tasks {
		t := &g.Plan.Tasks[i]
		reads := slices.Contains(t.Reads.Params, param) || slices.Contains(t.Asked.Params, param)
		for up := t.In; up > 0 && reads; up = g.Plan.Tasks[up-1].In {
			if int32(up-1) == group {
				return true
			}
		}
	}
	return false
}

// readsTask reports whether something of a task is read.
func readsTask(r *plan.Reads, name string) bool {
	return slices.Contains(r.States, name) ||
		slices.ContainsFunc(r.Outputs, func(o plan.OutputRef) bool { return o.Task == name }) ||
		slices.ContainsFunc(r.Artifacts, func(a plan.ArtifactRef) bool { return a.Task == name })
}

// where is a task's output: in its run, or in the one that it was taken from.
func (r *Reuse) where(i int32) Origin {
	t := &r.State.Tasks[i]
	if o, ok := r.State.Origins[i]; ok && t.State == TaskReused {
		return Origin{Run: o.Run + 1, Seq: o.Seq}
	}
	return Origin{Run: 0, Seq: t.EndSeq}
}

// items lists which items of a map, loop or group may be taken over, at least in
// part, and whether these are all.
func (r *Reuse) items(g *Graph, old, now int32) (SeedFan, bool) {
	fan := SeedFan{Task: now}
	f := r.State.Fans[old]
	if f == nil || f.Made == 0 || r.State.added(old) {
		return fan, false
	}
	body := r.bodies(g, old, now)
	if body == nil {
		return fan, false
	}
	layer := r.Graph.node(r.State, old).layer
	var digests []byte
	if f.AskedSeq > 0 && layer == layerMap {
		if digests = r.Digests(f.AskedSeq); len(digests) != DigestSize*int(f.Count) {
			return fan, false
		}
	}
	all := f.Made == f.Count
	for k := range f.Made {
		it := SeedItem{Ordinal: k}
		if some, whole := r.item(&it, body, r.State.item(old, k)); !whole {
			all = false
			if layer == layerLoop && !some {
				break // a pass builds on the one before
			} else if !some {
				continue
			}
		}
		if digests != nil {
			it.Digest = digests[DigestSize*k : DigestSize*(k+1)]
		}
		fan.Items = append(fan.Items, it)
		if !all && layer == layerLoop {
			break
		}
	}
	return fan, all && r.State.Tasks[old].State == TaskSucceeded
}

// innerTask is a task of the items of an owner, and its counterpart.
type innerTask struct {
	old      int32   // its place in the other run's items
	needs    []int32 // places in the new run's items
	template bool
}

// bodies matches the tasks of an owner's items, by their names; nil where the two
// are not alike, or hold more than steps.
func (r *Reuse) bodies(g *Graph, old, now int32) []innerTask {
	was, is := r.Graph.node(r.State, old), &g.nodes[now]
	if was.width != is.width {
		return nil
	}
	out := make([]innerTask, is.width)
	for off := range is.width {
		n := &g.nodes[is.body+off]
		t := &g.Plan.Tasks[n.task]
		out[off] = innerTask{old: -1, template: t.Template}
		for at := range was.width {
			if o := &r.Graph.nodes[was.body+at]; r.Graph.Plan.Tasks[o.task].Name == t.Name && o.layer == layerWork && n.layer == layerWork {
				out[off].old = at
			}
		}
		if out[off].old < 0 {
			return nil
		}
		for _, up := range t.Needs {
			if n.outer {
				out[off].needs = append(out[off].needs, g.offset(is.body, int32(up)))
			}
		}
	}
	return out
}

// item fills in where the tasks of one item come from that begins at base:
// whether there are some that succeeded and need not run, and whether these are
// all.
func (r *Reuse) item(it *SeedItem, body []innerTask, base int32) (some, whole bool) {
	whole = true
	inner := make([]Origin, len(body))
	for changed := true; changed; { // upstream first, in whatever order they stand
		changed = false
		for off := range body {
			in := &body[off]
			ready := !slices.ContainsFunc(in.needs, func(up int32) bool { return inner[up].Seq == 0 })
			i := base + in.old
			if inner[off].Seq == 0 && ready && slices.Contains([]TaskState{TaskSucceeded, TaskCached, TaskReused}, r.State.Tasks[i].State) {
				inner[off], changed, some = r.where(i), true, true
			}
		}
	}
	for off := range body {
		whole = whole && (inner[off].Seq != 0 || body[off].template)
	}
	if it.Inner = inner; len(inner) == 1 {
		it.Origin, it.Inner = inner[0], nil
	}
	return some, whole
}

// DigestSize is how many bytes the digest of an item has.
const DigestSize = 16
