package simulation_test

import (
	"fmt"
	"maps"
	"slices"

	"github.com/signalboxhq/signalbox/billing/usage"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// write is trip two: one statement a table, in the order of the group commit.
func (b *batch) write() {
	b.bidFarewell()
	b.writeLines()
	b.writeWakes()
	b.writeRuns()
	b.writeEntries()
	b.writeHolds()
	b.writeQueue()
	b.writeLeases()
	b.writeTimers()
	for _, s := range b.renew {
		until := b.now.Add(sessionTTL)
		b.tx.write(func() string {
			if row := b.r.w.db.sessions[s]; row != nil && row.expires.Before(until) {
				row.expires = until
			}
			return ""
		})
	}
	for _, s := range b.ended {
		b.tx.write(func() string {
			if row := b.r.w.db.sessions[s]; row != nil {
				row.ended = true
			}
			return ""
		})
	}
}

func (b *batch) writeRuns() {
	db := b.r.w.db
	for _, run := range b.order {
		x := b.works[run]
		if x.refused || len(x.entries) == 0 {
			continue
		}
		if x.start != nil {
			c := x.start.cmd.(startRun)
			number := b.numbers[c.pipeline]
			b.numbers[c.pipeline]++
			b.tx.write(func() string { return db.insertRun(run, c, number, b) })
		}
		b.tx.write(func() string {
			row := db.runs[run]
			if row == nil || row.seq != x.before {
				return fmt.Sprintf("run %s is not at %d any more", run, x.before)
			}
			s := x.state
			row.seq, row.state, row.outcome, row.generation = s.Seq, s.Run, s.Outcome, s.Generation
			row.failed, row.finished = s.Failed(), s.FinishedAt
			return ""
		})
	}
}

func (db *database) insertRun(run id.UUID, c startRun, number int64, b *batch) string {
	p := db.pipelines[c.pipeline]
	if p.next != number {
		return fmt.Sprintf("run number %d of %s is taken", number, p.id)
	}
	p.next = number + 1
	if c.key != "" {
		if was, taken := db.keys[c.key]; taken && db.w.opt.plant == plantNone {
			return fmt.Sprintf("key %s belongs to %s", c.key, was.run)
		}
		db.keys[c.key] = keyRow{run, c.fingerprint}
	}
	if db.runs[run] != nil {
		return fmt.Sprintf("run %s is there already", run)
	}
	parent := b.works[run].parent
	if parent.run != id.Nil && db.childOf(parent.run, parent.of) != id.Nil {
		return fmt.Sprintf("task %d of run %s has two children", parent.of.Task, parent.run)
	}
	db.runs[run] = &runRow{
		id: run, parent: parent, pipeline: c.pipeline, number: number, key: c.key, priority: c.priority, created: b.now, generation: 1,
		version: c.version, line: c.line, lined: c.lined,
	}
	db.order = append(db.order, run)
	db.w.done.Runs++
	if parent.run != id.Nil {
		db.w.done.Children++
	}
	return ""
}

func (b *batch) writeEntries() {
	db := b.r.w.db
	for _, run := range b.order {
		x := b.works[run]
		for i := range x.entries {
			e := &x.entries[i]
			sums := b.meter(run, x, e)
			b.tx.write(func() string {
				row := db.runs[run]
				if e.Seq != int64(len(row.journal))+1 {
					return fmt.Sprintf("entry %d of run %s is there", e.Seq, run)
				}
				if e.EndsLease() {
					l := db.leases[e.Lease]
					if l == nil || l.run != run || l.task != e.Task || l.attempt != e.Attempt {
						return fmt.Sprintf("lease %d is not there to be ended", e.Lease)
					}
					if db.w.opt.plant != plantSlot || e.Outcome != engine.OutcomeLost {
						delete(db.leases, e.Lease)
					}
				}
				row.journal = append(row.journal, *e)
				for _, q := range sums {
					db.usage[q.Key] += q.Value
				}
				return ""
			})
		}
	}
}

// meter computes what an entry costs, as the group commit does for its batch.
func (b *batch) meter(run id.UUID, x *runWork, e *entryRow) []usage.Quantity {
	if e.Kind != engine.KindAttemptEnded {
		return nil
	}
	a := attemptOf(b.r.w, run, b.pipelineOf(run, x), b.graph(run, x).Task(x.state, e.Task), e)
	e.billed = a.DurationMS()
	return usage.Measure(a)
}

func (b *batch) pipelineOf(run id.UUID, x *runWork) int {
	if x.start != nil {
		return x.start.cmd.(startRun).pipeline
	}
	return b.r.w.db.runs[run].pipeline
}

func (b *batch) writeQueue() {
	db := b.r.w.db
	remove := append([]taskKey(nil), b.unready...)
	for _, run := range b.order {
		for task := range b.works[run].closed {
			if k := (taskKey{run, task}); b.ready[k] {
				remove = append(remove, k)
			}
		}
	}
	for _, k := range remove {
		b.tx.write(func() string {
			if _, there := db.ready[k]; !there && db.w.opt.plant != plantLeaseUnique {
				return fmt.Sprintf("task %d of %s does not wait any more", k.task, k.run)
			}
			delete(db.ready, k)
			return ""
		})
	}
	for _, run := range b.order {
		x := b.works[run]
		for _, task := range sortedKeys(x.opened) {
			if x.opened[task].Wait {
				continue
			}
			k, row := taskKey{run, task}, b.readyRow(run, x, task)
			if !slices.Contains(b.woken, row.pool) {
				b.woken = append(b.woken, row.pool)
			}
			b.tx.write(func() string {
				if _, there := db.ready[k]; there {
					return fmt.Sprintf("task %d of %s waits twice", k.task, k.run)
				}
				db.ready[k] = row
				db.w.notify(&db.readyChanged)
				return ""
			})
		}
	}
}

func (b *batch) writeLeases() {
	db := b.r.w.db
	for _, l := range b.granted {
		b.tx.write(func() string {
			for _, other := range db.leases {
				if other.run == l.run && other.task == l.task && other.rank == l.rank && db.w.opt.plant != plantLeaseUnique {
					return fmt.Sprintf("task %d of %s has two leases", l.task, l.run)
				}
			}
			row := *l
			db.leases[l.id] = &row
			return ""
		})
	}
	for _, run := range b.order {
		x := b.works[run]
		for _, s := range x.stops {
			for _, l := range b.byRun[run] {
				if l.task == s.Task && l.attempt == s.Attempt && !x.gone[l.id] {
					b.tell = append(b.tell, l.session)
					b.tx.write(func() string { db.leases[l.id].stop = true; return "" })
				}
			}
		}
	}
	for _, lease := range sortedKeys(b.phases) {
		b.tx.write(func() string {
			// Passed over when somebody else is ending it.
			if l := db.leases[lease]; l != nil && (db.locks[lockKey{kind: lockLease, n: lease}] == nil || b.tx.owns(lockKey{kind: lockLease, n: lease})) {
				l.started = b.phases[lease]
			}
			return ""
		})
	}
}

func (b *batch) writeTimers() {
	db := b.r.w.db
	for _, run := range b.order {
		x := b.works[run]
		if x.finished {
			b.tx.write(func() string {
				for k := range db.timers {
					if k.run == run {
						delete(db.timers, k)
					}
				}
				return ""
			})
			continue
		}
		if len(x.fired)+len(x.closed)+len(x.opened)+len(x.timers) > 0 {
			b.tx.write(func() string { b.setTimers(run, x); return "" })
		}
	}
	b.writeGangTimers()
	for _, l := range b.granted {
		b.tx.write(func() string { delete(db.timers, timerKey{taskKey{l.run, l.task}, "queue"}); return "" })
	}
}

func (b *batch) setTimers(run id.UUID, x *runWork) {
	db := b.r.w.db
	for _, k := range x.fired {
		delete(db.timers, k)
	}
	for task := range x.closed {
		delete(db.timers, timerKey{taskKey{run, task}, timerRetry})
		delete(db.timers, timerKey{taskKey{run, task}, engine.TimerQueue.String()})
		delete(db.timers, timerKey{taskKey{run, task}, engine.TimerHold.String()})
	}
	for task, o := range x.opened {
		if o.Wait {
			db.timers[timerKey{taskKey{run, task}, timerRetry}] = timerRow{o.Attempt, o.At}
		}
	}
	maps.Copy(db.timers, x.timers)
	db.w.notify(&db.timersChanged)
}
