package simulation_test

import (
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// lines: what is true of lines after every commit, as the doctor asks for it.
// Whoever stands in one is a run that may, and whoever waits is waited for by a
// wake, or by somebody who holds a place.
func (c *checker) lines(b *batch) {
	db := c.w.db
	for k := range b.lines {
		if row := db.lines[k]; row != nil && !c.w.stopped {
			c.line(k, row)
		}
	}
	for _, run := range b.order {
		if row := db.runs[run]; row != nil && !row.state.Terminal() {
			c.forgotten(row)
		}
	}
	for run, a := range db.admissions {
		if !c.w.stopped {
			c.stray(db.runs[run], a)
		}
	}
}

// line: its counts are those of its rows, no place is held twice, no more hold
// one than the policy permits, and no place is free while somebody waits.
func (c *checker) line(k lineKey, row *lineRow) {
	db := c.w.db
	var held, waiting []*admissionRow
	slots := map[int32]id.UUID{}
	blocked := false
	for _, a := range db.standing(k) {
		if a.Slot == 0 {
			waiting = append(waiting, a)
			continue
		}
		held = append(held, a)
		blocked = blocked || a.Blocking
		if other, taken := slots[a.Slot]; taken {
			c.w.violate("runs %s and %s hold place %d of line %v", other, a.Run, a.Slot, k)
		}
		slots[a.Slot] = a.Run
	}
	if row.held != len(held) || row.waiting != len(waiting) {
		c.w.violate("line %v counts %d and %d, and has %d and %d", k, row.held, row.waiting, len(held), len(waiting))
	}
	active, most := 0, c.mostOf(k)
	for _, run := range db.order {
		r := db.runs[run]
		if of, lined := r.lineKey(); lined && of == k && r.state != engine.RunPending && !r.state.Terminal() {
			active++
		}
	}
	if active > most {
		c.w.violate("%d runs of line %v go on, and %d may", active, k, most)
	}
	if len(waiting) > 0 && !blocked && len(held) < int(waiting[0].Slots) && !c.woken(func(w *wakeRow) bool { return w.kind == wakeRelease && w.line == k }) {
		c.w.violate("line %v has %d waiting and %d of %d places held, and nobody gives the next one", k, len(waiting), len(held), waiting[0].Slots)
	}
	c.policy(k, waiting)
}

// mostOf is how many runs of a line the most generous version permits.
func (c *checker) mostOf(k lineKey) int {
	most := 0
	for _, g := range c.w.db.pipelines[k.pipeline].graphs {
		if p := g.Plan.Concurrency; p != nil {
			most = max(most, p.Limit)
		}
	}
	return most
}

// policy: how many may wait, where both versions have the same policy.
func (c *checker) policy(k lineKey, waiting []*admissionRow) {
	graphs := c.w.db.pipelines[k.pipeline].graphs
	one, other := graphs[0].Plan.Concurrency, graphs[1].Plan.Concurrency
	if one == nil || other == nil || *one != *other {
		return
	}
	most := len(waiting)
	switch one.Policy {
	case plan.PolicyDropNew:
		most = 0
	case plan.PolicyQueueFirst, plan.PolicyQueueLatest:
		most = 1
	case plan.PolicyCancel:
		most = one.Limit
	case plan.PolicyQueue, plan.PolicyStrict:
	}
	if len(waiting) > most {
		c.w.violate("%d runs wait in line %v, whose policy is %s", len(waiting), k, one.Policy)
	}
}

func (c *checker) woken(by func(*wakeRow) bool) bool {
	for _, w := range c.w.db.wakes {
		if by(&w) {
			return true
		}
	}
	return false
}

// forgotten: a run that has not begun is waited for, and one that has, and stands
// in a line, has its place.
func (c *checker) forgotten(row *runRow) {
	a := c.w.db.admissions[row.id]
	forgotten := a == nil
	if row.state != engine.RunPending {
		forgotten = row.lined && (a == nil || a.Slot == 0)
	}
	if forgotten && !c.woken(func(w *wakeRow) bool { return w.run == row.id && row.state == engine.RunPending }) {
		c.w.violate("run %s is %s, stands nowhere, and nobody wakes it: %s", row.id, row.state, c.last(row, c.shadows[row.id].state, 6))
	}
}

// stray: who stands in a line, or waits for a pipeline, does so with reason.
func (c *checker) stray(row *runRow, a *admissionRow) {
	holds, pending := a.Slot > 0, row.state == engine.RunPending
	var wrong string
	switch {
	case holds && row.state.Terminal() && !a.Blocking:
		wrong = "has ended, and holds its place"
	case a.Blocking && row.state != engine.RunFailed:
		wrong = "holds others up, and has not failed"
	case holds && pending && !a.paused:
		wrong = "holds a place, and waits"
	case a.lined && !holds && !pending:
		wrong = "waits in its line, and does not"
	case !a.lined && !pending:
		wrong = "waits for its pipeline, and does not"
	case a.paused && !c.w.db.pipelines[a.pipeline].paused:
		wrong = "waits for its pipeline, which goes on"
	default:
		return
	}
	if !c.woken(func(w *wakeRow) bool { return w.run == row.id || (w.kind == wakeResume && w.pipeline == a.pipeline) }) {
		c.w.violate("run %s is %s and %s: %+v; its last entries: %s", row.id, row.state, wrong, *a, c.last(row, c.shadows[row.id].state, 6))
	}
}
