package simulation_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// lineKey names the line of a pipeline's concurrency key.
type lineKey struct {
	pipeline int
	key      string
}

func (k lineKey) lock() lockKey { return lockKey{kind: lockLine, n: int64(k.pipeline), text: k.key} }

type (
	// lineRow is what is locked; its counts are those of the admissions.
	lineRow struct {
		next          int64
		held, waiting int
	}
	// admissionRow is where a run stands that is in a line, or waits for its
	// pipeline.
	admissionRow struct {
		engine.Spot

		pipeline int
		line     string
		lined    bool
		paused   bool
	}
	leaver struct {
		state engine.RunState
		waits bool
	}
	// unblockLine lets a line go on that a failed run holds up.
	unblockLine struct{ lineKey }
)

// fillAtOnce is small, so that lines are longer than what is read of them.
const fillAtOnce = 2

var errNoPlace = errors.New("others of the line go on")

// lineOf is the line that a run stands in, if its version knows any.
func (row *runRow) lineKey() (lineKey, bool) { return lineKey{row.pipeline, row.line}, row.lined }

func (b *batch) lineKeyOf(run id.UUID, x *runWork) (lineKey, bool) {
	if x.start != nil {
		c := x.start.cmd.(startRun)
		return lineKey{c.pipeline, c.line}, c.lined
	}
	if row := b.r.w.db.runs[run]; row != nil {
		return row.lineKey()
	}
	return lineKey{}, false
}

// linesOf lists the lines that the batch needs, and those into which somebody
// may come.
func (b *batch) linesOf() (all, entered map[lineKey]bool) {
	all, entered = map[lineKey]bool{}, map[lineKey]bool{}
	ofRun := func(run id.UUID, into map[lineKey]bool) {
		if row := b.r.w.db.runs[run]; row != nil && row.lined {
			k, _ := row.lineKey()
			into[k] = true
		}
	}
	for _, q := range b.reqs {
		switch c := q.cmd.(type) {
		case startRun:
			if c.lined {
				entered[lineKey{c.pipeline, c.line}] = true
			}
		case retryRun:
			ofRun(c.run, all)
		case unblockLine:
			all[c.lineKey] = true
		case wakeRow:
			switch {
			case c.kind == wakeArrive:
				ofRun(c.run, entered)
			case c.kind == wakeAdmit:
				ofRun(c.run, all)
			case c.kind == wakeRelease:
				all[c.line] = true
			case c.kind == wakeChild && q.start.lined:
				entered[lineKey{q.start.pipeline, q.start.line}] = true
			}
		}
	}
	for k := range entered {
		all[k] = true
	}
	return all, entered
}

// lockLines makes and locks the lines, and reads who stands in them: all who
// hold a place, and the first of those who wait.
func (b *batch) lockLines() error {
	db := b.r.w.db
	all, entered := b.linesOf()
	var keys []lockKey
	for k := range all {
		keys = append(keys, k.lock())
	}
	if b.r.w.opt.plant != plantLine {
		if err := b.tx.lockAll(keys); err != nil {
			return err
		}
	}
	for k := range all {
		row := db.lines[k]
		switch {
		case row != nil:
		case entered[k]:
			row = &lineRow{next: 1}
		default:
			continue
		}
		l := &engine.Line{Next: row.next, Behind: row.waiting}
		for _, a := range db.standing(k) {
			switch {
			case a.Slot > 0:
				l.Held = append(l.Held, a.Spot)
			case len(l.Waiting) < fillAtOnce:
				l.Waiting = append(l.Waiting, a.Spot)
				l.Behind--
			}
		}
		b.lines[k] = l
	}
	for _, q := range b.reqs {
		if c, ok := q.cmd.(wakeRow); ok && c.kind == wakeRelease && c.run != id.Nil {
			if a := db.admissions[c.run]; a != nil {
				b.leavers[c.run] = leaver{db.runs[c.run].state, a.Slot == 0}
			}
		}
	}
	return nil
}

// standing lists who stands in a line, by ticket.
func (db *database) standing(k lineKey) []*admissionRow {
	var out []*admissionRow
	for _, a := range db.admissions {
		if a.lined && a.pipeline == k.pipeline && a.line == k.key {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(x, y *admissionRow) int {
		return cmp.Or(cmp.Compare(x.Ticket, y.Ticket), bytes.Compare(x.Run[:], y.Run[:]))
	})
	return out
}

// come brings a new run to its time.
func (b *batch) come(x *runWork, run id.UUID, at time.Time, actor string) error {
	if !at.After(b.now) {
		return b.arrive(x, run, actor)
	}
	if err := b.decideAs(x, run, engine.Queue{Now: b.now, Actor: actor, Reason: engine.HoldStartAt}); err != nil {
		return err
	}
	b.wakeAt(wakeRow{kind: wakeArrive, run: run, pipeline: b.pipelineOf(run, x)}, at)
	return nil
}

// arrive brings a run to its line.
func (b *batch) arrive(x *runWork, run id.UUID, actor string) error {
	k, lined := b.lineKeyOf(run, x)
	if x.state.Run != engine.RunPending {
		return nil
	}
	if !lined {
		return b.begin(x, run, actor)
	}
	l, c := b.lines[k], b.graph(run, x).Plan.Concurrency
	if l == nil {
		return errUnavailable
	}
	verdict, gone := l.Arrive(run, c.Limit, c.Policy)
	for _, g := range gone {
		kind := wakeCancel
		if g.Drop {
			kind = wakeDrop
		}
		b.wake(wakeRow{kind: kind, run: g.Run, pipeline: k.pipeline})
	}
	switch verdict {
	case engine.ArrivalHeld:
		return b.begin(x, run, actor)
	case engine.ArrivalDropped:
		return b.decideAs(x, run, engine.Drop{Now: b.now, Reason: "dropped"})
	case engine.ArrivalWaits:
	}
	if len(l.Held) < c.Limit {
		b.wakeFill(k)
	}
	reason := engine.HoldConcurrency
	if l.Blocker() != id.Nil {
		reason = engine.HoldBlocked
	}
	return b.decideAs(x, run, engine.Queue{Now: b.now, Actor: actor, Reason: reason})
}

// begin lets a run begin whose turn has come, unless its pipeline is paused.
func (b *batch) begin(x *runWork, run id.UUID, actor string) error {
	if x.state.Run != engine.RunPending {
		return nil
	}
	if b.halted[b.pipelineOf(run, x)] {
		b.paused = append(b.paused, run)
		return b.decideAs(x, run, engine.Queue{Now: b.now, Actor: actor, Reason: engine.HoldPaused})
	}
	if x.state.Reason == engine.HoldPaused {
		b.unpaused = append(b.unpaused, run)
	}
	return b.decideAs(x, run, engine.Start{Now: b.now, Actor: actor})
}

// serveLines lets those go on whose turn has come.
func (b *batch) serveLines() {
	for _, q := range b.reqs {
		switch c := q.cmd.(type) {
		case unblockLine:
			if l := b.lines[c.lineKey]; l != nil && l.Unblock() {
				b.fill(c.lineKey, l)
			}
		case wakeRow:
			switch {
			case c.kind == wakeRelease && b.takeWake(c):
				b.release(c)
			case c.kind == wakeResume && b.takeWake(c):
				b.resume(c)
			}
		}
	}
}

// release takes a run out of its line that has ended, and lets the next one go.
func (b *batch) release(c wakeRow) {
	l := b.lines[c.line]
	if l == nil {
		return
	}
	who, there := b.leavers[c.run]
	if x := b.works[c.run]; x != nil && x.state != nil && !x.state.Run.Terminal() {
		there = false // this very batch lets it go on
	}
	if there && who.state.Terminal() && (b.r.w.opt.plant != plantLeave || !who.waits) {
		l.Leave(c.run, c.strict && who.state == engine.RunFailed, who.waits)
		delete(b.leavers, c.run)
	}
	b.fill(c.line, l)
}

func (b *batch) fill(k lineKey, l *engine.Line) {
	seated, more := l.Fill()
	for _, run := range seated {
		b.wake(wakeRow{kind: wakeAdmit, run: run, pipeline: k.pipeline})
	}
	if more {
		b.wakeFill(k)
	}
}

// wakeFill has a line looked at again.
func (b *batch) wakeFill(k lineKey) {
	b.wake(wakeRow{kind: wakeRelease, line: k, pipeline: k.pipeline})
}

// resume wakes the runs that waited for their pipeline, a page at a time.
func (b *batch) resume(c wakeRow) {
	runs := b.resumed[c.id]
	for _, run := range runs {
		b.wake(wakeRow{kind: wakeAdmit, run: run, pipeline: c.pipeline})
	}
	if len(runs) == fillAtOnce {
		b.wake(wakeRow{kind: wakeResume, run: runs[len(runs)-1], pipeline: c.pipeline})
	}
}

// readPaused reads which runs wait for a pipeline that goes on.
func (b *batch) readPaused(c wakeRow) {
	var runs []id.UUID
	for run, a := range b.r.w.db.admissions {
		if a.paused && a.pipeline == c.pipeline && bytes.Compare(run[:], c.run[:]) > 0 {
			runs = append(runs, run)
		}
	}
	slices.SortFunc(runs, func(x, y id.UUID) int { return bytes.Compare(x[:], y[:]) })
	b.resumed[c.id] = runs[:min(len(runs), fillAtOnce)]
}

// leave is what the end of a run means for its line.
func (b *batch) leave(run id.UUID, x *runWork) {
	if x.state.Run == engine.RunDropped {
		return // it stands nowhere any more
	}
	if k, lined := b.lineKeyOf(run, x); lined {
		c := b.graph(run, x).Plan.Concurrency
		b.wake(wakeRow{kind: wakeRelease, run: run, line: k, pipeline: k.pipeline, strict: c.Policy == plan.PolicyStrict})
	} else if x.state.StartedAt.IsZero() {
		b.unpaused = append(b.unpaused, run)
	}
}

// applyRetry: a run that stands in a line must have its place there.
func (b *batch) applyRetry(x *runWork, c retryRun) error {
	then := func() {}
	if k, lined := b.lineKeyOf(c.run, x); lined && x.state.Run.Terminal() && (c.generation == 0 || c.generation == x.state.Generation) {
		l, limit := b.lines[k], b.graph(c.run, x).Plan.Concurrency.Limit
		switch {
		case l == nil:
			return errUnavailable
		case !l.Room(c.run, limit) && b.r.w.opt.plant != plantRejoin:
			return errNoPlace
		}
		then = func() {
			held := l.Blocker() != id.Nil
			l.Rejoin(c.run, limit)
			if held && l.Blocker() == id.Nil {
				b.wakeFill(k)
			}
		}
	}
	before := x.state.Generation
	err := b.decideAs(x, c.run, engine.Retry{Now: b.now, Actor: "somebody", Generation: c.generation})
	if err == nil && x.state.Generation > before {
		then()
	}
	return err
}

// writeLines writes who came to, left and moved up in the lines, and who waits
// for a pipeline. Places are given up before they are taken.
func (b *batch) writeLines() {
	db := b.r.w.db
	for k, l := range b.lines {
		if len(l.Touched)+len(l.Gone) == 0 {
			continue
		}
		row := lineRow{l.Next, len(l.Held), l.Length()}
		b.tx.write(func() string { db.lines[k] = &row; return "" })
		for _, run := range l.Gone {
			b.tx.write(func() string { delete(db.admissions, run); return "" })
		}
		for run, s := range l.Touched {
			b.tx.write(func() string { return db.admit(k, run, s) })
		}
	}
	for _, run := range b.unpaused {
		b.tx.write(func() string {
			switch a := db.admissions[run]; {
			case a == nil:
			case a.lined:
				a.paused = false
			default:
				delete(db.admissions, run)
			}
			return ""
		})
	}
	for _, run := range b.paused {
		if b.works[run].state.Run != engine.RunPending {
			continue // it was canceled in this very batch
		}
		pipeline := b.pipelineOf(run, b.works[run])
		b.tx.write(func() string {
			if db.admissions[run] == nil {
				db.admissions[run] = &admissionRow{Spot: engine.Spot{Run: run}, pipeline: pipeline}
			}
			db.admissions[run].paused = true
			return ""
		})
	}
}

// admit writes where a run stands; the constraints are the table's.
func (db *database) admit(k lineKey, run id.UUID, s engine.Spot) string {
	if s.Slot > s.Slots || (s.Slot == 0 && (s.Blocking || s.Superseded)) {
		return fmt.Sprintf("run %s cannot stand at %+v", run, s)
	}
	a := db.admissions[run]
	if a == nil {
		a = &admissionRow{pipeline: k.pipeline, line: k.key, lined: true}
		db.admissions[run] = a
	}
	if !a.lined {
		return fmt.Sprintf("run %s is in no line", run)
	}
	a.Spot = s
	return ""
}

// halt pauses a pipeline or lets it go on, as controlplane/pipelinedb.
func (r *replica) halt(pipeline int, paused bool) error {
	db := r.w.db
	c, err := db.connect()
	if err != nil {
		return errUnavailable
	}
	defer c.close()
	row := wakeRow{kind: wakeResume, pipeline: pipeline, id: r.w.newID()}
	err = c.call(func() error {
		t := c.begin()
		if err := t.lock(lockKey{kind: lockPipeline, n: int64(pipeline)}); err != nil {
			return err
		}
		if was := db.pipelines[pipeline].paused; was != paused {
			t.write(func() string { db.pipelines[pipeline].paused = paused; return "" })
			if !paused {
				t.write(func() string { row.at = db.now(); db.leaveWake(row); return "" })
			}
		}
		c.commit()
		return nil
	})
	if err != nil {
		return errUnavailable
	}
	return nil
}

// startOf is a start of a pipeline's deployed version.
func (w *world) startOf(pipeline int) *startRun {
	p := w.db.pipelines[pipeline]
	return &startRun{pipeline: pipeline, version: p.deployed, lined: p.graphs[p.deployed].Plan.Concurrency != nil}
}

// steer is something that people do to a pipeline, or a limit.
func (w *world) steer(pipeline int) {
	p := w.db.pipelines[pipeline]
	switch w.rand.IntN(5) {
	case 0:
		p.deployed = 1 - p.deployed
	case 1:
		if n := w.rand.IntN(len(w.db.limits)); w.db.limits[n].full > 0 {
			w.setLimit(n, w.rand.Int64N(w.db.limits[n].full+1))
		}
	case 2:
		w.unblock(lineKey{pipeline, pick(w, "", "b")})
	default:
		w.halt(pipeline, !p.paused)
	}
}

func (w *world) halt(pipeline int, paused bool) {
	_, err := w.net.call(10*time.Second, func(r *replica) (any, error) { return nil, r.halt(pipeline, paused) })
	w.expect(err)
}

func (w *world) unblock(k lineKey) {
	_, err := w.net.call(10*time.Second, func(r *replica) (any, error) { return r.do(unblockLine{k}) })
	w.expect(err)
}
