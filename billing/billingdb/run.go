package billingdb

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/billing/rating"
	"github.com/signalboxhq/signalbox/billing/usage"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// RunUsage is a run and what it used of one meter in one month.
type RunUsage struct {
	ID        id.UUID
	Pipeline  string
	Workspace string // its slug
	Number    int64
	StartedAt *time.Time
	Quantity  int64
}

// RunsQuery asks for a page of the runs behind a meter.
type RunsQuery struct {
	Month rating.Period
	Meter usage.Meter
	// Before is the last run of the page before; Nil for the first page.
	Before id.UUID
	Limit  int
}

// The ends of attempts that were billed, in the month in which they ended.
const billedAttempts = `
		FROM journal j
		WHERE j.org_id = r.org_id
			AND j.run_id = r.id
			AND j.kind = 'attempt_ended'
			AND j.started IS NOT NULL
			AND j.outcome = ANY(@outcomes::text[])
			AND coalesce(j.finished, j.at) >= @since
			AND coalesce(j.finished, j.at) < @until`

// What a run used of one meter. A run is counted itself when the first of its
// attempts started that ended. OFFSET 0 keeps it from being computed twice.
const usageOfRun = `
	CROSS JOIN LATERAL (
		SELECT CASE @meter::text
			WHEN 'runs' THEN (
				SELECT count(*)
				FROM (
					SELECT j.started
					FROM journal j
					WHERE j.org_id = r.org_id
						AND j.run_id = r.id
						AND j.kind = 'attempt_ended'
						AND j.started IS NOT NULL
					ORDER BY j.seq
					LIMIT 1
				) f
				WHERE f.started >= @since
					AND f.started < @until
			)
			WHEN 'task_attempts' THEN (
				SELECT count(*)` + billedAttempts + `
			)
			WHEN 'task_ms' THEN (
				SELECT sum(j.billed_ms)::bigint` + billedAttempts + `
			)
			WHEN 'gpu_ms' THEN (
				SELECT sum(j.billed_gpu_ms)::bigint` + billedAttempts + `
			)
		END AS quantity
		OFFSET 0
	) q`

const runColumns = `r.org_id, r.id, r.pipeline_id, r.workspace_id, r.number, r.started_at`

const runPage = `
	SELECT r.id, coalesce(p.name, '') AS pipeline, coalesce(w.slug, '') AS workspace, r.number, r.started_at, q.quantity
	FROM candidates r` + usageOfRun + `
	LEFT JOIN pipeline p ON p.org_id = @org_id AND p.id = r.pipeline_id
	LEFT JOIN workspace w ON w.org_id = @org_id AND w.id = r.workspace_id
	WHERE q.quantity > 0
	ORDER BY r.id DESC
	LIMIT @limit`

// Runs that began in the month, newest first: their ids carry their time.
const sqlUsageOfRunsBegun = `
	WITH candidates AS NOT MATERIALIZED (
		SELECT ` + runColumns + `
		FROM run r
		WHERE r.org_id = @org_id
			AND r.id < @before
			AND r.id >= @floor
	)` + runPage

// Runs from before the month that had not ended when it began.
const sqlUsageOfRunsGoneOn = `
	WITH candidates AS NOT MATERIALIZED (
		SELECT ` + runColumns + `
		FROM run r
		WHERE r.org_id = @org_id
			AND r.id < @before
			AND r.finished_at IS NULL
		UNION ALL
		SELECT ` + runColumns + `
		FROM run r
		WHERE r.org_id = @org_id
			AND r.id < @before
			AND r.finished_at >= @since
	)` + runPage

// clockSkew is how far the clock that made a run's id may be from the
// database's, which says when attempts ended.
const clockSkew = 24 * time.Hour

// Runs lists the runs that used a meter in a month, newest first. Their
// quantities add up to the meter's usage, corrections apart.
func (s *Store) Runs(ctx context.Context, by caller.Caller, q RunsQuery) ([]RunUsage, error) {
	floor, before := id.Floor(q.Month.Start), id.Floor(q.Month.End.Add(clockSkew))
	if q.Before != id.Nil {
		before = earlier(before, q.Before)
	}
	var list []RunUsage
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		args := pgx.StrictNamedArgs{
			"org_id": by.OrgID, "since": q.Month.Start, "until": q.Month.End, "meter": q.Meter,
			"outcomes": usage.BillableOutcomes(), "before": before, "floor": floor, "limit": q.Limit,
		}
		if list, err = readRuns(ctx, tx, sqlUsageOfRunsBegun, args); err != nil || len(list) == q.Limit {
			return err
		}
		delete(args, "floor")
		args["before"], args["limit"] = earlier(before, floor), q.Limit-len(list)
		older, err := readRuns(ctx, tx, sqlUsageOfRunsGoneOn, args)
		list = append(list, older...)
		return err
	})
	return list, err
}

func readRuns(ctx context.Context, tx pgx.Tx, sql string, args pgx.StrictNamedArgs) ([]RunUsage, error) {
	rows, _ := tx.Query(ctx, sql, args)
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[RunUsage])
	if err != nil {
		return nil, fmt.Errorf("list the runs of a meter: %w", err)
	}
	return list, nil
}

func earlier(x, y id.UUID) id.UUID {
	if bytes.Compare(x[:], y[:]) < 0 {
		return x
	}
	return y
}
