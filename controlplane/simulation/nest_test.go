package simulation_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/leasecheck"
	"github.com/signalboxhq/signalbox/proto/id"
)

// wakeKind is what one run's command asks of another, in a later batch.
type wakeKind uint8

const (
	wakeChild   wakeKind = iota // a task starts another pipeline
	wakeEnded                   // a child has ended
	wakeRecall                  // a child is to end
	wakeArrive                  // a run's time to start has come
	wakeAdmit                   // a run has a place in its line, or its pipeline goes on
	wakeDrop                    // a newer run waits in its place
	wakeCancel                  // a newer run takes its place
	wakeRelease                 // a run has left its line: who is next?
	wakeResume                  // a pipeline goes on
)

// wakeRow is what a batch leaves for a later one. Who finds it gone does
// nothing.
type wakeRow struct {
	id       id.UUID
	kind     wakeKind
	parent   id.UUID
	of       engine.Child
	child    id.UUID // of wakeChild: the run that is to begin; of wakeEnded: that ended
	pipeline int
	force    bool
	at       time.Time // when whoever ticks may serve it

	// Of lines: what is changed; of wakeRelease the run that ended, if one did; of
	// wakeResume the last one that was looked at.
	run    id.UUID
	line   lineKey
	strict bool // a run of that line holds it up if it failed
}

// wakeGrace is for how long a wake is left to the replica that wrote it.
const wakeGrace = time.Second

func (b *batch) wake(row wakeRow) { b.wakeAt(row, b.now.Add(wakeGrace)) }

func (b *batch) wakeAt(row wakeRow, at time.Time) {
	row.id, row.at = b.r.w.newID(), at
	b.leaves = append(b.leaves, row)
}

// takeWake reports whether a wake is still to be served, once.
func (b *batch) takeWake(c wakeRow) bool {
	there := b.wakes[c.id]
	b.wakes[c.id] = false
	if there {
		b.served = append(b.served, c.id)
	}
	return there
}

// parentOf is the task that a run is the child of.
type parentOf struct {
	run id.UUID
	of  engine.Child
}

func nestedIn(t *engine.Graph, s *engine.State, task int32) int {
	n, _ := strconv.Atoi(strings.TrimPrefix(t.Task(s, task).Pipeline.Name, "p"))
	return n
}

// planWake says which runs a wake touches.
func (b *batch) planWake(q *request, c wakeRow) {
	switch c.kind {
	case wakeChild:
		b.add(op{run: c.parent, order: orderDue, req: q})
		if b.works[c.child] == nil {
			x := newRunWork()
			x.isNew, x.refused = true, true // until its parent still waits for it
			b.works[c.child] = x
			b.order = append(b.order, c.child)
		}
	case wakeEnded:
		b.add(op{run: c.parent, order: orderDue, req: q})
	case wakeRecall:
		b.add(op{run: b.r.w.db.childOf(c.parent, c.of), order: orderDue, req: q})
	case wakeArrive, wakeAdmit, wakeDrop, wakeCancel:
		b.add(op{run: c.run, order: orderAct, req: q})
	case wakeRelease, wakeResume:
	}
}

// childOf is the run of a task's child; Nil if it has not begun.
func (db *database) childOf(parent id.UUID, of engine.Child) id.UUID {
	for run, row := range db.runs {
		if row.parent.run == parent && row.parent.of == of {
			return run
		}
	}
	return id.Nil
}

// applyWake serves a wake whose row is there.
func (b *batch) applyWake(w *runWork, o op, c wakeRow) error {
	db := b.r.w.db
	if !b.takeWake(c) {
		return nil
	}
	var err error
	switch c.kind {
	case wakeChild:
		err = b.applyChild(w, o, c)
	case wakeEnded:
		_ = b.decideAs(w, o.run, engine.ChildEnded{Now: b.now, Child: c.of, Outcome: db.runs[c.child].state, Live: b.live(o.run)})
	case wakeRecall:
		_ = b.decideAs(w, o.run, engine.Cancel{Now: b.now, Actor: "parent", Force: c.force, Live: b.live(o.run)})
	case wakeArrive:
		err = b.arrive(w, o.run, "system")
	case wakeAdmit:
		err = b.begin(w, o.run, "system")
	case wakeDrop:
		err = b.decideAs(w, o.run, engine.Drop{Now: b.now, Reason: "superseded"})
	case wakeCancel:
		err = b.decideAs(w, o.run, engine.Cancel{Now: b.now, Actor: "system", Live: b.live(o.run)})
	case wakeRelease, wakeResume:
	}
	if _, refused := errors.AsType[*engine.Refusal](err); refused {
		return nil
	}
	return err
}

// applyChild starts a task's child, if its parent still waits for it.
func (b *batch) applyChild(w *runWork, o op, c wakeRow) error {
	if !engine.Awaits(b.graph(o.run, w), w.state, c.of) {
		return nil
	}
	if w.state.Run == engine.RunCanceling {
		return b.decideAs(w, o.run, engine.ChildEnded{Now: b.now, Child: c.of, Outcome: engine.RunCanceled, Live: b.live(o.run)})
	}
	x := b.works[c.child]
	x.refused, x.parent = false, parentOf{c.parent, c.of}
	x.state, x.start = engine.NewState(c.child), &request{cmd: *o.req.start, run: c.child}
	err := b.come(x, c.child, time.Time{}, "parent")
	if err != nil {
		x.refused = true
	}
	return err
}

// bidFarewell tells those that wait for what this batch decides.
func (b *batch) bidFarewell() {
	for _, run := range b.order {
		x := b.works[run]
		for _, c := range x.children {
			b.wake(wakeRow{
				kind: wakeChild, parent: run, of: c, child: b.r.w.newID(), pipeline: nestedIn(b.graph(run, x), x.state, c.Task),
			})
		}
		for _, c := range x.recalled {
			b.wake(wakeRow{kind: wakeRecall, parent: run, of: c.Child, force: c.Force})
		}
		if !x.finished || len(x.entries) == 0 {
			continue
		}
		if parent := b.parentOf(run, x); parent.run != id.Nil {
			b.wake(wakeRow{kind: wakeEnded, parent: parent.run, of: parent.of, child: run})
		}
		b.leave(run, x)
	}
}

// writeWakes writes what this batch asks for, and deletes what it has served.
func (b *batch) writeWakes() {
	db := b.r.w.db
	failed := map[id.UUID]bool{}
	for _, q := range b.reqs {
		if c, ok := q.cmd.(wakeRow); ok && q.err != nil {
			failed[c.id] = true
		}
	}
	for _, wake := range b.served {
		if failed[wake] {
			continue
		}
		b.tx.write(func() string {
			if _, there := db.wakes[wake]; !there {
				return fmt.Sprintf("wake %s is served already", wake)
			}
			delete(db.wakes, wake)
			return ""
		})
	}
	for _, row := range b.leaves {
		b.tx.write(func() string { db.leaveWake(row); return "" })
	}
}

func (db *database) leaveWake(row wakeRow) {
	db.wakes[row.id] = row
	db.w.notify(&db.timersChanged)
}

// pass serves the wakes of a batch, after its commit.
func (r *replica) pass(b *batch) {
	for _, row := range b.leaves {
		if !row.at.After(b.now.Add(wakeGrace)) {
			r.w.spawn(r.proc, "wake", func() { r.serveWake(row) })
		}
	}
}

func (b *batch) parentOf(run id.UUID, x *runWork) parentOf {
	if row := b.r.w.db.runs[run]; row != nil {
		return row.parent
	}
	return x.parent
}

// dueWakes lists the wakes that are due, by age.
func (db *database) dueWakes() []wakeRow {
	var out []wakeRow
	for _, row := range db.wakes {
		if !row.at.After(db.now()) {
			out = append(out, row)
		}
	}
	slices.SortFunc(out, func(x, y wakeRow) int { return bytes.Compare(x.id[:], y.id[:]) })
	return out
}

// serveWake does what a wake asks for. A recall of a child that never began, and
// never will, is forgotten.
func (r *replica) serveWake(row wakeRow) {
	db := r.w.db
	if row.kind == wakeRecall && db.childOf(row.parent, row.of) == id.Nil {
		c, err := db.connect()
		if err != nil {
			return
		}
		defer c.close()
		_ = c.call(func() error {
			if db.childOf(row.parent, row.of) == id.Nil {
				delete(db.wakes, row.id)
			}
			return nil
		})
		return
	}
	var op *leasecheck.Op
	if row.kind == wakeRecall {
		op = r.w.recordForce(db.childOf(row.parent, row.of), row.force)
	}
	_, err := r.do(row) // one that was not served is found again
	r.w.recordDone(op, err)
}

// children: what a task waits for goes on, or has left word.
func (c *checker) children(row *runRow, s *engine.State) {
	for _, of := range engine.Children(c.w.graph(row), s) {
		child := c.w.db.runs[c.w.db.childOf(row.id, of)]
		waits := child != nil && !child.state.Terminal()
		for _, w := range c.w.db.wakes {
			waits = waits || (w.parent == row.id && w.of == of && w.kind != wakeRecall)
		}
		if !waits {
			c.w.violate("task %d of run %s waits for a child that nobody runs", of.Task, row.id)
		}
	}
}
