package rundb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/proto/id"
)

// Fire is what a scheduled run is about: its nominal time, however late it
// started, and the stretch of time up to there.
type Fire struct {
	Nominal       time.Time
	IntervalStart time.Time
	IntervalEnd   time.Time
}

// Asked for scheduled runs only: most pages have none.
const sqlReadFires = `
	SELECT r.id, r.nominal, r.interval_start, r.nominal AS interval_end
	FROM run r
	WHERE r.org_id = @org_id
		AND r.id = ANY(@runs)
		AND r.nominal IS NOT NULL`

func fired(ctx context.Context, tx pgx.Tx, org id.UUID, list []Run) error {
	scheduled := map[id.UUID]*Run{}
	runs := []id.UUID{}
	for i := range list {
		if list[i].Cause == "schedule" {
			scheduled[list[i].ID] = &list[i]
			runs = append(runs, list[i].ID)
		}
	}
	if len(runs) == 0 {
		return nil
	}
	rows, _ := tx.Query(ctx, sqlReadFires, pgx.StrictNamedArgs{"org_id": org, "runs": runs})
	var run id.UUID
	var f Fire
	_, err := pgx.ForEachRow(rows, []any{&run, &f.Nominal, &f.IntervalStart, &f.IntervalEnd}, func() error {
		scheduled[run].Fire = new(f)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the times of scheduled runs: %w", err)
	}
	return nil
}
