package engine

import "slices"

// stopItems ends all that is inside of a task, with one entry: a map of 100,000
// items is stopped as fast as one of ten. What somebody runs is told to stop and
// ends by itself; by force it ends here.
func (x *decider) stopItems(owner int32, open TaskState, cause Cause, reason string) error {
	s := x.s
	f := s.Fans[owner]
	if s.Tasks[owner].State != TaskExpanding || (f.Stopped && f.Done == f.Made) {
		return nil
	}
	inside := s.inside(owner)
	var keep []int32
	for i := range x.live.given {
		l := &x.live.given[i]
		if x.open(l.Task, l.Attempt) == nil || l.Task == x.live.ended || !inside(l.Task) {
			continue
		}
		if err := x.stopTask(l.Task, open, cause, reason); err != nil {
			return err
		}
		if !s.Tasks[l.Task].State.Terminal() {
			keep = append(keep, l.Task)
		}
	}
	s.each(owner, func(i int32) {
		if s.hasChild(x.g, i) && (modeOf(x.g, s, i) == modeHalting || x.recall(i)) {
			keep = append(keep, i) // another run: it is told, and its end ends the task
		}
	})
	slices.Sort(keep)
	x.closeItems(owner, keep)
	if s.Tasks[owner].State != TaskExpanding {
		return nil
	}
	return x.emit(Entry{
		Kind: KindItemsStopped, Task: owner, Cause: cause, Next: open, Reason: reason, Detail: &Detail{Except: keep},
	})
}

// closeItems takes back what waits inside of a task.
func (x *decider) closeItems(owner int32, keep []int32) {
	x.s.each(owner, func(i int32) {
		t := &x.s.Tasks[i]
		if _, kept := slices.BinarySearch(keep, i); !kept && (t.State == TaskOpen || t.State == TaskHeld) {
			x.d.Closed = append(x.d.Closed, i)
		}
	})
}

// each visits all tasks inside of one, as far as they are made.
func (s *State) each(owner int32, visit func(i int32)) {
	f := s.Fans[owner]
	if f == nil {
		return
	}
	for _, b := range f.Blocks {
		bl := &s.Blocks[b]
		made := min(bl.Count, f.Made-bl.First)
		for i := bl.Base; i < bl.Base+made*bl.Width; i++ {
			visit(i)
			s.each(i, visit)
		}
	}
}

// inside says of tasks whether they are part of the owner.
func (s *State) inside(owner int32) func(i int32) bool {
	return func(i int32) bool {
		for p := s.place(i); p.block >= 0; p = s.place(i) {
			if i = s.Blocks[p.block].Owner; i == owner {
				return true
			}
		}
		return false
	}
}

func applyItemsStopped(g *Graph, s *State, e *Entry, fx *effects) error {
	t, err := s.expanding(e)
	if err != nil {
		return err
	}
	if t.State != TaskExpanding || s.Fans[e.Task] == nil || e.Detail == nil {
		return errBroken(e.Task, "it has no items")
	}
	s.endItems(g, e.Task, e, fx)
	s.Fans[e.Task].TooLarge = e.Cause == CauseUser // it was nobody's wish
	s.goOn(g, e.Task, e.At, fx)
	return nil
}

// endItems ends the tasks inside of one: a pending one is canceled, an open or
// held one becomes what the entry says. A task inside that has nothing left
// which runs is canceled with its items.
func (s *State) endItems(g *Graph, owner int32, e *Entry, fx *effects) {
	f := s.Fans[owner]
	f.Stopped = true
	for _, b := range f.Blocks {
		base := s.Blocks[b].Base
		made := min(s.Blocks[b].Count, f.Made-s.Blocks[b].First)
		for i := base; i < base+made*s.Blocks[b].Width; i++ {
			t := &s.Tasks[i]
			next := e.Next
			if t.State == TaskPending || t.State == TaskExpanding {
				next = TaskCanceled
			}
			if _, kept := slices.BinarySearch(e.Detail.Except, i); kept || t.State.Terminal() {
				continue
			}
			if inner := s.Fans[i]; t.State == TaskExpanding && inner != nil {
				s.endItems(g, i, e, fx)
				if inner.Done < inner.Made {
					continue
				}
			}
			t.State, t.Asking, t.ReadyAt = next, AskNothing, 0
			s.letGo(i)
			if t.EndSeq == 0 {
				t.EndSeq = e.Seq
			}
			s.countInside(g, s.place(i), next, fx)
		}
	}
}
