package engine

import (
	"cmp"
	"slices"
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// Seed is what a run takes over from another one: tasks that need not run again,
// whose outputs are where they were. It is the run's first entry.
type Seed struct {
	From id.UUID `json:"from"` // the run that it resumes
	// Runs are where outputs lie: From, and what From had taken over itself.
	Runs []id.UUID `json:"runs,omitempty"`
	// Tasks are taken over whole, Fans in part.
	Tasks []SeedTask `json:"tasks,omitempty"`
	Fans  []SeedFan  `json:"fans,omitempty"`
	// Only, if not nil, is the one task that runs, with what Tasks left; all
	// others are skipped.
	Only *int32 `json:"only,omitempty"`
}

// Origin is where a reused task's outputs are.
type Origin struct {
	Run int32 `json:"run"` // index in Seed.Runs
	Seq int64 `json:"seq"`
}

// SeedTask is a task of the pipeline itself that is taken over.
type SeedTask struct {
	Task int32 `json:"task"` // index in Plan.Tasks
	Origin
}

// SeedFan is a map or a loop of which items are taken over that succeeded: of a
// map those with the same digest, wherever they stand now, of a loop the first
// passes.
type SeedFan struct {
	Task  int32      `json:"task"`
	Items []SeedItem `json:"items"`
}

// SeedItem is an item that is taken over.
type SeedItem struct {
	Ordinal int32 `json:"ordinal"`
	// Digest of the item of a map whose items an agent tells; nil where the
	// ordinal says it.
	Digest []byte `json:"digest,omitempty"`
	Origin
	// Inner are of the tasks of a group's item, in their order, instead of its own
	// Origin; those that run again have none.
	Inner []Origin `json:"inner,omitempty"`
}

// tasks are the origins of an item's tasks.
func (it *SeedItem) tasks() []Origin {
	if it.Inner != nil {
		return it.Inner
	}
	return []Origin{it.Origin}
}

// whole reports whether nothing of an item runs again.
func (it *SeedItem) whole() bool {
	return !slices.ContainsFunc(it.tasks(), func(o Origin) bool { return o.Seq == 0 })
}

// Sow gives a run that has not begun what it takes over. It decides nothing for
// a run that has an entry.
type Sow struct {
	Now   time.Time
	Actor string
	Seed  *Seed
}

func (c Sow) now() time.Time { return c.Now }

func (x *decider) sow(c *Sow) error {
	if x.s.Seq > 0 || c.Seed == nil {
		return nil
	}
	return x.emit(Entry{Kind: KindRunSeeded, Task: NoTask, Actor: c.Actor, Detail: &Detail{Seed: c.Seed}})
}

func applySeeded(s *State, e *Entry) error {
	if s.Seq > 0 || e.Detail == nil || e.Detail.Seed == nil {
		return &TransitionError{Machine: "run", State: s.Run.String(), Event: "seed"}
	}
	s.Seed = e.Detail.Seed
	return nil
}

// reuse marks what is taken over, as the run begins.
func (s *State) reuse(g *Graph, e *Entry) {
	if s.Seed == nil {
		return
	}
	end := func(i int32, to TaskState) {
		s.Tasks[i].State, s.Tasks[i].EndSeq = to, e.Seq
		if g.nodes[i].exit != "" {
			s.LeftExit--
		} else {
			s.LeftMain--
		}
		for _, d := range g.downstream(i) {
			s.Tasks[d].count(to)
		}
	}
	for _, t := range s.Seed.Tasks {
		if t.Task >= 0 && t.Task < g.top && s.Tasks[t.Task].State == TaskPending {
			s.origin(t.Task, t.Origin)
			end(t.Task, TaskReused)
		}
	}
	if s.Seed.Only == nil {
		return
	}
	for i := range g.top {
		if i != *s.Seed.Only && s.Tasks[i].State == TaskPending {
			end(i, TaskSkipped)
		}
	}
}

func (s *State) origin(i int32, o Origin) {
	if s.Origins == nil {
		s.Origins = map[int32]Origin{}
	}
	s.Origins[i] = o
}

// seedItems are what a map or a loop takes over, by ordinal. digests are of the
// items as an agent told them, nil where nobody was asked.
func (s *State) seedItems(i int32, digests [][]byte) []SeedItem {
	if s.Seed == nil || s.Generation > 1 {
		return nil
	}
	var fan *SeedFan
	for k := range s.Seed.Fans {
		if s.Seed.Fans[k].Task == i {
			fan = &s.Seed.Fans[k]
		}
	}
	if fan == nil {
		return nil
	}
	if digests == nil {
		return slices.DeleteFunc(slices.Clone(fan.Items), func(it SeedItem) bool { return it.Digest != nil })
	}
	known := map[string][]SeedItem{}
	for _, it := range fan.Items {
		if it.Digest != nil {
			known[string(it.Digest)] = append(known[string(it.Digest)], it)
		}
	}
	var out []SeedItem
	for k, d := range digests {
		// Of items that are equal each is taken over once.
		if same := known[string(d)]; len(same) > 0 {
			out = append(out, SeedItem{Ordinal: int32(k), Origin: same[0].Origin, Inner: same[0].Inner})
			known[string(d)] = same[1:]
		}
	}
	return out
}

// takeOver marks the tasks of the items in [from, to) of a map, loop or group that
// need not run.
func (s *State) takeOver(g *Graph, owner, from, to int32, seq int64) {
	items := s.Fans[owner].Reused
	at, _ := slices.BinarySearchFunc(items, from, func(it SeedItem, k int32) int { return cmp.Compare(it.Ordinal, k) })
	for ; at < len(items) && items[at].Ordinal < to; at++ {
		base, origins := s.item(owner, items[at].Ordinal), items[at].tasks()
		if s.Blocks[s.place(base).block].Width != int32(len(origins)) {
			continue
		}
		for off, o := range origins {
			i := base + int32(off)
			p := s.place(i)
			if o.Seq == 0 || g.nodes[p.node].layer != layerWork || s.Tasks[i].State != TaskPending {
				continue
			}
			s.Tasks[i].State, s.Tasks[i].EndSeq = TaskReused, seq
			s.origin(i, o)
			for _, d := range s.downstream(g, p) {
				s.Tasks[base+d].count(TaskReused)
			}
			s.countInside(g, p, TaskReused, nil)
		}
	}
}
