package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/proto/id"
)

const (
	// A fire that was started names a run that is there, of its own pipeline.
	sqlFiresWithoutRun = `
	SELECT f.org_id, f.schedule_id, f.nominal
	FROM schedule_fire f
	LEFT JOIN schedule s ON s.org_id = f.org_id AND s.id = f.schedule_id
	LEFT JOIN run r ON r.org_id = f.org_id AND r.id = f.run_id AND r.pipeline_id = s.pipeline_id
	WHERE f.state = 'started'
		AND r.id IS NULL
	ORDER BY f.org_id, f.schedule_id, f.nominal
	LIMIT @limit`

	// Started a moment ago, it may not have been noted yet.
	sqlRunsWithoutFire = `
	SELECT r.org_id, r.id
	FROM run r
	LEFT JOIN schedule_fire f ON f.org_id = r.org_id AND f.run_id = r.id
	WHERE r.cause = 'schedule'
		AND r.created_at < @now::timestamptz - interval '1 minute'
		AND f.run_id IS NULL
	ORDER BY r.org_id, r.id
	LIMIT @limit`

	sqlWrongFired = `
	SELECT s.org_id, s.id, s.fired, count(f.nominal) AS counted
	FROM schedule s
	LEFT JOIN schedule_fire f ON f.org_id = s.org_id AND f.schedule_id = s.id AND f.state IN ('starting', 'started', 'refused')
	GROUP BY s.org_id, s.id, s.fired
	HAVING s.fired <> count(f.nominal)
	ORDER BY s.org_id, s.id
	LIMIT @limit`
)

// schedules checks that every fire has its run, every scheduled run its fire,
// and that schedules have counted their fires.
func (c *checker) schedules(ctx context.Context, tx pgx.Tx) error {
	var org, what id.UUID
	var nominal time.Time
	rows, _ := tx.Query(ctx, sqlFiresWithoutRun, pgx.StrictNamedArgs{"limit": maxListed})
	_, err := pgx.ForEachRow(rows, []any{&org, &what, &nominal}, func() error {
		c.add(KindSchedule, org, "the fire of %s at %s has no run.", id.Format(id.Schedule, what), nominal.UTC().Format(time.RFC3339))
		return nil
	})
	if err != nil {
		return fmt.Errorf("look for fires without a run: %w", err)
	}
	rows, _ = tx.Query(ctx, sqlRunsWithoutFire, pgx.StrictNamedArgs{"limit": maxListed, "now": c.now})
	_, err = pgx.ForEachRow(rows, []any{&org, &what}, func() error {
		c.add(KindSchedule, org, "%s was started by a schedule, but no fire names it.", id.Format(id.Run, what))
		return nil
	})
	if err != nil {
		return fmt.Errorf("look for scheduled runs without a fire: %w", err)
	}
	var fired, counted int64
	rows, _ = tx.Query(ctx, sqlWrongFired, pgx.StrictNamedArgs{"limit": maxListed})
	_, err = pgx.ForEachRow(rows, []any{&org, &what, &fired, &counted}, func() error {
		c.add(KindSchedule, org, "%s has fired %d times by its row, but %d by its fires.", id.Format(id.Schedule, what), fired, counted)
		return nil
	})
	if err != nil {
		return fmt.Errorf("count the fires of schedules: %w", err)
	}
	return nil
}
