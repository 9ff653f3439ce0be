package billingdb

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/billing/pricebook"
	"github.com/signalboxhq/signalbox/billing/rating"
	"github.com/signalboxhq/signalbox/billing/usage"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Cost is what quantities cost beyond what a plan includes.
type Cost struct {
	Nano  rating.NanoUSD
	Cents int64
}

// RunSum is what a run used itself, and what the runs below it did, which its
// tasks started.
type RunSum struct {
	Own       Quantities
	Cost      Cost
	Below     Quantities
	BelowCost Cost
	Children  []ChildUsage // the first MaxChildren
}

// ChildUsage is a run below another one, and what it used itself.
type ChildUsage struct {
	ID       id.UUID
	Pipeline string
	Number   int64
	Parent   id.UUID
	Task     string // the path of the task that started it
	Used     Quantities
}

// MaxChildren is how many runs a sum lists one by one.
const MaxChildren = 1000

const sqlUsageBelow = `
	WITH RECURSIVE below AS (
		SELECT r.id, r.pipeline_id, r.number, r.id AS parent, '' AS task
		FROM run r
		WHERE r.org_id = @org_id
			AND r.id = @run_id
		UNION ALL
		SELECT r.id, r.pipeline_id, r.number, r.parent_run, coalesce(r.parent_path, '')
		FROM below b
		JOIN run r ON r.org_id = @org_id AND r.parent_run = b.id
	)
	SELECT b.id, p.name, b.number, b.parent, b.task, q.runs, q.task_attempts, q.task_ms, q.gpu_ms
	FROM below b
	JOIN pipeline p ON p.org_id = @org_id AND p.id = b.pipeline_id
	CROSS JOIN LATERAL (
		SELECT (count(*) > 0)::int::bigint AS runs,
			count(*) FILTER (WHERE j.outcome = ANY(@outcomes::text[])) AS task_attempts,
			coalesce(sum(j.billed_ms) FILTER (WHERE j.outcome = ANY(@outcomes::text[])), 0)::bigint AS task_ms,
			coalesce(sum(j.billed_gpu_ms) FILTER (WHERE j.outcome = ANY(@outcomes::text[])), 0)::bigint AS gpu_ms
		FROM journal j
		WHERE j.org_id = @org_id
			AND j.run_id = b.id
			AND j.kind = 'attempt_ended'
			AND j.started IS NOT NULL
	) q
	ORDER BY b.id`

// RunUsageOf sums up a run and the runs below it, in whatever months. Errors:
// NotFound.
func (s *Store) RunUsageOf(ctx context.Context, by caller.Caller, run id.UUID) (RunSum, error) {
	out := RunSum{Own: Quantities{}, Below: Quantities{}}
	found := false
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, sqlUsageBelow, pgx.StrictNamedArgs{"org_id": by.OrgID, "run_id": run, "outcomes": usage.BillableOutcomes()})
		var c ChildUsage
		var runs, attempts, taskMS, gpuMS int64
		_, err := pgx.ForEachRow(rows, []any{&c.ID, &c.Pipeline, &c.Number, &c.Parent, &c.Task, &runs, &attempts, &taskMS, &gpuMS}, func() error {
			c.Used = Quantities{usage.MeterRuns: runs, usage.MeterTaskAttempts: attempts, usage.MeterTaskMS: taskMS, usage.MeterGPUMS: gpuMS}
			if c.ID == run {
				out.Own, found = c.Used, true
				return nil
			}
			for m, n := range c.Used {
				out.Below[m] += n
			}
			if len(out.Children) < MaxChildren {
				out.Children = append(out.Children, c)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("sum up a run: %w", err)
		}
		if !found {
			return fault.NotFound("run", id.Format(id.Run, run))
		}
		subscriptions, err := pricebook.Subscriptions(ctx, tx, by.OrgID, rating.MonthOf(s.now()))
		if err != nil || len(subscriptions) == 0 {
			return err
		}
		card := subscriptions[len(subscriptions)-1].Card
		if out.Cost.Nano, out.Cost.Cents, err = card.Beyond(out.Own); err != nil {
			return fmt.Errorf("rate a run: %w", err)
		}
		if out.BelowCost.Nano, out.BelowCost.Cents, err = card.Beyond(out.Below); err != nil {
			return fmt.Errorf("rate the runs below a run: %w", err)
		}
		return nil
	})
	return out, err
}
