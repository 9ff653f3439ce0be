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
	}
	leaseRow struct {
		org, session, agent, pool, run id.UUID
		id                             int64
		task, attempt                  int32
		path                           string
		readyAt, grantedAt             time.Time
		startedAt                      *time.Time
		stop                           string
		graceMS                        int64
		phase                          string
	}
	readyRow struct {
		taskKey

		attempt    int32
		path       string
		pool, lane id.UUID
		class      int64
		priority   int32
		since      time.Time
		avoid      *id.UUID
		avoidUntil *time.Time
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
	}
)

func (l *leaseRow) engine() engine.Lease {
	out := engine.Lease{Task: l.task, Attempt: l.attempt, ID: l.id, Agent: l.agent, Granted: l.grantedAt}
	if l.startedAt != nil {
		out.Started = *l.startedAt
	}
	return out
}

// lock is trip one: every lock the batch needs, in one order, then the clock.
func (b *batch) lock(ctx context.Context, conn *pgx.Conn) error {
	var q pgx.Batch
	q.Queue("BEGIN")
	b.queueStarts(&q)
	b.queueRuns(&q)
	b.queueReady(&q)
	b.queueLeases(&q)
	b.queueSessions(&q)
	b.queuePools(&q)
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
	pipelines := map[pipelineKey]bool{}
	for _, r := range b.reqs {
		c, ok := r.cmd.(StartRun)
		if !ok {
			continue
		}
		pipelines[pipelineKey{c.Org, c.Pipeline}] = true
		if c.Key != "" {
			keys = append(keys, keyArg{c.Org, c.Pipeline, r.run, c.Key, c.Fingerprint[:]})
		}
	}
	if len(pipelines) == 0 {
		return
	}
	if len(keys) > 0 {
		args := keyArgs(keys)
		q.Queue(sqlInsertStartKeys, args)
		q.Queue(sqlReadStartKeys, pgx.NamedArgs{"orgs": args["orgs"], "pipelines": args["pipelines"], "keys": args["keys"]}).Query(func(rows pgx.Rows) error {
			var k startKey
			var row startKeyRow
			_, err := pgx.ForEachRow(rows, []any{&k.org, &k.pipeline, &k.key, &row.run, &row.fingerprint}, func() error {
				v := row
				b.keys[k] = &v
				return nil
			})
			return err
		})
	}
	orgs, ids := make([]id.UUID, 0, len(pipelines)), make([]id.UUID, 0, len(pipelines))
	for k := range pipelines {
		orgs, ids = append(orgs, k.org), append(ids, k.id)
	}
	q.Queue(sqlLockPipelines, pgx.NamedArgs{"orgs": orgs, "ids": ids}).Query(func(rows pgx.Rows) error {
		var k pipelineKey
		var next int64
		_, err := pgx.ForEachRow(rows, []any{&k.org, &k.id, &next}, func() error {
			b.counts[k] = next
			return nil
		})
		return err
	})
}

func (b *batch) queueRuns(q *pgx.Batch) {
	var orgs, ids []id.UUID
	for k, w := range b.runs {
		if !w.isNew {
			orgs, ids = append(orgs, k.Org), append(ids, k.Run)
		}
	}
	if len(ids) == 0 {
		return
	}
	q.Queue(sqlLockRuns, pgx.NamedArgs{"orgs": orgs, "ids": ids}).Query(func(rows pgx.Rows) error {
		var k RunKey
		var seq int64
		_, err := pgx.ForEachRow(rows, []any{&k.Org, &k.Run, &seq}, func() error {
			w := b.runs[k]
			w.run, w.seq = b.a.runs.get(k), seq
			return nil
		})
		return err
	})
}

// takesBack reports whether a command may take ready rows back from the queue;
// its run's are then locked before its leases are read, so that no claim slips
// in between.
func takesBack(w *runWork, o op) bool {
	switch o.req.cmd.(type) {
	case CancelRun, Due:
		return true
	case Report, Lose:
		return w.run != nil && w.version.graph.StopsOnFailure()
	}
	return false
}

func (b *batch) queueReady(q *pgx.Batch) {
	var orgs, ids []id.UUID
	seen := map[RunKey]bool{}
	for _, o := range b.ops {
		w := b.runs[o.key]
		// Whether a run stops on failure stands in its version, and the run is
		// in the cache: its request ensured it.
		if cached := b.a.runs.get(o.key); cached != nil && w.run == nil {
			w.run = cached
		}
		if !seen[o.key] && takesBack(w, o) {
			seen[o.key] = true
			orgs, ids = append(orgs, o.key.Org), append(ids, o.key.Run)
		}
	}
	if len(ids) > 0 {
		q.Queue(sqlLockReadyOfRuns, pgx.NamedArgs{"orgs": orgs, "runs": ids}).Query(func(rows pgx.Rows) error {
			var k taskKey
			_, err := pgx.ForEachRow(rows, []any{&k.Org, &k.Run, &k.Task}, func() error {
				b.ready[k] = true
				return nil
			})
			return err
		})
	}
	b.queueClaims(q)
	if len(ids) > 0 {
		q.Queue(sqlLockLeasesOfRuns, pgx.NamedArgs{"orgs": orgs, "runs": ids}).Query(func(rows pgx.Rows) error {
			return scanLeases(rows, func(l *leaseRow) {
				b.leases[l.id] = l
				k := RunKey{l.org, l.run}
				b.byRun[k] = append(b.byRun[k], l)
			})
		})
	}
}

func (b *batch) queueLeases(q *pgx.Batch) {
	var orgs []id.UUID
	var ids []int64
	for _, o := range b.ops {
		switch c := o.req.cmd.(type) {
		case Report:
			orgs, ids = append(orgs, c.Org), append(ids, c.Reports[o.index].Lease)
		case Lose:
			orgs, ids = append(orgs, c.Org), append(ids, c.Lease)
		}
	}
	if len(ids) == 0 {
		return
	}
	q.Queue(sqlLockLeases, pgx.NamedArgs{"orgs": orgs, "ids": ids}).Query(func(rows pgx.Rows) error {
		return scanLeases(rows, func(l *leaseRow) {
			if b.leases[l.id] == nil {
				b.leases[l.id] = l
			}
		})
	})
}

func (b *batch) queueSessions(q *pgx.Batch) {
	var orgs, ids, listing, listingOrgs []id.UUID
	for _, r := range b.reqs {
		switch c := r.cmd.(type) {
		case Poll:
			orgs, ids = append(orgs, c.Org), append(ids, c.Session)
			if c.ListsLeases {
				listing, listingOrgs = append(listing, c.Session), append(listingOrgs, c.Org)
			}
		case Report:
			orgs, ids = append(orgs, c.Org), append(ids, c.Session)
		case EndSession:
			orgs, ids = append(orgs, c.Org), append(ids, c.Session)
		}
	}
	for _, w := range b.borrowed {
		orgs, ids = append(orgs, w.poll.Org), append(ids, w.poll.Session)
	}
	if len(ids) == 0 {
		return
	}
	q.Queue(sqlLockSessions, pgx.NamedArgs{"orgs": orgs, "ids": ids}).Query(func(rows pgx.Rows) error {
		var s sessionRow
		_, err := pgx.ForEachRow(rows, []any{&s.org, &s.id, &s.expiresAt, &s.ended, &s.draining}, func() error {
			v := s
			b.living[s.id] = &v
			return nil
		})
		return err
	})
	if len(listing) == 0 {
		return
	}
	q.Queue(sqlListLeases, pgx.NamedArgs{"orgs": listingOrgs, "sessions": listing}).Query(func(rows pgx.Rows) error {
		return scanLeases(rows, func(l *leaseRow) { b.listed[l.session] = append(b.listed[l.session], l) })
	})
}

func (b *batch) queuePools(q *pgx.Batch) {
	pools := map[id.UUID]id.UUID{}
	for _, t := range b.takers {
		pools[t.session.pool] = t.session.org
	}
	if len(pools) == 0 {
		return
	}
	var orgs, ids []id.UUID
	for p, o := range pools {
		orgs, ids = append(orgs, o), append(ids, p)
	}
	args := pgx.NamedArgs{"orgs": orgs, "ids": ids}
	q.Queue(sqlLockLimitedPools, args)
	// A statement of its own: its snapshot is taken after the lock was had.
	q.Queue(sqlReadPools, args).Query(func(rows pgx.Rows) error {
		var p poolRow
		_, err := pgx.ForEachRow(rows, []any{&p.org, &p.id, &p.slots, &p.paused, &p.used}, func() error {
			v := p
			b.pools[p.id] = &v
			return nil
		})
		return err
	})
}

func scanLeases(rows pgx.Rows, each func(*leaseRow)) error {
	var l leaseRow
	_, err := pgx.ForEachRow(rows, []any{
		&l.org, &l.id, &l.session, &l.agent, &l.pool, &l.run, &l.task, &l.attempt, &l.path,
		&l.readyAt, &l.grantedAt, &l.startedAt, &l.stop, &l.graceMS, &l.phase,
	}, func() error {
		v := l
		v.readyAt, v.grantedAt = v.readyAt.UTC(), v.grantedAt.UTC()
		each(&v)
		return nil
	})
	return err
}

type keyArg struct {
	org, pipeline, run id.UUID
	key                string
	fingerprint        []byte
}

// keyArgs sorts the keys: two batches that insert two keys crosswise deadlock.
func keyArgs(keys []keyArg) pgx.NamedArgs {
	slices.SortFunc(keys, func(x, y keyArg) int {
		return cmp.Or(bytes.Compare(x.org[:], y.org[:]), bytes.Compare(x.pipeline[:], y.pipeline[:]), cmp.Compare(x.key, y.key))
	})
	n := len(keys)
	orgs, pipelines, runs := make([]id.UUID, n), make([]id.UUID, n), make([]id.UUID, n)
	names, prints := make([]string, n), make([][]byte, n)
	for i, k := range keys {
		orgs[i], pipelines[i], runs[i], names[i], prints[i] = k.org, k.pipeline, k.run, k.key, k.fingerprint
	}
	return pgx.NamedArgs{"orgs": orgs, "pipelines": pipelines, "runs": runs, "keys": names, "fingerprints": prints}
}
