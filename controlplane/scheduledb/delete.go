package scheduledb

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// The ticker looks once more, for what waits.
const sqlDeleteSchedule = `
	UPDATE schedule
	SET deleted_at = @now, next_at = @now, updated_at = @now
	WHERE org_id = @org_id
		AND id = @id`

// Delete ends a schedule; its runs go on. One of a pipeline's file is refused.
// Errors: NotFound, SCHEDULE_OF_FILE.
func (s *Store) Delete(ctx context.Context, by caller.Caller, name string) error {
	return pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		found, err := get(ctx, tx, by, name)
		if err != nil {
			return err
		}
		if found.Source == SourceFile {
			return errOfFile(name)
		}
		if _, err := tx.Exec(ctx, sqlDeleteSchedule, pgx.StrictNamedArgs{"org_id": by.OrgID, "id": found.ID, "now": s.now()}); err != nil {
			return fmt.Errorf("delete a schedule: %w", err)
		}
		return s.audit.Record(ctx, tx, by, "schedule.delete", id.Format(id.Schedule, found.ID), map[string]string{"schedule": name, "pipeline": found.Pipeline})
	})
}
