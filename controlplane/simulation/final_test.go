package simulation_test

import (
	"maps"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// startedBy: a key starts one run, whoever asks, and how often.
func (c *checker) startedBy(q startRun, out started) {
	row := c.w.db.runs[out.run]
	if row == nil {
		c.w.violate("run %s was started, and is not there", out.run)
		return
	}
	if q.key == "" {
		return
	}
	if was, known := c.keys[q.key]; known && was != out.run {
		c.w.violate("%s started %s and %s", q.key, was, out.run)
	}
	c.keys[q.key] = out.run
}

// answered: an accepted report is in the journal, once, as its agent's; one that
// was refused is not.
func (c *checker) answered(a *agent, r attemptReport, st status) {
	x := c.answers[r.lease]
	if x == nil {
		x = &answer{run: r.run, agent: a.id}
		c.answers[r.lease] = x
	}
	if st == statusAccepted {
		x.accepted++
	} else {
		x.stale++
	}
	if x.accepted > 0 && x.stale > 0 {
		c.w.violate("the reports of lease %d were accepted %d times and refused %d times; it ended as %s", r.lease, x.accepted, x.stale, c.how(x.run, r.lease))
	}
	c.compare(r.lease, x)
}

func (c *checker) compare(lease int64, x *answer) {
	row := c.w.db.runs[x.run]
	var e *entryRow
	if row != nil {
		e = row.end(lease)
	}
	told := e != nil && e.Agent == x.agent && !e.taken() && !row.forced(e)
	switch {
	case x.accepted > 0 && !told:
		c.w.violate("the report of lease %d was accepted, and is not in the journal", lease)
	case x.stale > 0 && told:
		c.w.violate("the report of lease %d was refused, and is in the journal", lease)
	}
}

// quiet reports whether every run has ended and no agent runs anything.
func (c *checker) quiet() bool {
	if len(c.w.db.wakes) > 0 {
		return false
	}
	for _, row := range c.w.db.runs {
		if !row.state.Terminal() {
			return false
		}
	}
	for _, a := range c.w.agents {
		if len(a.held) > 0 {
			return false
		}
	}
	return true
}

// stuck tells what does not end: from every state an end is reachable.
func (c *checker) stuck() {
	for _, run := range c.w.db.order {
		row := c.w.db.runs[run]
		if row.state.Terminal() || len(engine.Children(c.w.graph(row), c.shadows[run].state)) > 0 {
			continue // what it waits for is told instead
		}
		ready, leased, timers := c.places(run)
		s := c.shadows[run].state
		var open []string
		for i := range s.Tasks {
			if t := &s.Tasks[i]; !t.State.Terminal() {
				open = append(open, c.w.graph(row).Path(s, int32(i))+" "+t.State.String())
			}
		}
		c.w.violate("run %s is %s and never ends: %d ready rows, %d leases, timers %v; not ended: %v; last entries: %s",
			run, row.state, len(ready), len(leased), timers, open, c.last(row, s, 12))
		return
	}
	for _, a := range c.w.agents {
		if len(a.held) > 0 {
			c.w.violate("%s holds %d leases for ever", a.proc.name, len(a.held))
			return
		}
	}
}

// finally asks for what is true of the whole once it is quiet.
func (c *checker) finally() {
	w, db := c.w, c.w.db
	if len(db.ready)+len(db.leases)+len(db.timers) > 0 {
		w.violate("%d ready rows, %d leases and %d timers are left", len(db.ready), len(db.leases), len(db.timers))
	}
	if !maps.Equal(db.usage, c.derived) {
		w.violate("the usage stored is not what the journals say: %v and %v", db.usage, c.derived)
	}
	if len(db.admissions) > 0 {
		for _, a := range db.admissions {
			if !a.Blocking {
				w.violate("run %s stands in a line for ever: %+v", a.Run, *a)
				break
			}
		}
	}
	numbers := map[int]int64{}
	keys := map[string]id.UUID{}
	for _, run := range db.order {
		row := db.runs[run]
		numbers[row.pipeline]++
		if row.key != "" {
			if was, twice := keys[row.key]; twice {
				w.violate("%s started %s and %s", row.key, was, run)
			}
			keys[row.key] = run
		}
		again := engine.NewState(run)
		for i := range row.journal {
			if err := engine.Fold(w.graph(row), again, row.journal[i].Entry); err != nil {
				w.violate("the journal of run %s cannot be folded again: %v", run, err)
				return
			}
		}
		if again.Digest() != c.shadows[run].state.Digest() {
			w.violate("run %s folds to another state the second time", run)
		}
	}
	for i, p := range db.pipelines {
		if p.next != numbers[i]+1 {
			w.violate("pipeline %d has %d runs, and its next one gets number %d", i, numbers[i], p.next)
		}
	}
	for _, lease := range sortedKeys(c.answers) {
		c.compare(lease, c.answers[lease])
	}
}

// how tells how a lease ended.
func (c *checker) how(run id.UUID, lease int64) string {
	if row := c.w.db.runs[run]; row != nil {
		if e := row.end(lease); e != nil {
			return e.Outcome.String() + ": " + e.Reason
		}
	}
	return "nothing"
}
