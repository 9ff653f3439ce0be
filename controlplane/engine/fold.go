package engine

import (
	"cmp"
	"fmt"
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// rejectedFor is how long an agent is left out after it handed an attempt back.
const rejectedFor = 5 * time.Minute

// Fold advances s by one entry of its journal. Its errors mean a broken
// journal, or one of a newer release; s is then of no use.
//
// Fold reads no retry rule: the entry carries what was decided. It does read
// the plan (needs, rules, on_exit, on_task_failure), which never changes.
func Fold(g *Graph, s *State, e Entry) error { return apply(g, s, &e, nil) }

// effects collects what applying an entry brought about, for Decide. A nil
// collector drops everything: that is Fold.
type effects struct {
	opened []int32
	due    []due
}

// due is a pending task whose end the rules have decided, but which is not in
// the journal yet. by is the upstream task that settled it, or NoTask.
type due struct{ task, by int32 }

func (fx *effects) open(task int32) {
	if fx != nil {
		fx.opened = append(fx.opened, task)
	}
}

func (fx *effects) end(task, by int32) {
	if fx != nil {
		fx.due = append(fx.due, due{task: task, by: by})
	}
}

func apply(g *Graph, s *State, e *Entry, fx *effects) error {
	if e.V > EntryVersion {
		return fmt.Errorf("entry %d has format %d, newer than %d", e.Seq, e.V, EntryVersion)
	}
	if e.Seq != s.Seq+1 {
		return fmt.Errorf("entry %d follows entry %d", e.Seq, s.Seq)
	}
	if err := applyKind(g, s, e, fx); err != nil {
		return fmt.Errorf("fold entry %d (%s): %w", e.Seq, e.Kind, err)
	}
	s.Seq = e.Seq
	return nil
}

func applyKind(g *Graph, s *State, e *Entry, fx *effects) error {
	switch e.Kind {
	case KindRunStarted:
		return applyStarted(g, s, e, fx)
	case KindRunCanceled:
		return applyCanceled(g, s, e, RunEventCancel)
	case KindRunForced:
		return applyCanceled(g, s, e, RunEventForce)
	case KindRunRetried:
		return applyRetried(g, s, e, fx)
	case KindAttemptEnded, KindTaskEnded:
		return applyEnded(g, s, e, fx)
	case KindDeadlinePassed:
		s.DeadlinePassed, s.Reason = true, "the deadline passed"
		return s.move(RunEventDeadline)
	case KindExitDeadlinePassed:
		s.ExitDeadlinePassed = true
		return s.move(RunEventExitDeadline)
	case KindNone:
	}
	return fmt.Errorf("kind %d is unknown", e.Kind)
}

// move takes the run along its table.
func (s *State) move(event RunEvent) error {
	to, err := s.Run.Next(event)
	if err == nil {
		s.Run = to
	}
	return err
}

func applyStarted(g *Graph, s *State, e *Entry, fx *effects) error {
	if err := s.move(RunEventAdmit); err != nil {
		return err
	}
	s.create(g)
	s.StartedAt, s.GenerationAt = e.At.UTC(), e.At.UTC()
	for i := range g.nodes {
		s.touch(g, int32(i), NoTask, e.At, fx)
	}
	return nil
}

// create makes the tasks of a run that had none.
func (s *State) create(g *Graph) {
	s.Tasks = make([]Task, len(g.nodes))
	s.LeftMain, s.LeftExit = g.mains, g.exits
}

func applyCanceled(g *Graph, s *State, e *Entry, event RunEvent) error {
	from := s.Run
	if err := s.move(event); err != nil {
		return err
	}
	s.Forced = s.Forced || event == RunEventForce
	switch from {
	case RunPending:
		s.cancelPending(g, e.At)
	case RunRunning, RunPaused:
		s.CancelRequested = true
		s.Reason = cmp.Or(e.Reason, "canceled")
	case RunCanceling, RunFinalizing, RunSucceeded, RunFailed, RunCanceled, RunDropped:
	}
	return nil
}

// cancelPending ends a run that never began: nothing of it ran, so no task has
// an entry of its own and no exit handler runs.
func (s *State) cancelPending(g *Graph, at time.Time) {
	s.create(g)
	for i := range s.Tasks {
		s.Tasks[i].State = TaskCanceled
		s.Tasks[i].EndSeq = s.Seq + 1
	}
	s.FailingMain, s.CanceledMain = g.mains, g.mains
	s.LeftMain, s.LeftExit = 0, 0
	s.CancelRequested, s.Outcome = true, RunCanceled
	s.Reason = "canceled before it started"
	s.FinishedAt = at.UTC()
}

// applyEnded ends an attempt or a task and lets the rules speak.
func applyEnded(g *Graph, s *State, e *Entry, fx *effects) error {
	if e.Task < 0 || int(e.Task) >= len(s.Tasks) {
		return fmt.Errorf("task %d does not exist", e.Task)
	}
	t := &s.Tasks[e.Task]
	if e.Kind == KindAttemptEnded && (t.State != TaskOpen || t.Attempt != e.Attempt) {
		return fmt.Errorf("task %d: attempt %d is not open", e.Task, e.Attempt)
	}
	if int(e.Next) >= len(arrivals) {
		return fmt.Errorf("task %d: state %d is unknown", e.Task, e.Next)
	}
	to, err := t.State.Next(arrivals[e.Next])
	if err != nil {
		return fmt.Errorf("task %d: %w", e.Task, err)
	}
	if !e.Started.IsZero() && s.FirstStartAt.IsZero() {
		s.FirstStartAt = clock(e.Started)
	}
	if to == TaskOpen {
		t.reopen(e)
		fx.open(e.Task)
		return nil
	}
	t.State = to
	t.ReadyAt, t.AvoidAgent, t.AvoidUntil = 0, id.Nil, 0
	if !to.Terminal() {
		return nil
	}
	t.EndSeq = e.Seq
	return s.ended(g, e.Task, e.At, fx)
}

// reopen counts what the ended attempt used up and opens the next one.
func (t *Task) reopen(e *Entry) {
	switch {
	case e.Outcome == OutcomeSuspended:
	case e.Outcome == OutcomeRejected && t.Rejected < maxRejected:
		t.Rejected++
	case e.Cause == CauseUser, e.Cause == CauseTimeout:
		t.UsedUser++
	case e.Cause == CauseInfra:
		t.UsedInfra++
	case e.Cause == CausePreempted:
		t.UsedPreempt++
	}
	t.Attempt++
	t.ReadyAt = milli(e.At)
	if !e.RetryAt.IsZero() {
		t.ReadyAt = milli(e.RetryAt)
	}
	t.AvoidAgent, t.AvoidUntil = id.Nil, 0
	if e.Outcome == OutcomeLost || e.Outcome == OutcomeRejected {
		t.AvoidAgent = e.Agent
	}
	if e.Outcome == OutcomeRejected {
		t.AvoidUntil = milli(e.At.Add(rejectedFor))
	}
}

// ended propagates the end of a task: counters of its downstream tasks, then
// the run.
func (s *State) ended(g *Graph, i int32, at time.Time, fx *effects) error {
	to := s.Tasks[i].State
	if g.isExit(i) {
		s.LeftExit--
		if to == TaskFailed {
			s.FailedExit++
		}
		return s.advance(g, at, fx)
	}
	s.LeftMain--
	if to.Failing() {
		s.FailingMain++
		if to == TaskCanceled {
			s.CanceledMain++
		}
		if s.Run == RunRunning && g.StopsOnFailure() {
			s.Halted = true
		}
	}
	for _, d := range g.downstream(i) {
		s.Tasks[d].count(to)
		s.touch(g, d, i, at, fx)
	}
	return s.advance(g, at, fx)
}

// count adds the end of one upstream task to its class.
func (t *Task) count(end TaskState) {
	switch end {
	case TaskSucceeded, TaskCached, TaskReused, TaskTolerated:
		t.S++
	case TaskFailed, TaskCanceled:
		t.F++
	case TaskUpstreamFailed:
		t.U++
	case TaskSkipped:
		t.K++
	case TaskPending, TaskOpen, TaskHeld, TaskExpanding:
	}
}

// touch asks a main task's rule what to do now. Becoming ready is no entry, so
// it happens here; an end that the rule decides is one, so Decide writes it.
func (s *State) touch(g *Graph, i, by int32, at time.Time, fx *effects) {
	t, nd := &s.Tasks[i], &g.nodes[i]
	if t.State != TaskPending || nd.exit != "" || s.Run != RunRunning || s.Halted {
		return
	}
	switch t.verdict(nd) {
	case VerdictRun:
		t.open(at)
		fx.open(i)
	case VerdictUpstreamFailed, VerdictSkipped:
		fx.end(i, by)
	case VerdictWait:
	}
}

func (t *Task) verdict(nd *node) Verdict {
	return Evaluate(nd.rule, int(nd.needs), int(t.S), int(t.F), int(t.U), int(t.K), nd.quorum)
}

func (t *Task) open(at time.Time) {
	t.State = TaskOpen
	t.Attempt++
	t.ReadyAt = milli(at)
}
