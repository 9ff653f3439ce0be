package engine

import (
	"sort"
	"time"
)

// Fan is what a map, a loop, a group or a task that added others knows about its
// items; it exists from the first time that the task expands.
type Fan struct {
	Blocks []int32 // its blocks in State.Blocks, in the order of their items
	// Count is how many items there are to be: one more each pass for a loop.
	Count int32
	Made  int32 // items whose tasks exist in this generation
	Begun int32 // the first Begun of those made may run, or have ended
	Live  int32 // items that run
	Done  int32 // items that have ended, of which …
	// … Bad failed, Tolerated failed within what the map tolerates, and Gone were
	// skipped.
	Bad, Tolerated, Gone int32
	// AskedSeq is the entry that tells what the items are; 0 where the plan does.
	AskedSeq int64
	// Reused are the items that another run left, by ordinal.
	Reused []SeedItem
	// Stopped keeps further items from beginning, and from being made.
	Stopped bool
	// TooLarge says that its next items would have made the run too large.
	TooLarge bool
}

// fan is the owner's, made if there is none.
func (s *State) fan(owner int32) *Fan {
	if s.Fans == nil {
		s.Fans = map[int32]*Fan{}
	}
	f := s.Fans[owner]
	if f == nil {
		f = &Fan{}
		s.Fans[owner] = f
	}
	return f
}

// item is the index of the first task of an owner's item.
func (s *State) item(owner, ordinal int32) int32 {
	blocks := s.Fans[owner].Blocks
	k := sort.Search(len(blocks), func(k int) bool { return ordinal < s.Blocks[blocks[k]].First+s.Blocks[blocks[k]].Count })
	if k == len(blocks) {
		return -1
	}
	bl := &s.Blocks[blocks[k]]
	return bl.Base + (ordinal-bl.First)*bl.Width
}

// make brings n more items of an owner into being. Those that an earlier
// generation made are used again, with their names and numbers.
func (s *State) make(g *Graph, owner, n int32, members []Member) {
	f := s.fan(owner)
	first := f.Made
	f.Made += n
	before := f.Blocks
	if members != nil {
		f.Blocks = nil // what a step adds is new each time
	}
	var have int32
	defer func() { s.takeOver(g, owner, first, f.Made, s.Seq+1) }()
	for _, b := range f.Blocks {
		have += s.Blocks[b].Count
		s.refresh(g, b, first, f.Made)
	}
	if have >= f.Made {
		return
	}
	nd := g.node(s, owner)
	bl := Block{
		Owner: owner, Node: nd.body, Width: nd.width, First: have, Count: f.Made - have,
		Base: int32(len(s.Tasks)), Members: members,
	}
	if members != nil {
		bl.Node, bl.Width = -1, int32(len(members))
	}
	if bl.Width > 1 {
		bl.Left, bl.Bad, bl.Gone = make([]int32, bl.Count), make([]int32, bl.Count), make([]int32, bl.Count)
		for i := range bl.Left {
			bl.Left[i] = bl.Width
		}
	}
	f.Blocks = append(f.Blocks, int32(len(s.Blocks)))
	s.Blocks = append(s.Blocks, bl)
	s.Tasks = append(s.Tasks, make([]Task, int(bl.Width)*int(bl.Count))...)
	if members == nil {
		s.dropTemplates(g, bl.Base, bl.Width*bl.Count)
		return
	}
	for _, b := range before {
		s.numberOn(&s.Blocks[b], &s.Blocks[len(s.Blocks)-1])
	}
}

// numberOn lets the attempts of added tasks go on where those of the same name
// ended: a path and a number name one attempt for ever.
func (s *State) numberOn(old, fresh *Block) {
	for i := range fresh.Members {
		for j := range old.Members {
			if was := &s.Tasks[old.Base+int32(j)]; old.Members[j].ID == fresh.Members[i].ID {
				s.Tasks[fresh.Base+int32(i)].Attempt, s.Tasks[fresh.Base+int32(i)].Asked = was.Attempt, was.Asked
			}
		}
	}
}

// refresh resets the tasks of the items in [from, to) that stand in a block.
func (s *State) refresh(g *Graph, b, from, to int32) {
	bl := &s.Blocks[b]
	for k := max(from, bl.First); k < min(to, bl.First+bl.Count); k++ {
		s.resetItem(bl, k-bl.First)
		base := bl.Base + (k-bl.First)*bl.Width
		for i := base; i < base+bl.Width; i++ {
			s.Tasks[i].reset()
			s.forget(i)
		}
		s.dropTemplates(g, base, bl.Width)
	}
}

func (s *State) resetItem(bl *Block, item int32) {
	if bl.Left != nil {
		bl.Left[item], bl.Bad[item], bl.Gone[item] = bl.Width, 0, 0
	}
}

// forget lets a task expand anew: its items are there, but none of them is made.
func (s *State) forget(owner int32) {
	if f := s.Fans[owner]; f != nil {
		*f = Fan{Blocks: f.Blocks}
	}
}

// dropTemplates leaves out what only steps bring to life.
func (s *State) dropTemplates(g *Graph, base, n int32) {
	for i := base; i < base+n; i++ {
		p := s.place(i)
		if g.Plan.Tasks[g.nodes[p.node].task].Template {
			s.Tasks[i].State = TaskSkipped
			if p.block >= 0 && s.Blocks[p.block].Left != nil {
				s.Blocks[p.block].Left[p.item]--
			}
		}
	}
}

// begin lets as many items run as may.
func (s *State) begin(g *Graph, owner int32, at time.Time, fx *effects) {
	f := s.Fans[owner]
	nd := g.node(s, owner)
	if s.Tasks[owner].State != TaskExpanding || !s.goes(nd) || f.Stopped {
		return
	}
	most := f.Count
	if nd.layer == layerMap {
		if n := int32(g.Plan.Tasks[nd.task].ForEach.MaxParallel); n > 0 {
			most = n
		}
	}
	for f.Begun < f.Made && f.Live < most {
		base := s.item(owner, f.Begun)
		f.Begun++
		if s.itemEnded(base) {
			continue // in an earlier generation
		}
		f.Live++
		for i := base; i < base+s.Blocks[s.place(base).block].Width; i++ {
			s.wake(g, i, at, fx)
		}
	}
}

// wake lets a task go on as far as it may: one that waits for its rule, or one
// whose items do.
func (s *State) wake(g *Graph, i int32, at time.Time, fx *effects) {
	f := s.Fans[i]
	switch {
	case s.Tasks[i].State == TaskPending:
		s.touch(g, i, NoTask, at, fx)
	case s.Tasks[i].State == TaskExpanding && f != nil && s.begun(s.place(i)):
		if f.Made < f.Count {
			fx.expand(i)
		}
		s.goOn(g, i, at, fx)
	}
}

// itemEnded reports whether the item that begins at a task has ended.
func (s *State) itemEnded(base int32) bool {
	p := s.place(base)
	if left := s.Blocks[p.block].Left; left != nil {
		return left[p.item] == 0
	}
	return s.Tasks[base].State.Terminal()
}

// begun reports whether a task's items, all the way up, may run.
func (s *State) begun(p place) bool {
	if p.block < 0 {
		return true
	}
	f := s.Fans[s.Blocks[p.block].Owner]
	return s.ordinal(p) < f.Begun
}

// endedInside counts the end of a task in its item, the item's in its owner, and
// lets the owner go on.
func (s *State) endedInside(g *Graph, p place, to TaskState, at time.Time, fx *effects) {
	if s.countInside(g, p, to, fx) {
		s.goOn(g, s.Blocks[p.block].Owner, at, fx)
	}
}

// countInside counts the end of a task in its item; true if the item has ended.
func (s *State) countInside(g *Graph, p place, to TaskState, fx *effects) bool {
	bl := &s.Blocks[p.block]
	bad, gone := to.Failing(), to == TaskSkipped
	if bl.Left != nil {
		bl.Left[p.item]--
		if bad {
			bl.Bad[p.item]++
		}
		if gone {
			bl.Gone[p.item]++
		}
		if bl.Left[p.item] > 0 {
			return false
		}
		bad, gone = bl.Bad[p.item] > 0, bl.Gone[p.item] == bl.Width
	}
	owner := bl.Owner
	f := s.Fans[owner]
	f.Done++
	f.Live = max(0, f.Live-1)
	switch {
	case to == TaskTolerated && bl.Width == 1 && g.tolerance(s, owner) > 0:
		f.Tolerated++
	case bad && bl.Width > 1 && f.Tolerated < g.tolerance(s, owner):
		f.Tolerated++
	case bad:
		f.Bad++
		if fe := g.Task(s, owner).ForEach; fe != nil && fe.StopOnFailure && g.node(s, owner).layer == layerMap && !f.Stopped {
			f.Stopped = true
			fx.stop(owner)
		}
	case gone:
		f.Gone++
	}
	return true
}

// goOn begins what the end of an item lets begin, or ends the owner.
func (s *State) goOn(g *Graph, owner int32, at time.Time, fx *effects) {
	f := s.Fans[owner]
	if s.Tasks[owner].State != TaskExpanding {
		return
	}
	if f.Done < f.Count && (!f.Stopped || f.Done < f.Made) {
		s.begin(g, owner, at, fx)
		return
	}
	if g.node(s, owner).layer == layerLoop && f.Bad == 0 && !f.Stopped && !s.Halted {
		s.Tasks[owner].ask(AskUntil, at)
		fx.open(owner)
		return
	}
	fx.end(owner, NoTask)
}

// tolerance is how many items of a map may fail; none of other owners.
func (g *Graph) tolerance(s *State, owner int32) int32 {
	nd := g.node(s, owner)
	if nd.layer != layerMap {
		return 0
	}
	return int32(g.Plan.Tasks[nd.task].ForEach.Tolerated(int(s.Fans[owner].Count)))
}

// tolerates reports whether a failure of a task counts as success: its own
// `on_failure: tolerate`, which is about its outermost layer, or what its map
// still tolerates.
func (g *Graph) tolerates(s *State, i int32) bool {
	p := s.place(i)
	nd := &g.nodes[p.node]
	if nd.outer {
		return g.Plan.Tasks[nd.task].Tolerate
	}
	owner := s.Blocks[p.block].Owner
	return s.Fans[owner].Tolerated < g.tolerance(s, owner)
}
