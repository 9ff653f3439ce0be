package engine_test

import (
	"errors"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// world is everything around the engine, in memory and obviously right: the
// journal, the tables ready, lease and timer, and a clock. Whatever a decision
// says is carried out by apply as the group commit does it, and checked.
type world struct {
	t require.TestingT
	g *engine.Graph
	s *engine.State // the live state
	f *engine.State // the same, folded from the journal

	now     time.Time
	journal []engine.Entry
	ready   map[int32]engine.Opening
	backoff map[int32]engine.Opening // retry timers
	timers  map[timerKey]engine.Timer
	leases  map[int32]engine.Lease
	told    map[int32]bool // leases that were told to stop
	fence   int64

	firsts int // how often a decision said that the run first started
	grants map[grantKey]int
	paused map[grantKey]int           // attempts that were suspended
	ended  engine.Kind                // the first entry of this generation that ended the run from outside
	ends   map[int32]engine.TaskState // of this generation

	quiet   bool                             // nothing is checked at each step: for large runs
	answer  func() engine.Answer             // of a decision
	planned func(task int32) []engine.Member // what a step adds; nil: nothing
}

type timerKey struct {
	kind engine.TimerKind
	task int32
}

type grantKey struct {
	generation int32
	task       int32
}

var runID = id.UUID{0x01, 0x9f}

func newWorld(t require.TestingT, p *plan.Plan) *world {
	g, err := engine.NewGraph(p)
	require.NoError(t, err)
	return &world{
		t: t, g: g, s: engine.NewState(runID), f: engine.NewState(runID), now: testStart,
		ready: map[int32]engine.Opening{}, backoff: map[int32]engine.Opening{},
		timers: map[timerKey]engine.Timer{}, leases: map[int32]engine.Lease{},
		answer: func() engine.Answer { return engine.Answer{Yes: true, Count: 2} },
		told:   map[int32]bool{}, grants: map[grantKey]int{}, paused: map[grantKey]int{}, ends: map[int32]engine.TaskState{},
	}
}

// do decides a command, carries the decision out and checks everything.
func (w *world) do(c engine.Command) (engine.Decision, error) {
	before := w.s
	if !w.quiet {
		before = clone(w.s)
	}
	d, err := engine.Decide(w.g, w.s, c)
	if _, refused := errors.AsType[*engine.Refusal](err); refused {
		require.Equal(w.t, before, w.s, "a refusal changed the state")
		require.True(w.t, d.Empty())
		return d, err
	}
	require.NoError(w.t, err)
	if d.Empty() {
		require.Equal(w.t, before, w.s, "an empty decision changed the state")
	}
	w.apply(before, &d)
	if !w.quiet {
		w.check()
	}
	return d, nil
}

// must is do for a command that may not be refused.
func (w *world) must(c engine.Command) engine.Decision {
	d, err := w.do(c)
	require.NoError(w.t, err)
	return d
}

func (w *world) apply(before *engine.State, d *engine.Decision) {
	if d.FirstStart >= 0 {
		w.firsts++
		require.False(w.t, d.Entries[d.FirstStart].Started.IsZero())
	}
	for i := range d.Entries {
		w.append(&d.Entries[i])
	}
	for _, task := range d.Closed {
		delete(w.ready, task)
		delete(w.backoff, task)
		delete(w.timers, timerKey{engine.TimerQueue, task})
		delete(w.timers, timerKey{engine.TimerHold, task})
	}
	for _, o := range d.Opened {
		if o.Wait {
			require.True(w.t, o.At.After(w.now))
			w.backoff[o.Task] = o
		} else {
			require.Equal(w.t, w.now, o.At)
			w.ready[o.Task] = o
		}
	}
	for _, timer := range d.Timers {
		w.timers[timerKey{timer.Kind, timer.Task}] = timer
	}
	for _, stop := range d.Stop {
		require.Equal(w.t, w.leases[stop.Task].Attempt, stop.Attempt)
		require.Positive(w.t, stop.Grace)
		w.told[stop.Task] = true
	}
	require.Equal(w.t, d.Finished, len(d.Entries) > 0 && w.s.Run.Terminal())
	if w.s.Run != before.Run || w.s.Outcome != before.Outcome || w.s.Generation != before.Generation {
		require.True(w.t, d.RunChanged)
	}
	if d.Finished { // as the caller deletes all timers of an ended run
		clear(w.timers)
	}
}

// finals are the acts that decide how a run ends.
var finals = []engine.Kind{engine.KindRunCanceled, engine.KindRunForced, engine.KindDeadlinePassed, engine.KindRunDropped}

// append writes one entry to the journal and folds it there.
func (w *world) append(e *engine.Entry) {
	require.False(w.t, w.f.Run.Terminal() && e.Kind != engine.KindRunRetried, "an event after a terminal run")
	require.Equal(w.t, int64(len(w.journal)+1), e.Seq)
	switch {
	case e.Kind == engine.KindRunRetried:
		clear(w.ends)
		w.ended = engine.KindNone
	case slices.Contains(finals, e.Kind) && w.f.Run != engine.RunFinalizing && w.ended == engine.KindNone:
		w.ended = e.Kind
	}
	if e.EndsLease() {
		l, live := w.leases[e.Task]
		require.True(w.t, live, "an attempt ended that nobody held")
		require.Equal(w.t, l.ID, e.Lease)
		delete(w.leases, e.Task)
		delete(w.told, e.Task)
		if e.Outcome == engine.OutcomeSuspended {
			w.paused[grantKey{w.s.Generation, e.Task}]++
		}
	}
	w.journal = append(w.journal, *e)
	require.NoError(w.t, engine.Fold(w.g, w.f, *e))
}

// grant leases a ready task, as a claim does.
func (w *world) grant(task int32) {
	o, ok := w.ready[task]
	require.True(w.t, ok)
	delete(w.ready, task)
	delete(w.timers, timerKey{engine.TimerQueue, task})
	w.fence++
	w.leases[task] = engine.Lease{
		Task: task, Attempt: o.Attempt, ID: w.fence, Agent: id.UUID{byte(w.fence%3 + 1)}, Granted: w.now,
	}
	if o.Asking == engine.AskNothing {
		w.grants[grantKey{w.s.Generation, task}]++
	}
}

// start is the first heartbeat that tells of a running attempt.
func (w *world) start(task int32) {
	l := w.leases[task]
	l.Started = w.now
	w.leases[task] = l
}

// live lists the live leases, as the group commit reads them.
func (w *world) live() []engine.Lease {
	var out []engine.Lease
	for _, l := range w.leases {
		out = append(out, l)
	}
	return out
}

// report is the end of a live attempt.
func (w *world) report(task int32, o engine.Outcome, exit int32) engine.Report {
	r := engine.Report{
		Now: w.now, Lease: w.leases[task], Finished: w.now, Outcome: o, ExitCode: exit, Live: w.live(),
	}
	if r.Lease.Attempt < 0 && o == engine.OutcomeSucceeded {
		a := w.answer()
		r.Answer = &a
	} else if w.planned != nil && o == engine.OutcomeSucceeded {
		r.Members = w.planned(task)
	}
	return r
}

// tick moves the clock to the next timer, if there is one, and fires what is due.
func (w *world) tick() bool {
	next, ok := w.nextTimer()
	if !ok {
		return false
	}
	if next.After(w.now) {
		w.now = next
	}
	for _, task := range sortedKeys(w.backoff) {
		if o := w.backoff[task]; !o.At.After(w.now) {
			delete(w.backoff, task)
			w.ready[task] = o
		}
	}
	var due []engine.Timer
	for _, timer := range w.timers {
		if !timer.At.After(w.now) {
			due = append(due, timer)
		}
	}
	slices.SortFunc(due, func(a, b engine.Timer) int { return int(a.Kind)*1000 + int(a.Task) - int(b.Kind)*1000 - int(b.Task) })
	for _, timer := range due {
		w.fire(timer)
	}
	return true
}

func (w *world) fire(timer engine.Timer) {
	key := timerKey{timer.Kind, timer.Task}
	if w.timers[key] != timer {
		return // its row is gone: an earlier one of the same moment took it
	}
	delete(w.timers, key)
	switch timer.Kind {
	case engine.TimerQueue:
		w.must(engine.QueueTimeout{
			Now: w.now, Task: timer.Task, Attempt: timer.Attempt, Missing: "no agent", Live: w.live(),
		})
	case engine.TimerDeadline:
		w.must(engine.Deadline{Now: w.now, Live: w.live()})
	case engine.TimerExpand:
		w.must(engine.Expand{Now: w.now, Task: timer.Task})
	case engine.TimerExitDeadline:
		w.must(engine.ExitDeadline{Now: w.now, Live: w.live()})
	case engine.TimerGang:
		w.must(engine.GangTimeout{Now: w.now, Task: timer.Task, Attempt: timer.Attempt, Live: w.live()})
	case engine.TimerHold:
		w.must(engine.HoldOver{Now: w.now, Task: timer.Task, Live: w.live()})
	}
}

func (w *world) nextTimer() (time.Time, bool) {
	var next time.Time
	for _, o := range w.backoff {
		if next.IsZero() || o.At.Before(next) {
			next = o.At
		}
	}
	for _, timer := range w.timers {
		if next.IsZero() || timer.At.Before(next) {
			next = timer.At
		}
	}
	return next, !next.IsZero()
}

// crash throws the live state away, as a replica that dies or a commit that
// fails, and folds the journal again.
func (w *world) crash() {
	again := engine.NewState(runID)
	for _, e := range w.journal {
		require.NoError(w.t, engine.Fold(w.g, again, e))
	}
	require.Equal(w.t, w.s, again)
	w.s = again
}

func sortedKeys[V any](m map[int32]V) []int32 {
	keys := make([]int32, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
