package scheduledb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Fire is one time at which a schedule fired, and what became of it.
type Fire struct {
	Nominal                    time.Time
	IntervalStart, IntervalEnd time.Time
	// State is waiting, starting, started, dropped or refused, and Reason why.
	State, Reason string
	// RunID, RunNumber and RunState are of the run, if it was started.
	RunID     *id.UUID
	RunNumber *int64
	RunState  *string
}

const sqlListFires = `
	SELECT f.nominal, f.interval_start, f.interval_end, f.state, f.reason, f.run_id, r.number AS run_number, r.state AS run_state
	FROM schedule_fire f
	LEFT JOIN run r ON r.org_id = f.org_id AND r.id = f.run_id
	WHERE f.org_id = @org_id
		AND f.schedule_id = @schedule_id
	ORDER BY f.nominal DESC
	LIMIT 20`

func listFires(ctx context.Context, tx pgx.Tx, by caller.Caller, schedule id.UUID) ([]Fire, error) {
	rows, _ := tx.Query(ctx, sqlListFires, pgx.StrictNamedArgs{"org_id": by.OrgID, "schedule_id": schedule})
	fires, err := pgx.CollectRows(rows, pgx.RowToStructByName[Fire])
	if err != nil {
		return nil, fmt.Errorf("list the fires of a schedule: %w", err)
	}
	return fires, nil
}
