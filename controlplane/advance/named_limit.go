package advance

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/choose"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
)

// limitKey names a limit of a workspace.
type limitKey struct {
	org, workspace id.UUID
	name           string
}

// limitRow is a limit as the batch locked it, with what is held of it.
type limitRow struct {
	max, rateUnits, rateMS *int64
	tokens                 float64
	filled                 time.Time
	held                   int64
}

// bucket is that of a rate.
func (l *limitRow) bucket() choose.Bucket {
	return choose.Bucket{Units: *l.rateUnits, Per: time.Duration(*l.rateMS) * time.Millisecond, Tokens: l.tokens, At: l.filled}
}

// hold is what a lease of this batch takes of a limit.
type hold struct {
	limitKey

	key   taskKey
	units int32
}

// Counted under their locks, which whoever gives takes; who ends an attempt only
// makes room, and needs none.
const (
	sqlLockLimits = `
	SELECT l.org_id, l.workspace_id, l.name, l.max_units, l.rate_units, l.rate_ms, l.tokens, l.filled_at
	FROM (
		SELECT n.org_id, n.workspace_id, n.name
		FROM unnest(@orgs::uuid[], @workspaces::uuid[], @names::text[]) AS n (org_id, workspace_id, name)
		ORDER BY n.org_id, n.workspace_id, n.name
	) k
	CROSS JOIN LATERAL (
		SELECT x.org_id, x.workspace_id, x.name, x.max_units, x.rate_units, x.rate_ms, x.tokens, x.filled_at
		FROM named_limit x
		WHERE x.org_id = k.org_id
			AND x.workspace_id = k.workspace_id
			AND x.name BETWEEN k.name AND k.name
		ORDER BY x.name
		FOR NO KEY UPDATE
	) l`

	sqlCountHolds = `
	SELECT k.org_id, k.workspace_id, k.name,
		(SELECT coalesce(sum(h.units), 0)
			FROM limit_hold h WHERE h.org_id = k.org_id AND h.workspace_id = k.workspace_id AND h.name = k.name)
	FROM unnest(@orgs::uuid[], @workspaces::uuid[], @names::text[]) AS k (org_id, workspace_id, name)`
)

// queueLimits locks and counts the limits that the tasks which this batch may
// give are under.
func (b *batch) queueLimits(q *pgx.Batch) {
	keys := map[limitKey]bool{}
	for pool, h := range b.heads {
		for _, r := range h.reads {
			if req, known := b.a.versions.requirement(r.class); known {
				for _, u := range req.Uses {
					keys[limitKey{b.orgOf(pool), b.workspaceOf(pool), u.Name}] = true
				}
			}
		}
	}
	if len(b.takers) > 0 {
		for key, w := range b.runs {
			info, v := b.infoOf(w)
			if v == nil {
				continue
			}
			for _, name := range v.limits {
				keys[limitKey{key.Org, info.workspace, name}] = true
			}
		}
	}
	if len(keys) == 0 {
		return
	}
	var orgs, workspaces []id.UUID
	var names []string
	for k := range keys {
		orgs, workspaces, names = append(orgs, k.org), append(workspaces, k.workspace), append(names, k.name)
	}
	named := args{"orgs": orgs, "workspaces": workspaces, "names": names}
	q.Queue(sqlLockLimits, named).Query(func(rows pgx.Rows) error {
		var k limitKey
		var l limitRow
		_, err := pgx.ForEachRow(rows, []any{&k.org, &k.workspace, &k.name, &l.max, &l.rateUnits, &l.rateMS, &l.tokens, &l.filled}, func() error {
			one := l
			b.limits[k] = &one
			return nil
		})
		return err
	})
	// A statement of its own: its snapshot is taken after the locks were had.
	q.Queue(sqlCountHolds, named).Query(func(rows pgx.Rows) error {
		var k limitKey
		var held int64
		_, err := pgx.ForEachRow(rows, []any{&k.org, &k.workspace, &k.name, &held}, func() error {
			if l := b.limits[k]; l != nil {
				l.held = held
			}
			return nil
		})
		return err
	})
}

// workspaceOf is the workspace of a pool that somebody takes from in this batch.
func (b *batch) workspaceOf(pool id.UUID) id.UUID {
	for _, t := range b.takers {
		if t.session.pool == pool {
			return t.session.workspace
		}
	}
	return id.Nil
}

// use gives a candidate its limits, by their place in the scene. One that nobody
// declared, or that was not locked, has nothing to give.
func (b *batch) use(c *choose.Candidate, org, workspace id.UUID, uses []Use) {
	for _, u := range uses {
		k := limitKey{org, workspace, u.Name}
		i, placed := b.placed[k]
		if !placed {
			i = len(b.scene)
			b.placed[k] = i
			b.scene = append(b.scene, b.limitOf(k))
		}
		c.Uses = append(c.Uses, choose.Use{Limit: i, Units: u.Units})
	}
}

func (b *batch) limitOf(k limitKey) choose.Limit {
	l := b.limits[k]
	if l == nil {
		return choose.Limit{Capped: true}
	}
	var out choose.Limit
	if l.max != nil {
		out.Capped, out.Max, out.Left = true, *l.max, *l.max-l.held+b.released[k]
	}
	if l.rateUnits != nil {
		out.Rated, out.Tokens, out.Burst = true, l.bucket().Fill(b.now), l.bucket().Burst()
	}
	return out
}

// unhold notes what the attempts that end in this batch held.
func (b *batch) unhold(works []*runWork) {
	for _, w := range works {
		for i := range w.entries {
			e := &w.entries[i]
			if e.Kind != engine.KindAttemptEnded || (e.Lease == 0 && e.members() == 0) || e.Attempt < 0 {
				continue
			}
			for _, u := range w.version.info(w.state, e.Task, engine.AskNothing).req.Uses {
				b.released[limitKey{w.key.Org, w.info.workspace, u.Name}] += int64(u.Units)
				b.unheld[taskKey{w.key, e.Task}] = true
			}
		}
	}
}

// take notes what a granted candidate holds, and what its rates spent.
func (b *batch) take(c candidate, workspace id.UUID) {
	for _, u := range c.req.Uses {
		k := limitKey{c.key.Org, workspace, u.Name}
		b.holds = append(b.holds, hold{k, c.key, u.Units})
		if l := b.limits[k]; l != nil && l.rateUnits != nil {
			l.tokens, l.filled = l.bucket().Fill(b.now)-float64(u.Units), b.now
			b.spent[k] = l
		}
	}
}

// dryFor is how long until the rates of a candidate may let it pass.
func (b *batch) dryFor(c *candidate, workspace id.UUID) time.Duration {
	var longest time.Duration
	for _, u := range c.req.Uses {
		l := b.limits[limitKey{c.key.Org, workspace, u.Name}]
		if l == nil || l.rateUnits == nil {
			continue
		}
		longest = max(longest, l.bucket().DryFor(u.Units, b.now))
	}
	return longest
}

const (
	sqlDeleteHolds = `
	DELETE FROM limit_hold h
	USING unnest(@orgs::uuid[], @runs::uuid[], @tasks::int[]) AS k (org_id, run_id, task)
	WHERE h.org_id = k.org_id
		AND h.run_id = k.run_id
		AND h.task = k.task`

	sqlInsertHolds = `
	WITH n AS (
	INSERT INTO limit_hold (org_id, run_id, task, workspace_id, name, units)
	SELECT org_id, run_id, task, workspace_id, name, units
	FROM unnest(@orgs::uuid[], @runs::uuid[], @tasks::int[], @workspaces::uuid[], @names::text[], @units::int[])
		AS u (org_id, run_id, task, workspace_id, name, units)
		RETURNING 1
	)` + expectRows

	sqlSpendRates = `
	UPDATE named_limit l
	SET tokens = u.fill, filled_at = @now
	FROM unnest(@orgs::uuid[], @workspaces::uuid[], @names::text[], @fills::float8[]) AS u (org_id, workspace_id, name, fill)
	WHERE l.org_id = u.org_id
		AND l.workspace_id = u.workspace_id
		AND l.name = u.name`
)

func (b *batch) writeHolds(q *writer) {
	if len(b.unheld) > 0 {
		var orgs, runs []id.UUID
		var tasks []int32
		for k := range b.unheld {
			orgs, runs, tasks = append(orgs, k.Org), append(runs, k.Run), append(tasks, k.Task)
		}
		q.exec(sqlDeleteHolds, args{"orgs": orgs, "runs": runs, "tasks": tasks})
	}
	if n := len(b.holds); n > 0 {
		orgs, runs, workspaces := make([]id.UUID, n), make([]id.UUID, n), make([]id.UUID, n)
		tasks, units, names := make([]int32, n), make([]int32, n), make([]string, n)
		for i, h := range b.holds {
			orgs[i], runs[i], tasks[i], workspaces[i], names[i], units[i] = h.org, h.key.Run, h.key.Task, h.workspace, h.name, h.units
		}
		q.exactly(n, "hold limits", sqlInsertHolds, args{
			"orgs": orgs, "runs": runs, "tasks": tasks, "workspaces": workspaces, "names": names, "units": units,
		})
	}
	if len(b.spent) > 0 {
		var orgs, workspaces []id.UUID
		var names []string
		var fills []float64
		for k, l := range b.spent {
			orgs, workspaces, names, fills = append(orgs, k.org), append(workspaces, k.workspace), append(names, k.name), append(fills, l.tokens)
		}
		q.exec(sqlSpendRates, args{"now": b.now, "orgs": orgs, "workspaces": workspaces, "names": names, "fills": fills})
	}
}

// lookForLimits looks at the queues that wait for what this batch released, also
// those of other pools, and later at those that wait for a rate.
func (a *Advancer) lookForLimits(b *batch) {
	if len(b.released) > 0 {
		for _, ref := range a.park.pools() {
			for _, req := range a.requirements(ref.id) {
				if b.releasedFor(ref.org, req) {
					a.queue.look(look{org: ref.org, pool: ref.id})
					break
				}
			}
		}
	}
	for ref, wait := range b.dry {
		time.AfterFunc(wait, func() {
			if _, waits := a.park.hear(ref.id); waits {
				a.queue.look(look{org: ref.org, pool: ref.id})
			}
		})
	}
}

func (b *batch) releasedFor(org id.UUID, req Requirement) bool {
	for _, u := range req.Uses {
		for k := range b.released {
			if k.org == org && k.name == u.Name {
				return true
			}
		}
	}
	return false
}

const sqlUndeclared = `
	SELECT k.name
	FROM unnest(@names::text[]) AS k (name)
	WHERE (
			SELECT l.name
			FROM named_limit l
			WHERE l.org_id = @org_id
				AND l.workspace_id = @workspace_id
				AND l.name = k.name
		) IS NULL
	ORDER BY k.name
	LIMIT 1`

// declared refuses a start whose tasks name a limit that is not there: they
// would wait for ever.
func (a *Advancer) declared(ctx context.Context, c StartRun, v *version) error {
	if len(v.limits) == 0 {
		return nil
	}
	rows, err := a.pool.Query(ctx, sqlUndeclared, args{"names": v.limits, "org_id": c.Org, "workspace_id": c.Workspace})
	if err != nil {
		return fmt.Errorf("read limits: %w", err)
	}
	missing, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("read limits: %w", err)
	}
	if len(missing) > 0 {
		return fault.FailedPrecondition(fault.ReasonNotFound, "limit %q, which a task asks for, does not exist; declare it with `signalbox limit set %s --max 1`",
			missing[0], missing[0])
	}
	return nil
}
