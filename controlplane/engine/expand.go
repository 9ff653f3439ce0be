package engine

import (
	"fmt"
	"strconv"
	"time"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// Chunk is how many items of a map come into being with one command at most, so
// that no other run waits for a big map, and firstChunk how many with the command
// that finds out how many there are.
const (
	Chunk      = 1000
	firstChunk = 200
)

// Expand brings the next items of a map into being: at most so many, if Most is
// given. It decides nothing if all are there.
type Expand struct {
	Now  time.Time
	Task int32
	Most int32
	// Live holds the run's live leases. Needed only if the run becomes too large,
	// or stops on failure.
	Live []Lease
}

func (c Expand) now() time.Time { return c.Now }

func (x *decider) expandMore(c *Expand) error {
	if c.Task < 0 || int(c.Task) >= len(x.s.Tasks) || x.s.Tasks[c.Task].State != TaskExpanding {
		return nil
	}
	x.live = leases{given: c.Live, ended: NoTask}
	most := int32(Chunk)
	if c.Most > 0 {
		most = min(c.Most, Chunk)
	}
	return x.expand(c.Task, most)
}

// expand writes the entry of the next chunk.
func (x *decider) expand(owner, most int32) error {
	f := x.s.Fans[owner]
	if f == nil || f.Made >= f.Count || f.Stopped || x.g.node(x.s, owner).layer != layerMap {
		return nil
	}
	n := min(f.Count-f.Made, most)
	if x.g.grown(x.s, x.g.inside(x.g.node(x.s, owner))*int64(n)) {
		return x.tooLarge(owner)
	}
	e := Entry{Kind: KindTaskExpanded, Task: owner, Next: TaskExpanding, Detail: &Detail{First: f.Made, Count: n}}
	if len(f.Reused) > 0 {
		e.V = formatRoom
	}
	err := x.emit(e)
	if f.Made < f.Count && err == nil {
		x.d.Timers = append(x.d.Timers, Timer{Kind: TimerExpand, Task: owner, At: x.now})
	}
	return err
}

// NoItems is the reason of a map that ends because it is over nothing.
const NoItems = "no items"

// empty ends a map over nothing.
func (x *decider) empty(e *Entry) {
	e.Detail, e.Reason = nil, NoItems
	switch x.g.Task(x.s, e.Task).ForEach.OnEmpty {
	case plan.OnEmptySkip:
		e.Next = TaskSkipped
	case plan.OnEmptyFail:
		e.Next, e.Cause = TaskFailed, CauseUser
	case plan.OnEmptySucceed, "":
		e.Next = TaskSucceeded
	}
}

// enter begins a task that nothing is asked about any more.
func (s *State) enter(g *Graph, i int32, at time.Time, fx *effects) {
	t, nd := &s.Tasks[i], g.node(s, i)
	t.Asking = AskNothing
	switch nd.layer {
	case layerMap:
		n, _ := g.Plan.Tasks[nd.task].ForEach.Known()
		s.fan(i).Reused = s.seedItems(i, nil)
		s.enterMap(i, int32(n), fx)
	case layerLoop, layerGroup:
		t.State = TaskExpanding
		s.fan(i).Reused = s.seedItems(i, nil)
		s.pass(g, i, at, fx)
	case layerWork:
		if g.Plan.Tasks[nd.task].Pipeline != nil {
			s.enterChild(i, fx)
			return
		}
		if Holds(g.Task(s, i)) {
			s.hold(g, i, at, fx)
			return
		}
		t.open(at)
		fx.open(i)
	}
}

func (s *State) enterMap(i, count int32, fx *effects) {
	s.Tasks[i].State = TaskExpanding
	s.fan(i).Count = count
	fx.expand(i)
}

// pass begins the one item of a group, or the next one of a loop.
func (s *State) pass(g *Graph, i int32, at time.Time, fx *effects) {
	s.fan(i).Count++
	s.make(g, i, 1, nil)
	s.goOn(g, i, at, fx)
}

// applyExpanded makes a chunk of a map's items.
func applyExpanded(g *Graph, s *State, e *Entry, fx *effects) error {
	t, err := s.expanding(e)
	if err != nil {
		return err
	}
	f := s.fan(e.Task)
	if t.State != TaskExpanding || e.Detail == nil || e.Detail.First != f.Made || f.Made+e.Detail.Count > f.Count {
		return errBroken(e.Task, "these items do not follow")
	}
	live := f.Live
	s.make(g, e.Task, e.Detail.Count, nil)
	if e.V >= formatRoom {
		f.Live = live
	}
	s.goOn(g, e.Task, e.At, fx)
	return nil
}

// applyDecided takes an agent's answer.
func applyDecided(g *Graph, s *State, e *Entry, fx *effects) error {
	t, err := s.expanding(e)
	if err != nil {
		return err
	}
	if t.State != TaskOpen || t.Asking == AskNothing || t.Try() != e.Attempt {
		return errBroken(e.Task, "decision "+strconv.Itoa(int(e.Attempt))+" is not open")
	}
	until := t.Asking == AskUntil
	t.Asking, t.ReadyAt = AskNothing, 0
	if e.Next.Terminal() {
		t.State, t.EndSeq = e.Next, e.Seq
		return s.ended(g, e.Task, e.At, fx)
	}
	t.State = TaskExpanding
	switch {
	case until:
		s.pass(g, e.Task, e.At, fx)
	case e.Next == TaskExpanding && e.Detail != nil && g.node(s, e.Task).layer == layerMap:
		f := s.fan(e.Task)
		f.AskedSeq, f.Reused = e.Seq, e.Detail.Reused
		s.enterMap(e.Task, e.Detail.Count, fx)
	default:
		s.enter(g, e.Task, e.At, fx)
		s.holdUntil(e)
	}
	return nil
}

func (s *State) expanding(e *Entry) (*Task, error) {
	if e.Task < 0 || int(e.Task) >= len(s.Tasks) {
		return nil, errBroken(e.Task, "it does not exist")
	}
	return &s.Tasks[e.Task], nil
}

// endOwner is the end of a task whose items have all ended.
func (x *decider) endOwner(i int32) Entry {
	s, f := x.s, x.s.Fans[i]
	e := Entry{Kind: KindTaskEnded, Task: i, Next: TaskSucceeded, Cause: CauseRule}
	m := modeOf(x.g, s, i)
	switch {
	case m == modeDeadline:
		e.Next, e.Cause, e.Reason = TaskFailed, CauseDeadline, "the deadline passed"
	case m == modeStopping:
		e.Next, e.Cause, e.Reason = TaskCanceled, CauseControl, "it was stopped"
	case f.TooLarge:
		e.Next, e.Cause, e.Reason = TaskFailed, CauseUser, tooLarge("with these items the run")
		if x.g.tolerates(s, i) {
			e.Next = TaskTolerated
		}
	case f.Bad > 0:
		e.Next, e.Cause, e.Reason = TaskFailed, CauseUpstream, x.failures(i, f)
		if x.g.tolerates(s, i) {
			e.Next = TaskTolerated
		}
	case f.Done < f.Count:
		e.Next, e.Cause, e.Reason = TaskCanceled, CauseControl, "it was stopped"
	case f.Gone == f.Done:
		e.Next, e.Reason = TaskSkipped, "everything inside was skipped"
	}
	return e
}

func (x *decider) failures(i int32, f *Fan) string {
	if x.g.node(x.s, i).layer != layerMap {
		return "a task inside failed"
	}
	return strconv.Itoa(int(f.Bad+f.Tolerated)) + " of " + strconv.Itoa(int(f.Count)) + " items failed"
}

func errBroken(task int32, what string) error {
	return fmt.Errorf("task %d: %s", task, what)
}
