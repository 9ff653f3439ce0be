package simulation_test

import (
	"fmt"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/choose"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

type (
	// limitRow is a named limit: a semaphore, a rate, or both.
	limitRow struct {
		full, most int64 // most is what it is now, full what it is once it is calm; 0: no semaphore
		rated      bool
		bucket     choose.Bucket
	}
	holdKey struct {
		taskKey

		limit int
	}
	// given is what a limit has given, as the checker counts it.
	given struct{ bucket choose.Bucket }
)

// addLimits declares the limits.
func (w *world) addLimits() {
	w.db.limits = []*limitRow{
		{full: 2, most: 2},
		{rated: true, bucket: choose.Bucket{Units: 30, Per: time.Minute, Tokens: 1, At: w.db.now()}},
		{full: 3, most: 3, rated: true, bucket: choose.Bucket{Units: 60, Per: time.Minute, Tokens: 1, At: w.db.now()}},
	}
	for _, l := range w.db.limits {
		w.check.given = append(w.check.given, &given{bucket: l.bucket})
	}
}

func limitName(n int) string { return fmt.Sprintf("limit%d", n) }

// drawLimits puts some tasks under limits.
func (w *world) drawLimits(t *plan.Task) {
	for n := range w.db.limits {
		if w.roll(7) {
			t.Limits = append(t.Limits, plan.Use{Limit: limitName(n), Units: pick(w, 1, 1, 2)})
		}
	}
}

// usesIn are the units that a class takes of each limit. A decision takes none.
func (db *database) usesIn(class int64, asking bool) []choose.Use {
	if asking {
		return nil
	}
	var out []choose.Use
	for n := range db.limits {
		if units := int32(class>>(16+4*n)) & 0xf; units > 0 {
			out = append(out, choose.Use{Limit: n, Units: units})
		}
	}
	return out
}

func usesClass(t *plan.Task) int64 {
	var class int64
	for _, u := range t.Limits {
		class |= int64(u.Units) << (16 + 4*int(u.Limit[len(u.Limit)-1]-'0'))
	}
	return class
}

// lockLimits locks and counts the limits that the tasks which this batch may give
// are under.
func (b *batch) lockLimits() error {
	db := b.r.w.db
	wanted := map[int]bool{}
	want := func(class int64) {
		for _, u := range db.usesIn(class, false) {
			wanted[u.Limit] = true
		}
	}
	for _, k := range b.claims {
		want(b.claimed[k].class)
	}
	for _, run := range b.order {
		g := b.planOf(run)
		if g == nil || len(b.takers) == 0 {
			continue
		}
		for i := range g.Plan.Tasks {
			want(classOf(&g.Plan.Tasks[i]))
		}
	}
	var keys []lockKey
	for n := range wanted {
		keys = append(keys, lockKey{kind: lockLimit, n: int64(n)})
	}
	if b.r.w.opt.plant != plantLimit {
		if err := b.tx.lockAll(keys); err != nil {
			return err
		}
	}
	for n := range wanted {
		l := *db.limits[n]
		b.limits[n], b.heldOf[n] = &l, db.heldOf(n)
	}
	return nil
}

// planOf is the graph of a run, be it there or about to come.
func (b *batch) planOf(run id.UUID) *engine.Graph {
	if row := b.r.w.db.runs[run]; row != nil {
		return b.r.w.graph(row)
	}
	for _, q := range b.reqs {
		switch c := q.cmd.(type) {
		case startRun:
			if q.run == run {
				return b.r.w.db.pipelines[c.pipeline].graphs[c.version]
			}
		case wakeRow:
			if c.child == run && q.start != nil {
				return b.r.w.db.pipelines[q.start.pipeline].graphs[q.start.version]
			}
		}
	}
	return nil
}

func (db *database) heldOf(limit int) int64 {
	var held int64
	for k, units := range db.holds {
		if k.limit == limit {
			held += int64(units)
		}
	}
	return held
}

// unhold notes what the attempts that end in this batch held.
func (b *batch) unhold() {
	for _, run := range b.order {
		x := b.works[run]
		for i := range x.entries {
			e := &x.entries[i]
			if e.Kind != engine.KindAttemptEnded || (e.Lease == 0 && membersOf(&e.Entry) == 0) || e.Attempt < 0 {
				continue
			}
			if b.r.w.opt.plant == plantHold && e.Outcome == engine.OutcomeLost {
				continue
			}
			for _, u := range b.r.w.db.usesIn(classOf(b.graph(run, x).Task(x.state, e.Task)), false) {
				b.released[u.Limit] += int64(u.Units)
				b.unheld = append(b.unheld, holdKey{taskKey{run, e.Task}, u.Limit})
			}
		}
	}
}

// chooseLimits are the limits as the choice may give of them. One that was not
// locked has nothing to give.
func (b *batch) chooseLimits() []choose.Limit {
	out := make([]choose.Limit, len(b.r.w.db.limits))
	for n := range out {
		l := b.limits[n]
		if l == nil {
			out[n] = choose.Limit{Capped: true}
			continue
		}
		if l.full > 0 {
			out[n].Capped, out[n].Max, out[n].Left = true, l.most, l.most-b.heldOf[n]+b.released[n]
			if b.r.w.opt.plant == plantTwice {
				out[n].Left += b.released[n]
			}
		}
		if l.rated {
			out[n].Rated, out[n].Tokens, out[n].Burst = true, l.bucket.Fill(b.now), l.bucket.Burst()
		}
	}
	return out
}

// take notes what a lease holds, and what its rates spent.
func (b *batch) take(l *leaseRow) {
	for _, u := range b.r.w.db.usesIn(l.class, l.asking) {
		b.taken = append(b.taken, holdKey{taskKey{l.run, l.task}, u.Limit})
		b.units = append(b.units, u.Units)
		if row := b.limits[u.Limit]; row.rated {
			row.bucket.Tokens, row.bucket.At = row.bucket.Fill(b.now)-float64(u.Units), b.now
			b.spent[u.Limit] = true
		}
	}
}

func (b *batch) writeHolds() {
	db := b.r.w.db
	for _, k := range b.unheld {
		b.tx.write(func() string { delete(db.holds, k); return "" })
	}
	for i, k := range b.taken {
		b.tx.write(func() string {
			if _, there := db.holds[k]; there {
				return fmt.Sprintf("task %d of %s holds limit %d twice", k.task, k.run, k.limit)
			}
			db.holds[k] = b.units[i]
			return ""
		})
	}
	for n := range b.spent {
		bucket := b.limits[n].bucket
		b.tx.write(func() string { db.limits[n].bucket = bucket; return "" })
	}
}

// limits: no more is held of a limit than it has when somebody is given of it, no
// rate gives more than it may, and what is held is held by leases.
func (c *checker) limits(b *batch) {
	db := c.w.db
	for i, k := range b.taken {
		l, g := db.limits[k.limit], c.given[k.limit]
		if held := db.heldOf(k.limit); l.full > 0 && held > l.most {
			c.w.violate("limit %d has %d units, and %d are held", k.limit, l.most, held)
		}
		if !l.rated {
			continue
		}
		fill := g.bucket.Fill(b.now)
		if least := min(float64(b.units[i]), g.bucket.Burst()); fill < least-1e-6 {
			c.w.violate("limit %d gives %d units, and its bucket has %g", k.limit, b.units[i], fill)
		}
		g.bucket.Tokens, g.bucket.At = fill-float64(b.units[i]), b.now
	}
	held := map[holdKey]bool{} // of a gang once
	for _, lease := range db.leases {
		for _, u := range db.usesIn(lease.class, lease.asking) {
			held[holdKey{taskKey{lease.run, lease.task}, u.Limit}] = true
			if got := db.holds[holdKey{taskKey{lease.run, lease.task}, u.Limit}]; got != u.Units {
				c.w.violate("lease %d uses %d units of limit %d, and holds %d", lease.id, u.Units, u.Limit, got)
			}
		}
	}
	if len(held) != len(db.holds) {
		c.w.violate("%d leases hold limits, and %d holds are there", len(held), len(db.holds))
	}
}

// setLimit changes a semaphore's size, as controlplane/pooldb.
func (w *world) setLimit(limit int, most int64) {
	_, err := w.net.call(10*time.Second, func(r *replica) (any, error) {
		c, err := w.db.connect()
		if err != nil {
			return nil, errUnavailable
		}
		defer c.close()
		err = c.call(func() error {
			t := c.begin()
			if err := t.lock(lockKey{kind: lockLimit, n: int64(limit)}); err != nil {
				return err
			}
			t.write(func() string { w.db.limits[limit].most = most; return "" })
			c.commit()
			return nil
		})
		if err != nil {
			return nil, errUnavailable
		}
		return nil, nil
	})
	w.expect(err)
}
