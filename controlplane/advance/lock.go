package advance

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Rows as trip one reads them.
type (
	startKeyRow struct {
		run         id.UUID
		fingerprint []byte
		state       *string // of its run; nil: it is not written yet
	}
	leaseRow struct {
		org, session, agent, pool, run id.UUID
		lane                           *id.UUID // of pools with several
		priority                       int32
		charge, rate                   float64
		id, class                      int64
		slots                          int32
		task, attempt                  int32
		path                           string
		readyAt, grantedAt             time.Time
		startedAt                      *time.Time
		stop                           string
		graceMS                        int64
		phase                          string
		plan                           int32
		asking                         engine.Ask
		rank                           int32
		gang                           int32   // 0: no gang's
		rendezvous                     *string // of gangs
	}
	readyRow struct {
		taskKey

		attempt    int32
		path       string
		pool       id.UUID
		class      int64
		priority   int32
		lane       id.UUID
		since      time.Time
		avoid      *id.UUID
		avoidUntil *time.Time
		plan       int32
		asking     engine.Ask
	}
	sessionRow struct {
		org, id   id.UUID
		expiresAt time.Time
		ended     bool
		draining  bool
	}
	poolRow struct {
		org, id id.UUID
		slots   int32
		paused  bool
		used    int64
		locked  bool
		setting *setting
	}
	timerRow struct {
		attempt int32
		at      time.Time
	}
)

func (l *leaseRow) engine() engine.Lease {
	out := engine.Lease{Task: l.task, Attempt: l.attempt, ID: l.id, Agent: l.agent, Granted: l.grantedAt, Gang: l.gang, Rank: l.rank}
	if l.startedAt != nil {
		out.Started = *l.startedAt
	}
	return out
}

// lock is trip one: every lock the batch needs, in one order, then the clock.
func (b *batch) lock(ctx context.Context, conn *pgx.Conn) error {
	var q pgx.Batch
	q.Queue("BEGIN")
	rows := 0
	for _, r := range b.reqs {
		rows += r.rows
	}
	if b.a.plans.due(time.Now(), rows) {
		q.Queue("DISCARD PLANS")
	}
	b.queueStarts(&q)
	b.queueLines(&q)
	b.queueRuns(&q)
	b.queueWakes(&q)
	b.queuePaused(&q)
	b.queueReady(&q)
	b.queueLeases(&q)
	b.queueSessions(&q)
	b.queuePools(&q)
	b.queueLimits(&q)
	b.queueLanes(&q)
	b.queueAudit(&q)
	// After the locks: whoever wrote to a run before us read an earlier clock.
	q.Queue(sqlClock).QueryRow(func(row pgx.Row) error { return row.Scan(&b.now) })
	if err := conn.SendBatch(ctx, &q).Close(); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	b.now = b.now.UTC()
	return nil
}

func (b *batch) queueStarts(q *pgx.Batch) {
	var keys []keyArg
	var pipelines pairs
	for _, r := range b.reqs {
		switch c := r.cmd.(type) {
		case StartRun:
			pipelines.add(c.Org, c.Pipeline)
			if c.Key != "" {
				keys = append(keys, keyArg{c.Org, c.Pipeline, r.run, c.Key, c.Fingerprint[:]})
			}
		case Wake:
			switch {
			case c.Kind == WakeArrive || c.Kind == WakeAdmit || c.Kind == WakeResume:
				pipelines.add(c.Org, c.Pipeline)
			case r.start != nil:
				pipelines.add(c.Org, r.start.Pipeline)
			}
		}
	}
	if len(pipelines) == 0 {
		return
	}
	if len(keys) > 0 {
		b.queueKeys(q, keyArgs(keys))
	}
	orgs, ids := pipelines.columns()
	q.Queue(sqlLockPipelines, args{"orgs": orgs, "ids": ids}).Query(func(rows pgx.Rows) error {
		var k pipelineKey
		var next int64
		var paused bool
		var deployed []byte
		_, err := pgx.ForEachRow(rows, []any{&k.org, &k.id, &next, &paused, &deployed}, func() error {
			b.counts[k] = &counter{was: next, next: next, paused: paused, deployed: deployed}
			return nil
		})
		return err
	})
}

func (b *batch) queueKeys(q *pgx.Batch, all args) {
	q.Queue(sqlInsertStartKeys, all)
	q.Queue(sqlReadStartKeys, args{"orgs": all["orgs"], "pipelines": all["pipelines"], "keys": all["keys"]}).Query(func(rows pgx.Rows) error {
		var k startKey
		var row startKeyRow
		_, err := pgx.ForEachRow(rows, []any{&k.org, &k.pipeline, &k.key, &row.run, &row.fingerprint, &row.state}, func() error {
			v := row
			b.keys[k] = &v
			return nil
		})
		return err
	})
}

func (b *batch) queueRuns(q *pgx.Batch) {
	var runs pairs
	var due dueColumns
	for k, w := range b.runs {
		if !w.isNew {
			runs.add(k.Org, k.Run)
		}
	}
	if len(runs) == 0 {
		return
	}
	orgs, ids := runs.columns()
	q.Queue(sqlLockRuns, args{"orgs": orgs, "ids": ids}).Query(func(rows pgx.Rows) error {
		var k RunKey
		var seq int64
		_, err := pgx.ForEachRow(rows, []any{&k.Org, &k.Run, &seq}, func() error {
			b.runs[k].seq = seq
			return nil
		})
		return err
	})
	for _, o := range b.ops {
		if c, ok := o.req.cmd.(Due); ok {
			due.add(c)
		}
	}
	if len(due.orgs) == 0 {
		return
	}
	// The lock of its run guards a timer.
	q.Queue(sqlReadTimers, due.args()).Query(func(rows pgx.Rows) error {
		var k dueKey
		var t timerRow
		_, err := pgx.ForEachRow(rows, []any{&k.Org, &k.Run, &k.kind, &k.task, &t.attempt, &t.at}, func() error {
			b.due[k] = t
			return nil
		})
		return err
	})
}

// takesBack reports whether a command may take ready rows back from the queue;
// its run's are then locked before its leases are read, so that no claim slips
// in between. Whether a run stops on failure stands in its version. A map's next
// items take nothing back but where the run becomes too large: see applyExpand.
func (b *batch) takesBack(o op) bool {
	w := b.runs[o.key]
	switch c := o.req.cmd.(type) {
	case CancelRun, PauseRun, ResumeRun:
		return true
	case Due:
		return c.Kind != engine.TimerExpand.String() || b.how.patient || (w.run != nil && w.version.graph.StopsOnFailure())
	case Wake:
		return c.Kind == WakeCancel || (w.run != nil && w.version.graph.StopsOnFailure())
	case Report, Lose, SignalRun, Vote:
		// Of a gang, the end of one may mean the end of all.
		return w.run != nil && (w.version.graph.StopsOnFailure() || w.version.gangs)
	}
	return false
}

// queueReady locks the ready rows of runs that may lose them, then the heads of
// the queues; no lease may be read before.
func (b *batch) queueReady(q *pgx.Batch) {
	orgs, ids := b.takingBack()
	if len(ids) > 0 {
		q.Queue(sqlLockReadyOfRuns, args{"orgs": orgs, "runs": ids}).Query(func(rows pgx.Rows) error {
			var k taskKey
			_, err := pgx.ForEachRow(rows, []any{&k.Org, &k.Run, &k.Task}, func() error {
				b.ready[k] = true
				return nil
			})
			return err
		})
	}
	b.queueClaims(q)
}

func (b *batch) takingBack() (orgs, ids []id.UUID) {
	var runs pairs
	for _, o := range b.ops {
		if b.takesBack(o) {
			runs.add(o.key.Org, o.key.Run)
		}
	}
	return runs.columns()
}

// queueLeases locks the leases that commands name, and all of the runs that
// take back: in one statement, because in two they would not be in order. A
// lease counts only with its run, which is locked.
func (b *batch) queueLeases(q *pgx.Batch) {
	var orgs, runs []id.UUID
	var ids []int64
	for _, o := range b.ops {
		switch c := o.req.cmd.(type) {
		case Report:
			orgs, runs, ids = append(orgs, o.key.Org), append(runs, o.key.Run), append(ids, c.Reports[o.index].Lease)
		case Lose:
			orgs, runs, ids = append(orgs, o.key.Org), append(runs, o.key.Run), append(ids, c.Lease)
		}
	}
	named := args{"orgs": orgs, "runs": runs, "ids": ids}
	statement, scan := sqlLockLeases, scanLeases
	if allOrgs, all := b.takingBack(); len(all) > 0 {
		statement = sqlLockAllLeases
		named["all_orgs"], named["all_runs"] = allOrgs, all
	} else if len(ids) == 0 {
		return
	} else if b.a.knows(ids) {
		statement, scan = sqlLockKnownLeases, b.a.scanKnown
	}
	back := map[RunKey]bool{}
	for _, o := range b.ops {
		back[o.key] = back[o.key] || b.takesBack(o)
	}
	q.Queue(statement, named).Query(func(rows pgx.Rows) error {
		return scan(rows, func(l *leaseRow) {
			if b.leases[l.id] != nil {
				return
			}
			b.leases[l.id] = l
			if k := (RunKey{l.org, l.run}); back[k] {
				b.byRun[k] = append(b.byRun[k], l)
			}
		})
	})
}

func (b *batch) queueSessions(q *pgx.Batch) {
	var sessions, listing pairs
	pools := map[id.UUID]id.UUID{} // by session
	for _, r := range b.reqs {
		switch c := r.cmd.(type) {
		case Poll:
			sessions.add(c.Org, c.Session)
			if c.ListsLeases {
				listing.add(c.Org, c.Session)
				pools[c.Session] = r.session.pool
			}
		case Report:
			if r.session != nil {
				sessions.add(c.Org, c.Session)
			}
		case EndSession:
			sessions.add(c.Org, c.Session)
		}
	}
	for _, w := range b.borrowed {
		sessions.add(w.poll.Org, w.poll.Session)
	}
	if len(sessions) == 0 {
		return
	}
	orgs, ids := sessions.columns()
	q.Queue(sqlLockSessions, args{"orgs": orgs, "ids": ids}).Query(func(rows pgx.Rows) error {
		var s sessionRow
		var p poolRow
		var r settingRow
		into := append([]any{&s.org, &s.id, &s.expiresAt, &s.ended, &s.draining, &p.id, &p.slots, &p.paused}, r.into()...)
		_, err := pgx.ForEachRow(rows, into, func() error {
			one, pool := s, p
			pool.org, pool.setting = s.org, b.a.settings.learn(s.org, p.id, &r)
			b.living[s.id] = &one
			b.pools[p.id] = &pool
			return nil
		})
		return err
	})
	if len(listing) == 0 {
		return
	}
	orgs, ids = listing.columns()
	of := make([]id.UUID, len(ids))
	for i, session := range ids {
		of[i] = pools[session]
	}
	q.Queue(sqlListLeases, args{"orgs": orgs, "pools": of, "sessions": ids}).Query(func(rows pgx.Rows) error {
		return scanLeases(rows, func(l *leaseRow) { b.listed[l.session] = append(b.listed[l.session], l) })
	})
}

// queuePools counts the leases of the pools that somebody here takes from and
// that have a limit: they are the meeting points of replicas. Which have one is
// remembered from the last reading.
func (b *batch) queuePools(q *pgx.Batch) {
	var limited pairs
	for _, t := range b.takers {
		if b.a.limits(t.session) {
			limited.add(t.session.org, t.session.pool)
		}
	}
	if len(limited) == 0 {
		return
	}
	orgs, ids := limited.columns()
	q.Queue(sqlLockPools, args{"orgs": orgs, "ids": ids})
	// A statement of its own: its snapshot is taken after the lock was had.
	q.Queue(sqlCountPools, args{"orgs": orgs, "ids": ids}).Query(func(rows pgx.Rows) error {
		p := poolRow{locked: true}
		var r settingRow
		into := append([]any{&p.org, &p.id, &p.slots, &p.paused, &p.used}, r.into()...)
		_, err := pgx.ForEachRow(rows, into, func() error {
			v := p
			v.setting = b.a.settings.learn(p.org, p.id, &r)
			b.pools[p.id] = &v
			return nil
		})
		return err
	})
}

func scanLeases(rows pgx.Rows, each func(*leaseRow)) error {
	var l leaseRow
	var asking string
	var gang *int32
	_, err := pgx.ForEachRow(rows, []any{
		&l.org, &l.id, &l.session, &l.agent, &l.pool, &l.run, &l.task, &l.attempt, &l.path, &l.class, &l.slots,
		&l.readyAt, &l.grantedAt, &l.startedAt, &l.stop, &l.graceMS, &l.phase, &l.priority, &l.lane, &l.charge, &l.rate,
		&l.plan, &asking, &l.rank, &gang, &l.rendezvous,
	}, func() error {
		v := l
		if gang != nil {
			v.gang = *gang
		}
		v.readyAt, v.grantedAt = v.readyAt.UTC(), v.grantedAt.UTC()
		var err error
		v.asking, err = engine.ParseAsk(asking)
		each(&v)
		return err
	})
	return err
}

type keyArg struct {
	org, pipeline, run id.UUID
	key                string
	fingerprint        []byte
}

// keyArgs sorts the keys: two batches that insert two keys crosswise deadlock.
func keyArgs(keys []keyArg) args {
	slices.SortFunc(keys, func(x, y keyArg) int {
		return cmp.Or(bytes.Compare(x.org[:], y.org[:]), bytes.Compare(x.pipeline[:], y.pipeline[:]), cmp.Compare(x.key, y.key))
	})
	n := len(keys)
	orgs, pipelines, runs := make([]id.UUID, n), make([]id.UUID, n), make([]id.UUID, n)
	names, prints := make([]string, n), make([][]byte, n)
	for i, k := range keys {
		orgs[i], pipelines[i], runs[i], names[i], prints[i] = k.org, k.pipeline, k.run, k.key, k.fingerprint
	}
	return args{"orgs": orgs, "pipelines": pipelines, "runs": runs, "keys": names, "fingerprints": prints}
}

// dueColumns gathers the keys of timers.
type dueColumns struct {
	orgs, runs []id.UUID
	kinds      []string
	tasks      []int32
}

func (c *dueColumns) add(d Due) {
	c.orgs, c.runs, c.kinds, c.tasks = append(c.orgs, d.Org), append(c.runs, d.Run), append(c.kinds, d.Kind), append(c.tasks, d.Task)
}

func (c *dueColumns) args() args {
	return args{"orgs": c.orgs, "runs": c.runs, "kinds": c.kinds, "tasks": c.tasks}
}
