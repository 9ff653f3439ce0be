package engine

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
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
	opened   []int32
	held     []int32
	due      []due
	expanded []int32 // maps whose next items are to be made
	stopped  []int32 // maps whose items are to end
	children []int32 // tasks whose child is to start
}

// due is a pending task whose end the rules have decided, but which is not in
// the journal yet. by is the upstream task that settled it, or NoTask.
type due struct{ task, by int32 }

func (fx *effects) open(task int32) {
	if fx != nil {
		fx.opened = append(fx.opened, task)
	}
}

func (fx *effects) expand(task int32) {
	if fx != nil {
		fx.expanded = append(fx.expanded, task)
	}
}

func (fx *effects) stop(task int32) {
	if fx != nil {
		fx.stopped = append(fx.stopped, task)
	}
}

func (fx *effects) hold(task int32) {
	if fx != nil {
		fx.held = append(fx.held, task)
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
		return applyCanceled(g, s, e, RunEventCancel, fx)
	case KindRunForced:
		return applyCanceled(g, s, e, RunEventForce, fx)
	case KindRunRetried:
		return applyRetried(g, s, e, fx)
	case KindAttemptEnded, KindTaskEnded:
		return applyEnded(g, s, e, fx)
	case KindMemberEnded:
		return applyMember(s, e)
	case KindDeadlinePassed:
		s.DeadlinePassed, s.Reason = true, "the deadline passed"
		if err := s.move(RunEventDeadline); err != nil {
			return err
		}
		return s.advance(g, e.At, fx) // a paused run may have nothing left to do
	case KindExitDeadlinePassed:
		s.ExitDeadlinePassed = true
		return s.move(RunEventExitDeadline)
	case KindTaskDecided:
		return applyDecided(g, s, e, fx)
	case KindTaskExpanded:
		return applyExpanded(g, s, e, fx)
	case KindRunSeeded:
		return applySeeded(s, e)
	case KindItemsStopped:
		return applyItemsStopped(g, s, e, fx)
	case KindRunPaused, KindRunSuspended:
		return applyPaused(s, e)
	case KindRunResumed:
		return applyResumed(g, s, e, fx)
	case KindSignalReceived:
		return applySignal(s, e)
	case KindTaskApproved, KindTaskRejected:
		return applyVote(s, e)
	case KindRunQueued:
		return applyQueued(s, e)
	case KindRunDropped:
		return applyDropped(g, s, e)
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
	s.Reason = "" // what it waited for is over
	s.StartedAt, s.GenerationAt = e.At.UTC(), e.At.UTC()
	s.reuse(g, e)
	for i := range g.top {
		s.touch(g, i, NoTask, e.At, fx)
	}
	return s.advance(g, e.At, fx)
}

// create makes the tasks of a run that had none.
func (s *State) create(g *Graph) {
	s.Tasks = make([]Task, g.top)
	s.LeftMain, s.LeftExit = g.mains, g.exits
	s.dropTemplates(g, 0, g.top)
}

func applyCanceled(g *Graph, s *State, e *Entry, event RunEvent, fx *effects) error {
	from := s.Run
	if err := s.move(event); err != nil {
		return err
	}
	s.Forced = s.Forced || event == RunEventForce
	switch from {
	case RunPending:
		s.cancelPending(g, e)
	case RunRunning, RunPaused:
		s.CancelRequested = true
		s.Reason = cmp.Or(e.Reason, "canceled")
		return s.advance(g, e.At, fx) // a paused run may have nothing left to do
	case RunCanceling, RunFinalizing, RunSucceeded, RunFailed, RunCanceled, RunDropped:
	}
	return nil
}

// cancelPending ends a run that never began, as somebody wished.
func (s *State) cancelPending(g *Graph, e *Entry) {
	s.endPending(g, e.At)
	s.CancelRequested, s.Outcome = true, RunCanceled
	s.Reason = "canceled before it started"
	if e.Reason != "" {
		s.Reason += ": " + e.Reason
	}
}

// endPending: nothing of the run began, so no task has an entry of its own and
// no exit handler runs.
func (s *State) endPending(g *Graph, at time.Time) {
	s.create(g)
	for i := range s.Tasks {
		s.Tasks[i].State = TaskCanceled
		s.Tasks[i].EndSeq = s.Seq + 1
	}
	s.FailingMain, s.CanceledMain = g.mains, g.mains
	s.LeftMain, s.LeftExit = 0, 0
	s.FinishedAt = at.UTC()
}

// applyEnded ends an attempt or a task and lets the rules speak.
func applyEnded(g *Graph, s *State, e *Entry, fx *effects) error {
	if e.Task < 0 || int(e.Task) >= len(s.Tasks) {
		return fmt.Errorf("task %d does not exist", e.Task)
	}
	t := &s.Tasks[e.Task]
	if e.Kind == KindAttemptEnded && (t.State != TaskOpen || t.Try() != e.Attempt) {
		return fmt.Errorf("task %d: attempt %d is not open", e.Task, e.Attempt)
	}
	if int(e.Next) >= len(arrivals) {
		return fmt.Errorf("task %d: state %d is unknown", e.Task, e.Next)
	}
	to, err := t.State.Next(arrivals[e.Next])
	if err != nil {
		return fmt.Errorf("task %d: %w", e.Task, err)
	}
	delete(s.Gangs, e.Task)
	if !e.Started.IsZero() && s.FirstStartAt.IsZero() {
		s.FirstStartAt = clock(e.Started)
	}
	if to == TaskOpen {
		t.reopen(e)
		fx.open(e.Task)
		return nil
	}
	t.State = to
	t.ReadyAt, t.AvoidAgent, t.AvoidUntil, t.Asking = 0, id.Nil, 0, AskNothing
	if t.EndSeq == 0 {
		t.EndSeq = e.Seq
	}
	if to == TaskExpanding && e.Detail != nil && e.Detail.Members != nil {
		s.fan(e.Task).Count = 1
		s.make(g, e.Task, 1, e.Detail.Members)
		s.begin(g, e.Task, e.At, fx)
	}
	if !to.Terminal() {
		return nil
	}
	if err := s.unhold(e); err != nil {
		return err
	}
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
	if t.Asking != AskNothing {
		t.Asked++
	} else {
		t.Attempt++
	}
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
// what it is part of: an item, or the run.
func (s *State) ended(g *Graph, i int32, at time.Time, fx *effects) error {
	to, p := s.Tasks[i].State, s.place(i)
	nd := &g.nodes[p.node]
	if nd.exit != "" {
		s.LeftExit--
		if to == TaskFailed {
			s.FailedExit++
		}
		return s.advance(g, at, fx)
	}
	if p.block >= 0 {
		s.propagate(g, i, p, to, at, fx)
		s.endedInside(g, p, to, at, fx)
		return nil
	}
	s.LeftMain--
	if to.Failing() {
		s.FailingMain++
		if to == TaskCanceled {
			s.CanceledMain++
		}
		if (s.Run == RunRunning || s.Run == RunPaused) && (g.Plan.OnFailure == plan.OnFailureStop || g.Plan.OnFailure == plan.OnFailureCancel) {
			s.Halted = true
		}
	}
	s.propagate(g, i, p, to, at, fx)
	return s.advance(g, at, fx)
}

// propagate counts the end of a task at those beside it that need it.
func (s *State) propagate(g *Graph, i int32, p place, to TaskState, at time.Time, fx *effects) {
	first := i - p.off
	for _, off := range s.downstream(g, p) {
		s.Tasks[first+off].count(to)
		s.touch(g, first+off, i, at, fx)
	}
}

// downstream lists the places of the tasks beside one that need it.
func (s *State) downstream(g *Graph, p place) []int32 {
	var out []int32
	if p.block >= 0 && s.Blocks[p.block].Members != nil {
		for off, m := range s.Blocks[p.block].Members {
			if slices.Contains(m.Needs, p.off) {
				out = append(out, int32(off))
			}
		}
		return out
	}
	down := g.downstream(p.node)
	if p.node == p.off { // the pipeline's own: a node is its place
		return down
	}
	for _, n := range down {
		out = append(out, g.nodes[n].off)
	}
	return out
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
	t := &s.Tasks[i]
	if t.State != TaskPending {
		return
	}
	p := s.place(i)
	if nd := &g.nodes[p.node]; nd.exit != "" || !s.goes(nd) || !s.begun(p) {
		return
	}
	switch s.verdict(g, i) {
	case VerdictRun:
		s.run(g, i, at, fx)
	case VerdictUpstreamFailed, VerdictSkipped:
		fx.end(i, by)
	case VerdictWait:
	}
}

// goes reports whether tasks of this kind may begin at this moment.
func (s *State) goes(nd *node) bool {
	if nd.inExit {
		return s.Run == RunFinalizing && !s.Forced && !s.ExitDeadlinePassed
	}
	return s.Run == RunRunning && !s.Halted
}

// run lets a task go whose rule says so: what it asks first, then itself.
func (s *State) run(g *Graph, i int32, at time.Time, fx *effects) {
	if what := g.question(s, i); what != AskNothing {
		s.Tasks[i].ask(what, at)
		fx.open(i)
		return
	}
	s.enter(g, i, at, fx)
}

func (s *State) verdict(g *Graph, i int32) Verdict {
	p, t := s.place(i), &s.Tasks[i]
	nd := &g.nodes[p.node]
	if s.Seed != nil && s.Seed.Only != nil && *s.Seed.Only == i {
		return VerdictRun // whatever its rule makes of those that are left out
	}
	needs := nd.needs
	if p.block >= 0 && s.Blocks[p.block].Members != nil {
		needs = int32(len(s.Blocks[p.block].Members[p.off].Needs))
	}
	return Evaluate(nd.rule, int(needs), int(t.S), int(t.F), int(t.U), int(t.K), nd.quorum)
}

func (t *Task) open(at time.Time) {
	t.State = TaskOpen
	t.Attempt++
	t.ReadyAt = milli(at)
}
