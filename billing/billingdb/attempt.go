package billingdb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/billing/rating"
	"github.com/signalboxhq/signalbox/billing/usage"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// AttemptUsage is an attempt that was billed.
type AttemptUsage struct {
	Task       string
	Attempt    int32
	Outcome    string
	StartedAt  time.Time
	FinishedAt time.Time
	TaskMS     int64
	GPUMS      int64
}

const sqlFindRun = `
	SELECT EXISTS (
		SELECT FROM run r
		WHERE r.org_id = @org_id
			AND r.id = @run_id
	)`

const sqlUsageOfAttempts = `
	SELECT j.path AS task, j.attempt, j.outcome, j.started AS started_at, coalesce(j.finished, j.at) AS finished_at,
		j.billed_ms AS task_ms, coalesce(j.billed_gpu_ms, 0) AS gpu_ms
	FROM journal j
	WHERE j.org_id = @org_id
		AND j.run_id = @run_id
		AND j.kind = 'attempt_ended'
		AND j.started IS NOT NULL
		AND j.outcome = ANY(@outcomes::text[])
		AND (@since::timestamptz IS NULL OR coalesce(j.finished, j.at) >= @since)
		AND (@until::timestamptz IS NULL OR coalesce(j.finished, j.at) < @until)
	ORDER BY j.seq`

// Attempts lists the attempts of a run that were billed, as they ended: those of
// a month, or all of them where month is nil. Errors: NotFound.
func (s *Store) Attempts(ctx context.Context, by caller.Caller, run id.UUID, month *rating.Period) ([]AttemptUsage, error) {
	args := pgx.StrictNamedArgs{"org_id": by.OrgID, "run_id": run, "outcomes": usage.BillableOutcomes(), "since": nil, "until": nil}
	if month != nil {
		args["since"], args["until"] = month.Start, month.End
	}
	var list []AttemptUsage
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		var found bool
		err := tx.QueryRow(ctx, sqlFindRun, pgx.StrictNamedArgs{"org_id": by.OrgID, "run_id": run}).Scan(&found)
		if err != nil {
			return fmt.Errorf("find a run: %w", err)
		}
		if !found {
			return fault.NotFound("run", id.Format(id.Run, run))
		}
		rows, _ := tx.Query(ctx, sqlUsageOfAttempts, args)
		if list, err = pgx.CollectRows(rows, pgx.RowToStructByName[AttemptUsage]); err != nil {
			return fmt.Errorf("list the attempts of a run: %w", err)
		}
		return nil
	})
	return list, err
}
