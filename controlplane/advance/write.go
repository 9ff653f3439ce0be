package advance

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// writer queues the statements of trip two.
type writer struct{ q pgx.Batch }

func (w *writer) exec(sql string, named args) { w.q.Queue(sql, named) }

// exactly queues a statement that must touch n rows: another number means that
// the database is not as trip one read it, and nothing is committed.
func (w *writer) exactly(n int, what, sql string, named args) {
	named["what"], named["rows"] = what, n
	w.q.Queue(sql, named)
}

// write is trip two, the commit included: once a statement has failed,
// PostgreSQL runs none of those behind it, COMMIT neither.
func (b *batch) write(ctx context.Context, conn *pgx.Conn) error {
	var w writer
	works := b.works()
	sums := b.meter(works) // before the entries: it writes on them
	b.bidFarewell(works)
	b.writeLines(&w)
	b.writeWakes(&w)
	b.writeRuns(&w, works)
	b.writeFires(&w, works)
	b.writeEntries(&w, works)
	b.writeHolds(&w)
	b.writeDispatch(&w, works)
	b.writeTimers(&w, works)
	b.writeApprovals(&w, works)
	b.writeUsage(&w, sums)
	b.writeSessions(&w)
	b.writeLanes(&w) // last: other replicas wait for them
	if w.q.Len() > 0 {
		b.writeKeys(&w)
		b.writeAudit(&w, works)
		b.writeNotify(&w)
		w.q.Queue("COMMIT")
		b.writing = true
	} else {
		w.q.Queue("ROLLBACK") // nothing but reading: no record of a commit is needed
	}
	if err := conn.SendBatch(ctx, &w.q).Close(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// works lists the runs that this batch changes, sorted as they were locked.
func (b *batch) works() []*runWork {
	out := make([]*runWork, 0, len(b.runs))
	for _, w := range b.runs {
		if w.run != nil && w.failed == nil {
			out = append(out, w)
		}
	}
	slices.SortFunc(out, func(x, y *runWork) int {
		if c := bytes.Compare(x.key.Org[:], y.key.Org[:]); c != 0 {
			return c
		}
		return bytes.Compare(x.key.Run[:], y.key.Run[:])
	})
	return out
}

func (b *batch) writeRuns(q *writer, works []*runWork) {
	fresh, old := newRunColumns(), newRunColumns()
	for _, w := range works {
		switch {
		case w.start != nil:
			fresh.add(w)
		case len(w.entries) > 0:
			old.add(w)
		}
	}
	if n := len(fresh.orgs); n > 0 {
		named := fresh.args()
		named["now"] = b.now
		maps.Copy(named, fresh.startArgs())
		q.exactly(n, "insert runs", sqlInsertRuns, named)
		b.writeNumbers(q)
	}
	if n := len(old.orgs); n > 0 {
		named := old.args()
		named["olds"] = old.olds
		q.exactly(n, "update runs", sqlUpdateRuns, named)
	}
}

func (b *batch) writeNumbers(q *writer) {
	var orgs, ids []id.UUID
	var numbers []int64
	for k, n := range b.counts {
		if n.next > n.was {
			orgs, ids, numbers = append(orgs, k.org), append(ids, k.id), append(numbers, n.next)
		}
	}
	q.exec(sqlUpdatePipelines, args{"orgs": orgs, "ids": ids, "numbers": numbers})
}

// writeKeys takes back the keys of starts that started nothing.
func (b *batch) writeKeys(q *writer) {
	var orgs, runs, pipelines []id.UUID
	var keys []string
	b.writeRekeyed(q)
	for _, r := range b.unkey {
		c := r.cmd.(StartRun)
		orgs, pipelines, keys, runs = append(orgs, c.Org), append(pipelines, c.Pipeline), append(keys, c.Key), append(runs, r.run)
	}
	if len(keys) > 0 {
		q.exec(sqlDeleteStartKeys, args{"orgs": orgs, "pipelines": pipelines, "keys": keys, "runs": runs})
	}
}

// writeEntries appends to the journal: entries that end a lease together with
// its row, all others plainly.
func (b *batch) writeEntries(q *writer, works []*runWork) {
	var plain, ending entryColumnsOf
	var taken takenColumns
	for _, w := range works {
		for i := range w.entries {
			e := &w.entries[i]
			switch {
			case e.EndsLease():
				ending.add(w.key, e)
			case e.from != 0:
				taken.add(w.key, e)
			default:
				plain.add(w.key, e)
			}
		}
	}
	if n := len(ending.orgs); n > 0 {
		q.exactly(n, "end leases", sqlEndLeases, ending.args())
	}
	if n := len(plain.orgs); n > 0 {
		q.exactly(n, "append to the journal", sqlAppendEntries, plain.args())
	}
	b.writeTaken(q, &taken)
}

func (b *batch) writeTimers(q *writer, works []*runWork) {
	var gone, set timerColumns
	var orgs, done []id.UUID
	for _, w := range works {
		if w.finished {
			orgs, done = append(orgs, w.key.Org), append(done, w.key.Run)
			continue
		}
		for _, k := range w.fired {
			gone.add(w.key, k.kind, k.task, 0, time.Time{})
		}
		for t := range w.closed {
			gone.add(w.key, timerRetry, t, 0, time.Time{})
			gone.add(w.key, engine.TimerQueue.String(), t, 0, time.Time{})
			if engine.Holds(w.version.graph.Task(w.state, t)) {
				gone.add(w.key, engine.TimerHold.String(), t, 0, time.Time{})
			}
		}
		for _, t := range w.opened {
			if t.Wait {
				set.add(w.key, timerRetry, t.Task, t.Attempt, t.At)
			}
		}
		for k, t := range w.timers {
			set.add(w.key, k.kind, t.Task, t.Attempt, t.At)
		}
	}
	for _, w := range works {
		for i := range w.entries {
			if e := &w.entries[i]; e.members() > 0 && !w.finished {
				gone.add(w.key, engine.TimerGang.String(), e.Task, 0, time.Time{})
			}
		}
	}
	for _, g := range b.granted {
		if m := g.member; m != nil && m.rank == 0 && m.of.startMS > 0 {
			set.add(g.key.RunKey, engine.TimerGang.String(), g.key.Task, g.attempt, b.now.Add(time.Duration(m.of.startMS)*time.Millisecond))
		}
		if g.queueTimer {
			gone.add(g.key.RunKey, engine.TimerQueue.String(), g.key.Task, 0, time.Time{})
		}
	}
	if len(gone.orgs) > 0 {
		q.exec(sqlDeleteTimers, args{"orgs": gone.orgs, "runs": gone.runs, "kinds": gone.kinds, "tasks": gone.tasks})
	}
	if len(set.orgs) > 0 {
		q.exec(sqlInsertTimers, args{
			"orgs": set.orgs, "runs": set.runs, "kinds": set.kinds, "tasks": set.tasks, "attempts": set.attempts, "ats": set.ats,
		})
	}
	if len(done) > 0 {
		q.exec(sqlDeleteTimersOfRuns, args{"orgs": orgs, "runs": done})
	}
}

type timerColumns struct {
	orgs, runs      []id.UUID
	kinds           []string
	tasks, attempts []int32
	ats             []time.Time
}

func (c *timerColumns) add(k RunKey, kind string, task, attempt int32, at time.Time) {
	c.orgs, c.runs, c.kinds = append(c.orgs, k.Org), append(c.runs, k.Run), append(c.kinds, kind)
	c.tasks, c.attempts, c.ats = append(c.tasks, task), append(c.attempts, attempt), append(c.ats, at)
}

func (b *batch) writeSessions(q *writer) {
	var orgs, ids []id.UUID
	var drainings []bool
	for _, s := range b.renew {
		orgs, ids, drainings = append(orgs, s.org), append(ids, s.id), append(drainings, s.draining)
	}
	if len(ids) > 0 {
		q.exec(sqlRenewSessions, args{"until": b.now.Add(sessionTTL), "orgs": orgs, "ids": ids, "drainings": drainings})
	}
	var endOrgs, ends []id.UUID
	for _, s := range b.ended {
		endOrgs, ends = append(endOrgs, s.org), append(ends, s.id)
	}
	if len(ends) > 0 {
		q.exec(sqlEndSessions, args{"orgs": endOrgs, "ids": ends})
	}
}

// nullTime is NULL for the zero time.
func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func nullID(u id.UUID) *id.UUID {
	if u == (id.UUID{}) {
		return nil
	}
	return &u
}
