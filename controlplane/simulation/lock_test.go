package simulation_test

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// lock is trip one: every lock the batch needs, in one order, then the clock.
func (b *batch) lock() error {
	for _, step := range []func() error{b.lockStarts, b.lockLines, b.lockRuns, b.lockReady, b.lockLeases, b.lockSessions, b.lockPools, b.lockLimits} {
		if err := step(); err != nil {
			return err
		}
	}
	b.now = b.r.w.db.now()
	return nil
}

func (b *batch) lockStarts() error {
	db, plant := b.r.w.db, b.r.w.opt.plant
	var keys, pipelines []lockKey
	for _, q := range b.reqs {
		if c, ok := q.cmd.(startRun); ok {
			pipelines = append(pipelines, lockKey{kind: lockPipeline, n: int64(c.pipeline)})
			if c.key != "" && plant != plantUnique {
				keys = append(keys, lockKey{kind: lockKeys, text: c.key})
			}
		}
		if c, ok := q.cmd.(wakeRow); ok && slices.Contains([]wakeKind{wakeChild, wakeArrive, wakeAdmit, wakeResume}, c.kind) {
			pipelines = append(pipelines, lockKey{kind: lockPipeline, n: int64(c.pipeline)})
		}
	}
	// An insert with a unique key waits for whoever inserts the same one.
	if err := b.tx.lockAll(keys); err != nil {
		return err
	}
	for _, q := range b.reqs {
		c, ok := q.cmd.(startRun)
		if !ok || c.key == "" {
			continue
		}
		if _, mine := b.keys[c.key]; mine {
			continue
		}
		row, known := db.keys[c.key]
		if !known || plant == plantKey {
			row = keyRow{q.run, c.fingerprint}
		}
		b.keys[c.key] = row
	}
	if err := b.tx.lockAll(pipelines); err != nil {
		return err
	}
	for _, k := range pipelines {
		b.numbers[int(k.n)], b.halted[int(k.n)] = db.pipelines[k.n].next, db.pipelines[k.n].paused
	}
	return nil
}

func (b *batch) lockRuns() error {
	db := b.r.w.db
	var keys []lockKey
	for _, run := range b.order {
		if !b.works[run].isNew && db.runs[run] != nil {
			keys = append(keys, lockKey{kind: lockRun, id: run})
		}
	}
	if err := b.tx.lockAll(keys); err != nil {
		return err
	}
	for _, o := range b.ops {
		if c, ok := o.req.cmd.(dueTimer); ok {
			if row, there := db.timers[c.timerKey]; there {
				b.due[c.timerKey] = row
			}
		}
	}
	for _, q := range b.reqs {
		if c, ok := q.cmd.(wakeRow); ok {
			if _, b.wakes[c.id] = db.wakes[c.id]; c.kind == wakeResume {
				b.readPaused(c)
			}
		}
	}
	return nil
}

// takesBack reports whether a command may take ready rows back from the queue.
func (b *batch) takesBack(o op) bool {
	w := b.works[o.run]
	switch o.req.cmd.(type) {
	case cancelRun, dueTimer, pauseRun, resumeRun, wakeRow:
		return true
	case reportAll, loseLease, sendSignal, castVote:
		row := b.r.w.db.runs[o.run]
		return w.state != nil && row != nil && (b.r.w.graph(row).StopsOnFailure() || hasGangs(b.r.w.graph(row)))
	}
	return false
}

func (b *batch) takingBack() []id.UUID {
	var out []id.UUID
	for _, o := range b.ops {
		if b.takesBack(o) && !slices.Contains(out, o.run) {
			out = append(out, o.run)
		}
	}
	return out
}

// lockReady locks the ready rows of runs that may lose them, then the heads of
// the queues, passing over what somebody else hands out.
func (b *batch) lockReady() error {
	db := b.r.w.db
	var keys []lockKey
	for _, run := range b.takingBack() {
		for k := range db.ready {
			if k.run == run {
				keys = append(keys, lockKey{kind: lockReady, id: k.run, n: int64(k.task)})
			}
		}
	}
	if err := b.tx.lockAll(keys); err != nil {
		return err
	}
	for _, k := range keys {
		tk := taskKey{k.id, int32(k.n)}
		if _, there := db.ready[tk]; there {
			b.ready[tk] = true
		}
	}
	b.claimHeads()
	return nil
}

// headMargin is how far beyond what fits the head of a queue is read.
const headMargin = 8

func (b *batch) claimHeads() {
	db := b.r.w.db
	limits := map[int]int{}
	for _, t := range b.takers {
		limits[t.pool] += int(t.free)
	}
	for pool := range db.pools {
		limit, wanted := limits[pool]
		if !wanted {
			continue
		}
		var heads []taskKey
		for k, row := range db.ready {
			if row.pool == pool {
				heads = append(heads, k)
			}
		}
		slices.SortFunc(heads, func(x, y taskKey) int {
			p, q := db.ready[x], db.ready[y]
			return cmp.Or(cmp.Compare(q.priority, p.priority), p.since.Compare(q.since), bytes.Compare(x.run[:], y.run[:]), cmp.Compare(x.task, y.task))
		})
		for _, k := range heads {
			if limit+headMargin <= 0 {
				break
			}
			if b.tx.try(lockKey{kind: lockReady, id: k.run, n: int64(k.task)}) || b.r.w.opt.plant == plantLeaseUnique {
				b.claims = append(b.claims, k)
				b.claimed[k] = db.ready[k]
				limit--
			}
		}
	}
}

// lockLeases locks the leases that commands name, and all of the runs that take
// back.
func (b *batch) lockLeases() error {
	db := b.r.w.db
	back := b.takingBack()
	var keys []lockKey
	for _, o := range b.ops {
		switch c := o.req.cmd.(type) {
		case reportAll:
			keys = append(keys, b.leaseKeys(o.run, c.reports[o.index].lease, c.reports[o.index].task)...)
		case loseLease:
			keys = append(keys, b.leaseKeys(o.run, c.lease, -1)...)
		}
	}
	for _, l := range db.leases {
		if slices.Contains(back, l.run) {
			keys = append(keys, lockKey{kind: lockLease, n: l.id})
		}
	}
	if err := b.tx.lockAll(keys); err != nil {
		return err
	}
	for _, k := range keys {
		l := db.leases[k.n]
		if l == nil || b.leases[l.id] != nil {
			continue
		}
		locked := *l
		b.leases[l.id] = &locked
		if slices.Contains(back, l.run) {
			b.byRun[l.run] = append(b.byRun[l.run], &locked)
		}
	}
	for _, list := range b.byRun {
		slices.SortFunc(list, func(x, y *leaseRow) int { return cmp.Compare(x.id, y.id) })
	}
	return nil
}

func (b *batch) leaseKeys(run id.UUID, lease int64, task int32) []lockKey {
	var out []lockKey
	for _, l := range b.r.w.db.leases {
		if l.run == run && (l.id == lease || (b.r.w.opt.plant == plantFence && l.task == task)) {
			out = append(out, lockKey{kind: lockLease, n: l.id})
		}
	}
	return out
}

func (b *batch) lockSessions() error {
	db := b.r.w.db
	var keys []lockKey
	var lists []id.UUID
	add := func(session id.UUID) {
		if db.sessions[session] != nil {
			keys = append(keys, lockKey{kind: lockSession, id: session})
		}
	}
	for _, q := range append(append([]*request(nil), b.reqs...), b.borrowed...) {
		switch c := q.cmd.(type) {
		case poll:
			add(c.session)
			if c.lists {
				lists = append(lists, c.session)
			}
		case reportAll:
			add(c.session)
		case endSession:
			add(c.session)
		}
	}
	if err := b.tx.lockAll(keys); err != nil {
		return err
	}
	for _, k := range keys {
		if s := db.sessions[k.id]; s != nil {
			one := *s
			b.living[k.id] = &one
		}
	}
	for _, l := range db.leases {
		if slices.Contains(lists, l.session) {
			one := *l
			b.listed[l.session] = append(b.listed[l.session], &one)
		}
	}
	for _, list := range b.listed {
		slices.SortFunc(list, func(x, y *leaseRow) int { return cmp.Compare(x.id, y.id) })
	}
	return nil
}

// lockPools counts the leases of the pools with a limit that somebody here takes
// from: the meeting point of replicas.
func (b *batch) lockPools() error {
	db := b.r.w.db
	var keys []lockKey
	for _, t := range b.takers {
		if db.pools[t.pool].slots > 0 {
			keys = append(keys, lockKey{kind: lockPool, n: int64(t.pool)})
		}
	}
	if b.r.w.opt.plant != plantPool {
		if err := b.tx.lockAll(keys); err != nil {
			return err
		}
	}
	for _, k := range keys {
		b.used[int(k.n)] = 0
	}
	for _, l := range db.leases {
		if _, counted := b.used[l.pool]; counted {
			b.used[l.pool] += int64(l.slots)
		}
	}
	return nil
}

// live lists a run's leases as they were locked.
func (b *batch) live(run id.UUID) []engine.Lease {
	var out []engine.Lease
	for _, l := range b.byRun[run] {
		if l.gang == 0 || !b.works[run].gone[l.id] { // its attempt may go on without a member
			out = append(out, l.engine())
		}
	}
	return out
}

func (l *leaseRow) engine() engine.Lease {
	return engine.Lease{Task: l.task, Attempt: l.attempt, ID: l.id, Agent: l.agent, Granted: l.granted, Started: l.started, Gang: l.gang, Rank: l.rank}
}
