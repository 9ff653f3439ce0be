package advance

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// lineKey names the line of a pipeline's concurrency key.
type lineKey struct {
	org, pipeline id.UUID
	key           string
}

// fillAtOnce is how many runs of a line get their turn in one batch.
const fillAtOnce = 100

// UnblockLine lets a line go on that a failed run holds up (strict).
type UnblockLine struct {
	Org      id.UUID
	Pipeline id.UUID
	Key      string
}

func (r *run) lineKey() (lineKey, bool) {
	if r == nil || r.info.line == nil {
		return lineKey{}, false
	}
	return lineKey{r.key.Org, r.info.pipeline, *r.info.line}, true
}

// linesOf lists the lines that the batch needs, and those into which somebody
// may come.
func (b *batch) linesOf() (all, entered map[lineKey]bool) {
	all, entered = map[lineKey]bool{}, map[lineKey]bool{}
	for _, r := range b.reqs {
		switch c := r.cmd.(type) {
		case StartRun:
			if c.Line != nil {
				entered[lineKey{c.Org, c.Pipeline, *c.Line}] = true
			}
		case RetryRun:
			b.lineOfRun(c.RunKey, all)
		case UnblockLine:
			all[lineKey{c.Org, c.Pipeline, c.Key}] = true
		case Wake:
			switch c.Kind {
			case WakeArrive:
				b.lineOfRun(RunKey{c.Org, c.Run}, entered)
			case WakeAdmit:
				b.lineOfRun(RunKey{c.Org, c.Run}, all)
			case WakeRelease:
				all[lineKey{c.Org, c.Pipeline, c.Key}] = true
			case WakeChild:
				if r.start != nil && r.start.Line != nil {
					entered[lineKey{c.Org, r.start.Pipeline, *r.start.Line}] = true
				}
			case WakeDrop, WakeCancel, WakeResume, WakeRecall, WakeChildEnded:
			}
		}
	}
	for k := range entered {
		all[k] = true
	}
	return all, entered
}

func (b *batch) lineOfRun(key RunKey, into map[lineKey]bool) {
	if w := b.runs[key]; w != nil {
		if k, ok := w.lineKey(); ok {
			into[k] = true
		}
	}
}

// queueLines makes and locks the lines, and reads who stands in them: all who
// hold a place, and the first of those who wait.
func (b *batch) queueLines(q *pgx.Batch) {
	all, entered := b.linesOf()
	if len(all) == 0 {
		return
	}
	if len(entered) > 0 {
		q.Queue(sqlInsertLines, lineArgs(entered))
	}
	q.Queue(sqlLockLines, lineArgs(all)).Query(func(rows pgx.Rows) error {
		var k lineKey
		var next int64
		var waiting int
		_, err := pgx.ForEachRow(rows, []any{&k.org, &k.pipeline, &k.key, &next, &waiting}, func() error {
			b.lines[k] = &engine.Line{Next: next, Behind: waiting}
			return nil
		})
		return err
	})
	// Statements of their own: their snapshot is taken after the locks were had.
	q.Queue(sqlReadHeld, lineArgs(all)).Query(func(rows pgx.Rows) error {
		return scanSpots(rows, func(k lineKey, s engine.Spot) {
			if l := b.lines[k]; l != nil {
				l.Held = append(l.Held, s)
			}
		})
	})
	waiting := lineArgs(all)
	waiting["n"] = fillAtOnce
	q.Queue(sqlReadWaiting, waiting).Query(func(rows pgx.Rows) error {
		return scanSpots(rows, func(k lineKey, s engine.Spot) {
			if l := b.lines[k]; l != nil {
				l.Waiting = append(l.Waiting, s)
				l.Behind--
			}
		})
	})
	b.queueLeavers(q)
}

// queueLeavers reads how the runs stand that are said to have left their line:
// they may have been retried since.
func (b *batch) queueLeavers(q *pgx.Batch) {
	var runs pairs
	for _, r := range b.reqs {
		if w, ok := r.cmd.(Wake); ok && w.Kind == WakeRelease && w.Run != id.Nil {
			runs.add(w.Org, w.Run)
		}
	}
	if len(runs) == 0 {
		return
	}
	orgs, ids := runs.columns()
	q.Queue(sqlReadLeavers, args{"orgs": orgs, "ids": ids}).Query(func(rows pgx.Rows) error {
		var k RunKey
		var state string
		var slot *int32
		_, err := pgx.ForEachRow(rows, []any{&k.Org, &k.Run, &state, &slot}, func() error {
			s, err := engine.ParseRunState(state)
			b.leavers[k] = leaver{state: s, waits: slot == nil}
			return err
		})
		return err
	})
}

// leaver is a run that may have left its line, as its rows say.
type leaver struct {
	state engine.RunState
	waits bool
}

func scanSpots(rows pgx.Rows, each func(lineKey, engine.Spot)) error {
	var k lineKey
	var s engine.Spot
	var slot *int32
	_, err := pgx.ForEachRow(rows, []any{&k.org, &k.pipeline, &k.key, &s.Run, &s.Ticket, &slot, &s.Slots, &s.Blocking, &s.Superseded}, func() error {
		s.Slot = 0
		if slot != nil {
			s.Slot = *slot
		}
		each(k, s)
		return nil
	})
	return err
}

// serveLines lets those go on whose turn has come. A panic in one request's
// share is its own.
func (b *batch) serveLines() {
	for _, r := range b.reqs {
		switch c := r.cmd.(type) {
		case UnblockLine:
			k := lineKey{c.Org, c.Pipeline, c.Key}
			if l := b.lines[k]; l != nil && l.Unblock() {
				b.fill(k, l)
				r.value = true
			}
		case Wake:
			switch c.Kind {
			case WakeRelease:
				if b.takeWake(c) {
					b.release(c)
				}
			case WakeResume:
				if b.takeWake(c) {
					b.resume(c)
				}
			case WakeArrive, WakeAdmit, WakeDrop, WakeCancel, WakeChild, WakeRecall, WakeChildEnded:
			}
		}
	}
}

// release takes a run out of its line that has ended, and lets the next one go.
func (b *batch) release(c Wake) {
	k := lineKey{c.Org, c.Pipeline, c.Key}
	l := b.lines[k]
	if l == nil {
		return
	}
	if who, there := b.leavers[RunKey{c.Org, c.Run}]; there && who.state.Terminal() && !b.retried(RunKey{c.Org, c.Run}) {
		l.Leave(c.Run, c.Reason == releaseStrict && who.state == engine.RunFailed, who.waits)
		delete(b.leavers, RunKey{c.Org, c.Run})
	}
	b.fill(k, l)
}

// retried reports whether this very batch lets the run go on.
func (b *batch) retried(key RunKey) bool {
	w := b.runs[key]
	return w != nil && w.run != nil && w.failed == nil && !w.state.Run.Terminal()
}

// releaseStrict is the reason of a release whose run holds the others up if it
// failed.
const releaseStrict = "strict"

func (b *batch) fill(k lineKey, l *engine.Line) {
	seated, more := l.Fill()
	for _, run := range seated {
		b.wake(Wake{Org: k.org, Kind: WakeAdmit, Run: run, Pipeline: k.pipeline})
	}
	if more {
		b.wakeFill(k)
	}
}

// wakeFill has a line looked at again.
func (b *batch) wakeFill(k lineKey) {
	b.wake(Wake{Org: k.org, Kind: WakeRelease, Pipeline: k.pipeline, Key: k.key})
}

// leave is what the end of a run means for those that wait for it.
func (b *batch) leave(w *runWork) {
	b.tellParent(w)
	if w.state.Run == engine.RunDropped {
		return // it stands nowhere any more
	}
	if k, ok := w.lineKey(); ok {
		reason := ""
		if c := w.version.graph.Plan.Concurrency; c != nil && c.Policy == plan.PolicyStrict {
			reason = releaseStrict
		}
		b.wake(Wake{Org: k.org, Kind: WakeRelease, Run: w.key.Run, Pipeline: k.pipeline, Key: k.key, Reason: reason})
	} else if w.state.StartedAt.IsZero() {
		b.unpaused = append(b.unpaused, w.key)
	}
}

// lineOf is the locked line of a run.
func (b *batch) lineOf(w *runWork) (*engine.Line, *plan.Concurrency, error) {
	k, _ := w.lineKey()
	l, c := b.lines[k], w.version.graph.Plan.Concurrency
	if l == nil {
		return nil, nil, errUnavailable(errors.New("the line was not there"))
	}
	if c == nil {
		return nil, nil, fmt.Errorf("run %s stands in a line and its plan knows none", id.Format(id.Run, w.key.Run))
	}
	return l, c, nil
}

// rejoin is what a retry asks of the run's line: the place that it has still, or
// one that is free. It returns what to do once the retry was decided.
func (b *batch) rejoin(w *runWork) (after func(), err error) {
	k, ok := w.lineKey()
	if !ok || !w.state.Run.Terminal() {
		return func() {}, nil
	}
	l, c, err := b.lineOf(w)
	if err != nil {
		return nil, err
	}
	if !l.Room(w.key.Run, c.Limit) {
		return nil, fault.FailedPrecondition("CONCURRENCY_LIMIT",
			"others of the pipeline's runs go on with the same concurrency key, at most %d at once; retry it when one of them has ended", c.Limit)
	}
	return func() {
		held := l.Blocker() != id.Nil
		l.Rejoin(w.key.Run, c.Limit)
		if held && l.Blocker() == id.Nil {
			b.wakeFill(k)
		}
	}, nil
}
