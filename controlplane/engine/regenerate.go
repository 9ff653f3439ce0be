package engine

import (
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// applyRetried opens the next generation: what made the run fail, all that lies
// downstream of it, and the exit handlers start anew. What succeeded elsewhere
// stays, with its outputs. Attempt numbers go on, so that (task, attempt) names
// one attempt for ever; budgets are filled again.
func applyRetried(g *Graph, s *State, e *Entry, fx *effects) error {
	if err := s.move(RunEventRetry); err != nil {
		return err
	}
	s.Generation++
	s.Outcome, s.Reason = RunPending, ""
	s.CancelRequested, s.Forced, s.Halted = false, false, false
	s.DeadlinePassed, s.ExitDeadlinePassed = false, false
	s.Suspended, s.SuspendedAt, s.ResumedAt = false, time.Time{}, time.Time{}
	s.RetriedBy = e.Actor
	if s.StartedAt.IsZero() { // it was canceled before it started
		s.StartedAt = e.At.UTC()
	}
	s.GenerationAt = e.At.UTC()
	s.FinalizingAt, s.FinishedAt = time.Time{}, time.Time{}

	s.LeftMain, s.LeftExit = 0, g.exits
	s.FailingMain, s.CanceledMain, s.FailedExit = 0, 0, 0
	mode := s.again(g, 0, g.top, -1)
	for i, m := range mode {
		if m != keepTask && g.nodes[i].exit == "" {
			s.LeftMain++
		}
	}
	s.restart(g, 0, g.top, mode)
	s.resume(g, e.At, fx)
	return nil
}

// anew says what a retry does with a task.
type anew uint8

const (
	keepTask  anew = iota // it stays as it ended
	reopen                // its items stay but for those that failed
	startAnew             // it begins from nothing
)

// again says what a retry does with the tasks of one body, [base, base+width),
// of a block (-1: the pipeline's own): what failed and what lies behind it starts
// anew. A task whose items failed takes up those again, unless what it was
// expanded from is made anew.
func (s *State) again(g *Graph, base, width, block int32) []anew {
	out := make([]anew, width)
	var work []int32
	for off := range width {
		i := base + off
		switch f := s.Fans[i]; {
		case block < 0 && g.nodes[i].exit != "":
			out[off] = startAnew
		case !s.Tasks[i].State.Failing():
			continue
		case f != nil && f.Made > 0 && s.Tasks[i].EndSeq > 0 && !s.added(i):
			out[off] = reopen
		default:
			out[off] = startAnew
		}
		work = append(work, off)
	}
	for len(work) > 0 {
		off := work[len(work)-1]
		work = work[:len(work)-1]
		for _, d := range s.downstream(g, s.place(base+off)) {
			if out[d] != startAnew {
				out[d] = startAnew
				work = append(work, d)
			}
		}
	}
	return out
}

// added reports whether what is inside of a task was added by its own step,
// which then runs again.
func (s *State) added(owner int32) bool {
	blocks := s.Fans[owner].Blocks
	return len(blocks) > 0 && s.Blocks[blocks[len(blocks)-1]].Members != nil
}

// restart resets the tasks of one body and counts for them those that stay.
func (s *State) restart(g *Graph, base, width int32, mode []anew) {
	for off, m := range mode {
		i := base + int32(off)
		switch m {
		case startAnew:
			s.Tasks[i].reset()
			s.forget(i)
			s.forgetVotes(i)
		case reopen:
			t := &s.Tasks[i]
			*t = Task{State: TaskExpanding, Attempt: t.Attempt, Asked: t.Asked, S: t.S, F: t.F, U: t.U, K: t.K}
			s.reopenItems(g, i)
		case keepTask:
		}
	}
	for off := range width {
		if mode[off] != keepTask {
			continue
		}
		for _, d := range s.downstream(g, s.place(base+off)) {
			if mode[d] != keepTask {
				s.Tasks[base+d].count(s.Tasks[base+off].State)
			}
		}
	}
}

// reopenItems takes up the items of a task that did not succeed.
func (s *State) reopenItems(g *Graph, owner int32) {
	f := s.Fans[owner]
	*f = Fan{Blocks: f.Blocks, Count: f.Count, Made: f.Made, AskedSeq: f.AskedSeq}
	for _, b := range f.Blocks {
		bl := &s.Blocks[b]
		for item := range min(bl.Count, f.Made-bl.First) {
			base := bl.Base + item*bl.Width
			mode := s.again(g, base, bl.Width, b)
			s.resetItem(bl, item)
			s.restart(g, base, bl.Width, mode)
			for off, m := range mode {
				if i := base + int32(off); m == keepTask {
					s.countInside(g, s.place(i), s.Tasks[i].State, nil)
				}
			}
		}
	}
	f.Live, f.Stopped = 0, false
}

// resume lets everything go on that may: after a retry, after a pause.
func (s *State) resume(g *Graph, at time.Time, fx *effects) {
	for i := 0; i < len(s.Tasks); i++ { // it grows
		s.wake(g, int32(i), at, fx)
	}
}

func (t *Task) reset() { *t = Task{Attempt: t.Attempt, Asked: t.Asked, AvoidAgent: id.Nil} }

// retryable reports whether a retry would start any main task anew.
func (s *State) retryable() bool { return s.FailingMain > 0 }
