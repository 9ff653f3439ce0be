package engine

import (
	"slices"

	"github.com/signalboxhq/signalbox/proto/id"
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
// expanded anew, and take over the items that succeeded; groups run again.
func (g *Graph) Plant(r *Reuse) (*Seed, []Kept, error) {
	seed := &Seed{From: r.Run, Runs: []id.UUID{r.Run}}
	if r.State.Seed != nil {
		seed.Runs = append(seed.Runs, r.State.Seed.Runs...)
	}
	var kept []Kept
	reused := make([]bool, g.top)
	for _, i := range g.order() {
		k := Kept{Task: g.nodeName(i)}
		old, why, err := g.comparable(r, reused, i)
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
			fan, whole := r.items(old, i)
			k.Items, k.Reused = len(fan.Items), whole
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

// comparable finds a task's counterpart, or says why it runs again.
func (g *Graph) comparable(r *Reuse, reused []bool, i int32) (old int32, why string, err error) {
	t := &g.Plan.Tasks[i]
	_, k, ok := r.Graph.Plan.Task(t.Name)
	old = int32(k)
	switch {
	case !ok || old >= r.Graph.top || int(old) >= len(r.State.Tasks):
		return 0, "it is new", nil
	case t.Name == r.From:
		return 0, "from here on", nil
	}
	for _, up := range t.Needs {
		if !reused[up] {
			return 0, "downstream of " + g.nodeName(int32(up)), nil
		}
	}
	for _, p := range r.Changed {
		if slices.Contains(t.Reads.Params, p) || slices.Contains(t.Asked.Params, p) {
			return 0, "param " + p + " changed", nil
		}
	}
	if layersOf(t)[0] != layersOf(&r.Graph.Plan.Tasks[old])[0] {
		return 0, "spec changed", nil
	}
	if !r.Trust {
		now, err := SpecDigest(g.Plan, t)
		if err != nil {
			return 0, "", err
		}
		was, err := SpecDigest(r.Graph.Plan, &r.Graph.Plan.Tasks[old])
		if err != nil {
			return 0, "", err
		}
		if now != was {
			return 0, "spec changed", nil
		}
	}
	return old, "", nil
}

// where is a task's output: in its run, or in the one that it was taken from.
func (r *Reuse) where(i int32) Origin {
	t := &r.State.Tasks[i]
	if o, ok := r.State.Origins[i]; ok && t.State == TaskReused {
		return Origin{Run: o.Run + 1, Seq: o.Seq}
	}
	return Origin{Run: 0, Seq: t.EndSeq}
}

// items lists which items of a map or loop may be taken over, and whether these
// are all.
func (r *Reuse) items(old, now int32) (SeedFan, bool) {
	fan := SeedFan{Task: now}
	f := r.State.Fans[old]
	if f == nil || f.Made == 0 || r.State.added(old) {
		return fan, false
	}
	nd := r.Graph.node(r.State, old)
	if nd.width != 1 || r.Graph.nodes[nd.body].layer != layerWork {
		return fan, false
	}
	var digests []byte
	if f.AskedSeq > 0 && nd.layer == layerMap {
		if digests = r.Digests(f.AskedSeq); len(digests) != DigestSize*int(f.Count) {
			return fan, false
		}
	}
	all := f.Made == f.Count
	for k := range f.Made {
		i := r.State.item(old, k)
		if !slices.Contains([]TaskState{TaskSucceeded, TaskCached, TaskReused}, r.State.Tasks[i].State) {
			all = false
			if nd.layer == layerLoop {
				break // a pass builds on the one before
			}
			continue
		}
		it := SeedItem{Ordinal: k, Origin: r.where(i)}
		if digests != nil {
			it.Digest = digests[DigestSize*k : DigestSize*(k+1)]
		}
		fan.Items = append(fan.Items, it)
	}
	return fan, all && r.State.Tasks[old].State == TaskSucceeded
}

// DigestSize is how many bytes the digest of an item has.
const DigestSize = 16
