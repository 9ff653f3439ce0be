package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// Decide advances s by the command and returns what to write. On a *Refusal s
// is untouched; after any other error, and when the caller's transaction fails,
// s must be thrown away and folded again.
func Decide(g *Graph, s *State, c Command) (Decision, error) {
	if c == nil {
		return Decision{FirstStart: -1}, errors.New("decide: no command")
	}
	x := decider{g: g, s: s, now: clock(c.now()), d: Decision{FirstStart: -1}}
	before := s.row()
	var err error
	switch c := c.(type) {
	case Start:
		err = x.start(&c)
	case Report:
		err = x.report(&c)
	case Cancel:
		err = x.cancel(&c)
	case Retry:
		err = x.retry(&c)
	case QueueTimeout:
		err = x.queueTimeout(&c)
	case Deadline:
		err = x.deadline(&c)
	case ExitDeadline:
		err = x.exitDeadline(&c)
	case Expand:
		err = x.expandMore(&c)
	case Pause:
		err = x.pause(&c)
	case Resume:
		err = x.resume(&c)
	case Sow:
		err = x.sow(&c)
	case GangTimeout:
		err = x.gangTimeout(&c)
	case HoldOver:
		err = x.holdOver(&c)
	case Signal:
		err = x.signal(&c)
	case Vote:
		err = x.vote(&c)
	case ChildEnded:
		err = x.childEnded(&c)
	case Queue:
		err = x.queue(&c)
	case Drop:
		err = x.drop(&c)
	}
	if err != nil || len(x.d.Entries) == 0 {
		return x.d, err
	}
	if err := x.settle(); err != nil {
		return x.d, err
	}
	x.conclude(before)
	return x.d, nil
}

// clock cuts a command's time to what the journal keeps: what is decided now
// must equal what is folded later.
func clock(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// after is the moment d later.
func after(t time.Time, d plan.Millis) time.Time {
	return t.Add(time.Duration(d) * time.Millisecond)
}

// decider is one decision in the making.
type decider struct {
	g    *Graph
	s    *State
	now  time.Time
	live leases
	fx   effects
	d    Decision

	halt bool // on_task_failure has struck and is not carried out yet
}

// emit writes an entry and applies it.
func (x *decider) emit(e Entry) error {
	e.V, e.Seq, e.At = max(e.V, formatFirst), x.s.Seq+1, x.now
	n := len(x.d.Entries)
	x.d.Entries = append(x.d.Entries, e)
	unstarted, running := x.s.FirstStartAt.IsZero(), !x.s.Halted
	if err := apply(x.g, x.s, &x.d.Entries[n], &x.fx); err != nil {
		return fmt.Errorf("decide: %w", err)
	}
	if unstarted && !x.s.FirstStartAt.IsZero() {
		x.d.FirstStart = n
	}
	x.halt = x.halt || (running && x.s.Halted)
	return nil
}

// settle is the work list: it ends the tasks whose rules have decided, whose
// ends decide others, and the holds that have nothing to wait for, until nothing
// is left to say. A failure that stops the run comes first, so that it cancels
// what the rules have not ended yet.
func (x *decider) settle() error {
	var ended, stopped, expanded, held int
	for {
		var err error
		switch {
		case x.halt:
			x.halt = false
			err = x.stopMain(TaskCanceled, CauseControl, string(x.g.Plan.OnFailure))
		case stopped < len(x.fx.stopped):
			err = x.stopItems(x.fx.stopped[stopped], TaskCanceled, CauseControl, "stop_on first_failure")
			stopped++
		case ended < len(x.fx.due):
			err = x.endDue(x.fx.due[ended])
			ended++
		case held < len(x.fx.held):
			err = x.release(x.fx.held[held])
			held++
		case expanded < len(x.fx.expanded):
			err = x.expand(x.fx.expanded[expanded], firstChunk)
			expanded++
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (x *decider) endDue(w due) error {
	t, nd := &x.s.Tasks[w.task], x.g.node(x.s, w.task)
	if t.State == TaskExpanding && x.s.Fans[w.task] != nil {
		return x.emit(x.endOwner(w.task))
	}
	if t.State != TaskPending {
		return nil // it was touched twice, or canceled meanwhile
	}
	e := Entry{Kind: KindTaskEnded, Task: w.task, Cause: CauseRule}
	switch {
	case nd.exit != "" && x.s.Forced:
		e.Next, e.Cause, e.Reason = TaskCanceled, CauseControl, "the run was ended by force"
	case nd.exit != "":
		e.Next = TaskSkipped
		e.Reason = "on_exit " + string(nd.exit) + ": the run is " + x.s.Outcome.String()
	case x.s.verdict(x.g, w.task) == VerdictSkipped:
		e.Next, e.Reason = TaskSkipped, x.ruleReason(nd, w.by)
	default:
		e.Next, e.Cause, e.Reason = TaskUpstreamFailed, CauseUpstream, x.ruleReason(nd, w.by)
	}
	return x.emit(e)
}

func (x *decider) ruleReason(nd *node, by int32) string {
	if by == NoTask {
		return "rule " + nd.rule.String()
	}
	return "rule " + nd.rule.String() + ": " + x.g.Path(x.s, by) + " " + x.s.Tasks[by].State.String()
}

// conclude turns what happened into what is to be written.
func (x *decider) conclude(before row) {
	x.d.RunChanged = x.s.row() != before
	x.d.Finished = x.s.Run.Terminal()
	for _, i := range x.fx.children {
		if x.s.hasChild(x.g, i) {
			x.d.Children = append(x.d.Children, Child{Task: i, Attempt: x.s.Tasks[i].Attempt})
		}
	}
	for _, i := range x.fx.opened {
		if x.s.Tasks[i].State != TaskOpen || x.s.Run == RunPaused {
			continue // stopped in the same decision, or to wait for the resume
		}
		if x.d.Opened == nil {
			x.d.Opened = make([]Opening, 0, len(x.fx.opened))
		}
		o := opening(x.g, x.s, i, x.now)
		x.d.Opened = append(x.d.Opened, o)
		if !o.QueueUntil.IsZero() {
			x.d.Timers = append(x.d.Timers, queueTimer(&o))
		}
	}
	for _, i := range x.fx.held {
		if _, held := x.s.Holds[i]; held {
			x.d.Held = append(x.d.Held, i)
		}
		if timer, ok := x.s.holdTimer(i); ok {
			x.d.Timers = append(x.d.Timers, timer)
		}
	}
	if x.s.Run != before.run || x.s.Generation != before.generation {
		x.d.Timers = runTimers(x.g, x.s, x.d.Timers)
	}
}

// row is the part of a state that stands in the run's row, without seq.
type row struct {
	run, outcome                      RunState
	generation                        int32
	failing, failedExit               int32
	reason                            string
	started, firstStart, final, ended time.Time
}

func (s *State) row() row {
	return row{
		run: s.Run, outcome: s.Outcome, generation: s.Generation, failing: s.FailingMain,
		failedExit: s.FailedExit, reason: s.Reason, started: s.StartedAt,
		firstStart: s.FirstStartAt, final: s.FinalizingAt, ended: s.FinishedAt,
	}
}
