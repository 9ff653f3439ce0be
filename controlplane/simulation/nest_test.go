package simulation_test

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/leasecheck"
	"github.com/signalboxhq/signalbox/proto/id"
)

// wakeKind is what one run's command asks of another, in a later batch.
type wakeKind uint8

const (
	wakeChild  wakeKind = iota // a task starts another pipeline
	wakeEnded                  // a child has ended
	wakeRecall                 // a child is to end
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
func (b *batch) applyWake(w *runWork, o op, c wakeRow) {
	db := b.r.w.db
	if !b.wakes[c.id] {
		return
	}
	b.tx.write(func() string { delete(db.wakes, c.id); return "" })
	switch c.kind {
	case wakeChild:
		b.applyChild(w, o, c)
	case wakeEnded:
		_ = b.decideAs(w, o.run, engine.ChildEnded{Now: b.now, Child: c.of, Outcome: db.runs[c.child].state, Live: b.live(o.run)})
	case wakeRecall:
		_ = b.decideAs(w, o.run, engine.Cancel{Now: b.now, Actor: "parent", Force: c.force, Live: b.live(o.run)})
	}
}

// applyChild starts a task's child, if its parent still waits for it.
func (b *batch) applyChild(w *runWork, o op, c wakeRow) {
	if !engine.Awaits(b.graph(o.run, w), w.state, c.of) {
		return
	}
	if w.state.Run == engine.RunCanceling {
		_ = b.decideAs(w, o.run, engine.ChildEnded{Now: b.now, Child: c.of, Outcome: engine.RunCanceled, Live: b.live(o.run)})
		return
	}
	x := b.works[c.child]
	x.refused, x.parent = false, parentOf{c.parent, c.of}
	x.state, x.start = engine.NewState(c.child), &request{cmd: startRun{pipeline: c.pipeline}, run: c.child}
	_ = b.decideAs(x, c.child, engine.Start{Now: b.now, Actor: "parent"})
}

// writeWakes leaves what this batch asks of other runs.
func (b *batch) writeWakes() {
	db := b.r.w.db
	leave := func(row wakeRow) {
		row.id = b.r.w.newID()
		b.tx.write(func() string {
			db.wakes[row.id] = row
			db.w.notify(&db.timersChanged)
			return ""
		})
	}
	for _, run := range b.order {
		x := b.works[run]
		for _, c := range x.children {
			leave(wakeRow{
				kind: wakeChild, parent: run, of: c, child: b.r.w.newID(), pipeline: nestedIn(b.graph(run, x), x.state, c.Task),
			})
		}
		for _, c := range x.recalled {
			leave(wakeRow{kind: wakeRecall, parent: run, of: c.Child, force: c.Force})
		}
		if parent := b.parentOf(run, x); x.finished && parent.run != id.Nil {
			leave(wakeRow{kind: wakeEnded, parent: parent.run, of: parent.of, child: run})
		}
	}
}

func (b *batch) parentOf(run id.UUID, x *runWork) parentOf {
	if row := b.r.w.db.runs[run]; row != nil {
		return row.parent
	}
	return x.parent
}

// dueWakes lists the wakes by age.
func (db *database) dueWakes() []wakeRow {
	var out []wakeRow
	for _, row := range db.wakes {
		out = append(out, row)
	}
	slices.SortFunc(out, func(x, y wakeRow) int { return bytes.Compare(x.id[:], y.id[:]) })
	return out
}

// serveWake does what a wake asks for. A recall of a child that never began, and
// never will, is forgotten.
func (r *replica) serveWake(c *conn, row wakeRow) error {
	db := r.w.db
	if row.kind == wakeRecall && db.childOf(row.parent, row.of) == id.Nil {
		return c.call(func() error {
			if db.childOf(row.parent, row.of) == id.Nil {
				delete(db.wakes, row.id)
			}
			return nil
		})
	}
	var op *leasecheck.Op
	if row.kind == wakeRecall {
		op = r.w.recordForce(db.childOf(row.parent, row.of), row.force)
	}
	_, err := r.do(row)
	r.w.recordDone(op, err)
	return nil // a wake that was not served is found again
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
