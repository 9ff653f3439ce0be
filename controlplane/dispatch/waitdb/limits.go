package waitdb

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/choose"
	"github.com/signalboxhq/signalbox/controlplane/dispatch/explain"
	"github.com/signalboxhq/signalbox/proto/id"
)

const sqlReadLimit = `
	SELECT l.max_units, l.rate_units, l.rate_ms, l.tokens, l.filled_at,
		(SELECT coalesce(sum(h.units), 0)
			FROM limit_hold h WHERE h.org_id = l.org_id AND h.workspace_id = l.workspace_id AND h.name = l.name) AS held
	FROM named_limit l
	WHERE l.org_id = @org_id
		AND l.workspace_id = @workspace_id
		AND l.name = @name`

type limitRow struct {
	MaxUnits  *int64
	RateUnits *int64
	RateMS    *int64 `db:"rate_ms"`
	Tokens    float64
	FilledAt  time.Time
	Held      int64
}

// readLimits completes a wait's limits; known are those that were read before.
func readLimits(ctx context.Context, q Querier, now time.Time, org, workspace id.UUID, w *explain.Wait, known map[string]explain.Limit) error {
	for i := range w.Limits {
		l := &w.Limits[i]
		one, read := known[l.Name]
		if !read {
			var err error
			if one, err = readLimit(ctx, q, now, org, workspace, l.Name); err != nil {
				return err
			}
			known[l.Name] = one
		}
		want := l.Want
		*l = one
		l.Name, l.Want = w.Limits[i].Name, want
	}
	return nil
}

func readLimit(ctx context.Context, q Querier, now time.Time, org, workspace id.UUID, name string) (explain.Limit, error) {
	out := explain.Limit{Name: name}
	rows, err := q.Query(ctx, sqlReadLimit, pgx.StrictNamedArgs{"org_id": org, "workspace_id": workspace, "name": name})
	if err != nil {
		return out, fmt.Errorf("read a limit: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[limitRow])
	if err != nil {
		return out, fmt.Errorf("read a limit: %w", err)
	}
	if len(list) == 0 {
		return out, nil
	}
	r := list[0]
	out.Declared, out.Held = true, r.Held
	if r.MaxUnits != nil {
		out.Capped, out.Max = true, *r.MaxUnits
	}
	if r.RateUnits != nil {
		out.Rated, out.Rate, out.Per = true, *r.RateUnits, time.Duration(*r.RateMS)*time.Millisecond
		bucket := choose.Bucket{Units: *r.RateUnits, Per: out.Per, Tokens: r.Tokens, At: r.FilledAt}
		out.DryFor = bucket.DryFor(1, now)
	}
	return out, nil
}

// The lanes of a pool that have work at one priority, each found in the index
// from the one before.
const sqlReadAwakeLanes = `
	WITH RECURSIVE q AS (
		(SELECT r.lane, 1 AS n
			FROM ready r
			WHERE r.org_id = @org_id AND r.pool_id = @pool_id AND -r.priority = -@priority::int
			ORDER BY r.lane
			LIMIT 1)
		UNION ALL
		SELECT h.lane, q.n + 1
		FROM q
		CROSS JOIN LATERAL (
			SELECT r.lane
			FROM ready r
			WHERE r.org_id = @org_id AND r.pool_id = @pool_id AND -r.priority = -@priority::int AND r.lane > q.lane
			ORDER BY r.lane
			LIMIT 1
		) h
		WHERE q.n < 1000
	)
	SELECT q.lane
	FROM q`

// share is the part that a task's lane gets of what its priority gets.
func (r *waitRow) share(ctx context.Context, q Querier, org id.UUID, known map[choose.LaneKey]float64) (float64, error) {
	key := choose.LaneKey{Pool: r.PoolID, Priority: r.Priority, Lane: r.Lane}
	if s, read := known[key]; read {
		return s, nil
	}
	rows, err := q.Query(ctx, sqlReadAwakeLanes, pgx.StrictNamedArgs{"org_id": org, "pool_id": r.PoolID, "priority": r.Priority})
	if err != nil {
		return 0, fmt.Errorf("read lanes: %w", err)
	}
	lanes, err := pgx.CollectRows(rows, pgx.RowTo[id.UUID])
	if err != nil {
		return 0, fmt.Errorf("read lanes: %w", err)
	}
	weights := map[id.UUID]float64{}
	label, _ := strings.CutPrefix(r.Fairness, "label:")
	for value, w := range r.Weights {
		weights[choose.LabelLane(label, value)] = w
	}
	own, all := 1.0, 0.0
	for _, lane := range lanes {
		w, given := weights[lane]
		if !given || w <= 0 {
			w = 1
		}
		if lane == r.Lane {
			own = w
		}
		all += w
	}
	known[key] = own / max(own, all)
	return known[key], nil
}
