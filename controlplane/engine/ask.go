package engine

import (
	"strconv"
	"time"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// Ask is what a task's open attempt asks of an agent. An attempt that asks is a
// decision: it takes no slot and starts no step.
type Ask uint8

// What may be asked.
const (
	AskNothing Ask = iota // the attempt runs the step
	AskBegin              // the task's condition, and what it needs to begin
	AskItem               // the same for one item of a map
	AskUntil              // whether a loop is done
)

var askNames = []string{"", "begin", "item", "until"}

// String is the question as tables spell it; empty for none.
func (a Ask) String() string { return text(askNames, a) }

// ParseAsk reads what String wrote.
func ParseAsk(s string) (Ask, error) { return parse[Ask]("question", askNames, s) }

// Answer is what an agent decided.
type Answer struct {
	// Yes: the condition holds, or the loop is done.
	Yes   bool
	Count int // of items
	// Digests are of the items, DigestSize bytes each; nil if they are not told.
	Digests [][]byte
	Until   time.Time // when a wait ends
}

// Try is the number of the task's open attempt, as ready rows, leases and timers
// carry it: 1, 2, … for steps, -1, -2, … for decisions.
func (t *Task) Try() int32 {
	if t.Asking != AskNothing {
		return -t.Asked
	}
	return t.Attempt
}

// ask opens a decision.
func (t *Task) ask(what Ask, at time.Time) {
	t.State, t.Asking = TaskOpen, what
	t.Asked++
	t.ReadyAt = milli(at)
}

// question is what must be asked before a task begins.
func (g *Graph) question(s *State, i int32) Ask {
	nd := g.node(s, i)
	t := &g.Plan.Tasks[nd.task]
	switch {
	case nd.outer && t.Asks():
		return AskBegin
	case !nd.outer && nd.layer != layerMap && s.ownerLayer(g, i) == layerMap && t.AsksItem():
		return AskItem
	}
	return AskNothing
}

func (s *State) ownerLayer(g *Graph, i int32) layer {
	return g.node(s, s.Blocks[s.place(i).block].Owner).layer
}

// answer decides what an agent's answer means.
func (x *decider) answer(c *Report) error {
	i := c.Lease.Task
	t, nd := &x.s.Tasks[i], x.g.node(x.s, i)
	p := &x.g.Plan.Tasks[nd.task]
	e := Entry{
		Kind: KindTaskDecided, Task: i, Attempt: c.Lease.Attempt,
		Lease: c.Lease.ID, Agent: c.Lease.Agent, Granted: c.Lease.Granted, Finished: c.Finished,
		Outcome: OutcomeSucceeded, Reason: c.Reason,
	}
	a := c.Answer
	switch {
	case t.Asking == AskUntil:
		x.answerUntil(&e, p.Repeat.Max, p.Repeat.OnMax, a)
	case !a.Yes:
		e.Next = TaskSkipped
		if e.Reason == "" {
			e.Reason = "condition_false"
		}
	case nd.layer == layerMap:
		x.answerItems(&e, p.ForEach, a.Count, a.Digests)
	case nd.layer == layerLoop || nd.layer == layerGroup:
		e.Next = TaskExpanding
	default:
		e.Next = entered(p)
		if !a.Until.IsZero() {
			e.Detail = &Detail{Until: milli(a.Until)}
		}
	}
	if e.Next == TaskFailed && x.g.tolerates(x.s, i) {
		e.Next = TaskTolerated
	}
	return x.emit(e)
}

func (x *decider) answerItems(e *Entry, f *plan.ForEach, count int, digests [][]byte) {
	limit := f.Limit()
	n, known := f.Known()
	if known {
		count, limit = n, plan.MaxItems
	}
	switch {
	case count > limit:
		e.Next, e.Cause = TaskFailed, CauseUser
		e.Reason = "map_too_large: " + strconv.Itoa(count) + " items, at most " + strconv.Itoa(limit)
	case count <= 0:
		x.empty(e)
	default:
		e.Next, e.Detail = TaskExpanding, &Detail{Count: int32(count)}
		if !known {
			e.Detail.Reused = x.s.seedItems(e.Task, digests)
		} else {
			e.Detail.Reused = x.s.seedItems(e.Task, nil)
		}
	}
}

// entered is the state in which a task begins that has no items.
func entered(p *plan.Task) TaskState {
	switch {
	case p.Wait != nil, p.Signal != nil, p.Approve != nil:
		return TaskHeld
	case p.Pipeline != nil:
		return TaskExpanding
	}
	return TaskOpen
}

func (x *decider) answerUntil(e *Entry, most int, onMost string, a *Answer) {
	passes := int(x.s.Fans[e.Task].Count)
	switch {
	case a.Yes:
		e.Next = TaskSucceeded
	case passes < most:
		e.Next = TaskExpanding
	case onMost == "succeed":
		e.Next, e.Reason = TaskSucceeded, "not done after "+strconv.Itoa(passes)+" passes"
	default:
		e.Next, e.Cause, e.Reason = TaskFailed, CauseUser, "not done after "+strconv.Itoa(passes)+" passes"
	}
}
