package scheduledb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/schedule"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

const sqlFileSchedules = `
	SELECT s.id, s.name, s.spec
	FROM schedule s
	WHERE s.org_id = @org_id
		AND s.pipeline_id = @pipeline_id
		AND s.source = 'file'
		AND s.deleted_at IS NULL
	ORDER BY s.id
	FOR NO KEY UPDATE`

// A changed schedule begins anew: what the old one had not served yet was never
// a time of the new one.
const sqlChangeSchedule = `
	UPDATE schedule
	SET spec = @spec, cursor = greatest(cursor, @now), next_at = @now, updated_at = @now
	WHERE org_id = @org_id
		AND id = @id`

type fileRow struct {
	ID   id.UUID
	Name string
	Spec string
}

// Sync makes a pipeline's schedules those of the version that is being deployed,
// in the transaction that deploys it. One that stays as it was goes on as it
// was, paused or not. Its caller holds the pipeline's lock.
func Sync(ctx context.Context, tx pgx.Tx, by caller.Caller, pipeline id.UUID, p *plan.Plan, now time.Time) error {
	rows, _ := tx.Query(ctx, sqlFileSchedules, pgx.StrictNamedArgs{"org_id": by.OrgID, "pipeline_id": pipeline})
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[fileRow])
	if err != nil {
		return fmt.Errorf("read the schedules of a file: %w", err)
	}
	before := make(map[string]fileRow, len(found))
	for _, row := range found {
		before[row.Name] = row
	}
	for _, spec := range p.Schedules {
		name := p.Name + "." + spec.Name
		row, ok := before[name]
		delete(before, name)
		if err := place(ctx, tx, by, pipeline, name, row, ok, spec, now); err != nil {
			return err
		}
	}
	for _, row := range before {
		if _, err := tx.Exec(ctx, sqlDeleteSchedule, pgx.StrictNamedArgs{"org_id": by.OrgID, "id": row.ID, "now": now}); err != nil {
			return fmt.Errorf("remove a schedule that left its file: %w", err)
		}
	}
	return nil
}

// place makes one schedule of a file what the file says.
func place(ctx context.Context, tx pgx.Tx, by caller.Caller, pipeline id.UUID, name string, row fileRow, exists bool, spec plan.Schedule, now time.Time) error {
	text, err := Encode(spec)
	if err != nil || exists && row.Spec == text {
		return err
	}
	compiled, faults := schedule.Compile(spec)
	if len(faults) > 0 {
		return ErrSpec(faults) // of a version that an older program accepted
	}
	if exists {
		_, err := tx.Exec(ctx, sqlChangeSchedule, pgx.StrictNamedArgs{"org_id": by.OrgID, "id": row.ID, "spec": text, "now": now})
		if err != nil {
			return fmt.Errorf("change a schedule of a file: %w", err)
		}
		return nil
	}
	made, err := insert(ctx, tx, by, pipeline, name, SourceFile, spec, compiled, now)
	if err == nil && !made {
		return errors.New("make a schedule of a file: its name is taken")
	}
	return err
}
