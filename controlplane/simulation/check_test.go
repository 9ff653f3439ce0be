package simulation_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/signalboxhq/signalbox/billing/usage"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// checker asks after every commit for the invariants of a run, and at the end
// for those of the whole.
type checker struct {
	w       *world
	shadows map[id.UUID]*shadow
	keys    map[string]id.UUID
	answers map[int64]*answer
	ends    map[int64]bool
	derived map[usage.Key]int64
	given   []*given
}

// shadow is a run as its journal tells it, folded entry by entry beside the
// replicas' own states.
type shadow struct {
	state   *engine.State
	ends    map[int32]engine.TaskState // of this generation
	outcome engine.RunState
	grants  map[int32]int // of exit handlers, in this generation
}

// answer is what agents were told about the reports of a lease.
type answer struct {
	run             id.UUID
	agent           id.UUID
	accepted, stale int
}

func newChecker(w *world) *checker {
	return &checker{
		w: w, shadows: map[id.UUID]*shadow{}, keys: map[string]id.UUID{}, answers: map[int64]*answer{},
		ends: map[int64]bool{}, derived: map[usage.Key]int64{},
	}
}

// committed is called in the moment of a commit.
func (db *database) committed(b *batch) {
	c := db.w.check
	touched := map[id.UUID]bool{}
	for _, run := range b.order {
		if x := b.works[run]; !x.missing && !x.refused && !touched[run] {
			touched[run] = true
			c.fold(db.runs[run])
			c.run(db.runs[run], b.now)
		}
	}
	for _, l := range b.granted {
		c.granted(l)
		if !touched[l.run] {
			touched[l.run] = true
			c.run(db.runs[l.run], b.now)
		}
	}
	c.pools()
	c.lines(b)
	c.limits(b)
	for _, run := range b.order {
		if row := db.runs[run]; row != nil {
			db.w.note(run.String(), row.state.String())
		}
	}
}

// fold takes in the new entries of a run.
func (c *checker) fold(row *runRow) {
	if row == nil {
		return
	}
	s := c.shadows[row.id]
	if s == nil {
		s = &shadow{state: engine.NewState(row.id), ends: map[int32]engine.TaskState{}, grants: map[int32]int{}}
		c.shadows[row.id] = s
	}
	for i := s.state.Seq; i < int64(len(row.journal)); i++ {
		e := &row.journal[i]
		before := s.state.Run
		if before.Terminal() && e.Kind != engine.KindRunRetried {
			c.w.violate("run %s is %s, and then comes %s", row.id, before, e.Kind)
		}
		if e.Kind == engine.KindRunRetried {
			clear(s.ends)
			clear(s.grants)
			s.outcome = engine.RunPending
		}
		if err := engine.Fold(c.w.graph(row), s.state, e.Entry); err != nil {
			c.w.violate("the journal of run %s cannot be folded: %v", row.id, err)
			return
		}
		c.entry(row, s, e)
		c.outcome(row, s)
		if !before.Terminal() && s.state.Run.Terminal() {
			c.w.done.Ended++
		}
	}
}

// entry checks one entry of a run.
func (c *checker) entry(row *runRow, s *shadow, e *entryRow) {
	if e.EndsLease() {
		if c.ends[e.Lease] {
			c.w.violate("lease %d ended twice", e.Lease)
		}
		c.ends[e.Lease] = true
	}
	if e.Kind == engine.KindTaskDecided {
		c.w.done.Decisions++
	}
	if e.Kind == engine.KindAttemptEnded {
		c.w.done.Attempts++
		if e.Outcome == engine.OutcomeLost {
			c.w.done.Lost++
		}
		a := attemptOf(c.w, row.id, row.pipeline, c.w.graph(row).Task(s.state, e.Task), e)
		if e.billed != a.DurationMS() {
			c.w.violate("entry %d of run %s bills %d ms instead of %d", e.Seq, row.id, e.billed, a.DurationMS())
		}
		for _, q := range usage.Measure(a) {
			c.derived[q.Key] += q.Value
		}
	}
	if e.first != (!s.state.FirstStartAt.IsZero() && e.Started.Equal(s.state.FirstStartAt) && c.firstOf(row, e)) {
		c.w.violate("entry %d of run %s begins the run: %t", e.Seq, row.id, e.first)
	}
	if e.Task == engine.NoTask || e.Kind == engine.KindTaskExpanded {
		return
	}
	for task, was := range s.ends {
		if now := s.state.Tasks[task].State; now != was {
			// Items of a loop's task begin anew with each pass of what they are in.
			if !c.remade(row, s, task) {
				c.w.violate("task %d of run %s was %s and is %s", task, row.id, was, now)
			}
			delete(s.ends, task)
		}
	}
	if t := &s.state.Tasks[e.Task]; t.State.Terminal() {
		s.ends[e.Task] = t.State
	}
}

// firstOf reports whether no entry before this one had a start.
func (c *checker) firstOf(row *runRow, e *entryRow) bool {
	for i := range row.journal[:e.Seq-1] {
		if before := &row.journal[i]; !before.Started.IsZero() && before.Kind != engine.KindMemberEnded { // its attempt begins the run
			return false
		}
	}
	return true
}

// remade reports whether a task is inside of another, whose next pass makes it
// anew.
func (c *checker) remade(row *runRow, s *shadow, task int32) bool {
	_ = row
	return len(s.state.Blocks) > 0 && task >= s.state.Blocks[0].Base
}

// run compares a run's rows with what its journal says.
func (c *checker) run(row *runRow, now time.Time) {
	if row == nil || c.w.stopped {
		return
	}
	s := c.shadows[row.id].state
	if row.seq != s.Seq || row.state != s.Run || row.outcome != s.Outcome || row.generation != s.Generation || row.failed != s.Failed() {
		c.w.violate("the row of run %s says %d %s %s, its journal folds to %d %s %s", row.id, row.seq, row.state, row.outcome, s.Seq, s.Run, s.Outcome)
	}
	ready, leased, timers := c.places(row.id)
	if s.Run.Terminal() {
		if len(ready)+len(leased)+len(timers) > 0 {
			c.w.violate("run %s is %s, and left %d ready rows, %d leases, %d timers", row.id, s.Run, len(ready), len(leased), len(timers))
		}
		for i := range s.Tasks {
			if !s.Tasks[i].State.Terminal() {
				c.w.violate("run %s is %s, and its task %d is %s", row.id, s.Run, i, s.Tasks[i].State)
			}
		}
		return
	}
	c.dispatch(row, s, now, ready, leased, timers)
	c.gangs(row.id, s)
	c.children(row, s)
}

func (c *checker) places(run id.UUID) (ready map[int32]readyRow, leased map[int32]*leaseRow, timers map[timerKey]timerRow) {
	ready, leased, timers = map[int32]readyRow{}, map[int32]*leaseRow{}, map[timerKey]timerRow{}
	for k, r := range c.w.db.ready {
		if k.run == run {
			ready[k.task] = r
		}
	}
	for _, l := range c.w.db.leases {
		if l.run == run {
			if leased[l.task] != nil && l.gang == 0 {
				c.w.violate("task %d of run %s has two leases", l.task, run)
			}
			leased[l.task] = l
		}
	}
	for k, t := range c.w.db.timers {
		if k.run == run {
			timers[k] = t
		}
	}
	return ready, leased, timers
}

// dispatch: each open attempt stands in exactly one of ready, lease and timer.
func (c *checker) dispatch(row *runRow, s *engine.State, now time.Time, ready map[int32]readyRow, leased map[int32]*leaseRow, timers map[timerKey]timerRow) {
	open, wanted := engine.Pending(c.w.graph(row), s, now)
	found := 0
	for i := range open {
		o := &open[i]
		var places []int32
		if r, ok := ready[o.Task]; ok {
			places = append(places, r.attempt)
		}
		if l, ok := leased[o.Task]; ok {
			places = append(places, l.attempt)
		}
		if t, ok := timers[timerKey{taskKey{row.id, o.Task}, timerRetry}]; ok {
			places = append(places, t.attempt)
		}
		found += len(places)
		if len(places) != 1 || places[0] != o.Attempt {
			c.w.violate("attempt %d of task %d of run %s (%s) is open, and stands in %v of ready, lease and timer", o.Attempt, o.Task, row.id, s.Run, places)
			return
		}
	}
	if s.Run == engine.RunPaused {
		for task, l := range leased { // what was taken before runs on
			if t := &s.Tasks[task]; t.State == engine.TaskOpen && t.Try() == l.attempt {
				found++
			}
		}
	}
	stand := len(ready) + len(leased)
	for k := range timers {
		if k.kind == timerRetry {
			stand++
		}
	}
	if stand != found {
		c.w.violate("run %s is %s and has %d tasks in ready, lease and timer, and %d that are open; ready %v, leased %v, timers %v; its last entries: %s",
			row.id, s.Run, stand, found, sortedKeys(ready), sortedKeys(leased), len(timers), c.last(row, s, 6))
	}
	for _, t := range wanted {
		if leased[t.Task] != nil && t.Kind == engine.TimerQueue {
			continue
		}
		got, there := timers[timerKey{taskKey{row.id, t.Task}, t.Kind.String()}]
		if (!there || !got.at.Equal(t.At) || got.attempt != t.Attempt) && (t.At.After(now) || t.Kind == engine.TimerExpand && !there) {
			c.w.violate("the %s timer of task %d of run %s is %v instead of %v", t.Kind, t.Task, row.id, got, t)
		}
	}
	c.holders(row, s, leased)
}

// last tells the last entries of a run.
func (c *checker) last(row *runRow, s *engine.State, n int) string {
	var out []string
	for _, e := range row.journal[max(0, len(row.journal)-n):] {
		text := fmt.Sprintf("%d %s", e.Seq, e.Kind)
		if e.Task >= 0 {
			text += fmt.Sprintf(" %s/%d → %s", c.w.graph(row).Path(s, e.Task), e.Attempt, e.Next)
		}
		out = append(out, text+" "+e.Reason)
	}
	return strings.Join(out, "; ")
}

// holders: nothing main runs beside an exit handler.
func (c *checker) holders(row *runRow, s *engine.State, leased map[int32]*leaseRow) {
	var mains, exits int
	for task := range leased {
		if c.w.graph(row).Task(s, task).Exit != "" {
			exits++
		} else {
			mains++
		}
	}
	if (mains > 0 && exits > 0) || (s.Run == engine.RunFinalizing && mains > 0) {
		c.w.violate("run %s is %s with %d main attempts and %d exit handlers live", row.id, s.Run, mains, exits)
	}
}

// outcome: it is fixed on entry to finalizing.
func (c *checker) outcome(row *runRow, sh *shadow) {
	s := sh.state
	if sh.outcome != engine.RunPending && s.Outcome != engine.RunPending && s.Outcome != sh.outcome {
		c.w.violate("the outcome of run %s was %s and is %s", row.id, sh.outcome, s.Outcome)
	}
	sh.outcome = s.Outcome
	if s.Run.Terminal() && s.Run != s.Outcome {
		c.w.violate("run %s is %s, its outcome was %s", row.id, s.Run, s.Outcome)
	}
	if s.Run == engine.RunSucceeded && s.FailingMain > 0 {
		c.w.violate("run %s succeeded with %d failed tasks", row.id, s.FailingMain)
	}
}

// granted: no lease while a run is paused, canceling or over, none to a session
// that has ended, and exit handlers no more often than they may be tried.
func (c *checker) granted(l *leaseRow) {
	row := c.w.db.runs[l.run]
	s := c.shadows[l.run].state
	if s.Run != engine.RunRunning && s.Run != engine.RunFinalizing {
		c.w.violate("task %d is leased while run %s is %s", l.task, l.run, s.Run)
	}
	if s.Run == engine.RunFinalizing {
		t := c.w.graph(row).Task(s, l.task)
		grants := c.shadows[l.run].grants
		if l.rank == 0 {
			grants[l.task]++
		}
		used := s.Tasks[l.task]
		if most := 1 + int(used.UsedUser+used.UsedInfra+used.UsedPreempt+used.Rejected); t.Exit == "" || grants[l.task] > most {
			c.w.violate("task %d of finalizing run %s is leased for the %d. time", l.task, l.run, grants[l.task])
		}
	}
	if session := c.w.db.sessions[l.session]; session == nil || session.ended || session.agent != l.agent {
		c.w.violate("lease %d is given to a session that has ended", l.id)
	}
}

// pools: no pool gives more slots than it has.
func (c *checker) pools() {
	used := make([]int32, len(c.w.db.pools))
	for _, l := range c.w.db.leases {
		used[l.pool] += l.slots
	}
	for i, p := range c.w.db.pools {
		if p.slots > 0 && used[i] > p.slots {
			c.w.violate("pool %d has %d slots and gave %d", i, p.slots, used[i])
		}
	}
}
