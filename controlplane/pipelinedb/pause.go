package pipelinedb

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/audit"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

const sqlPausePipeline = `
	UPDATE pipeline
	SET paused = @paused, updated_at = @now
	WHERE org_id = @org_id
		AND id = @id`

// Whoever ticks finds it if the caller dies.
const sqlWakePipeline = `
	INSERT INTO wake (org_id, id, at, kind, pipeline_id)
	VALUES (@org_id, @wake_id, @now, 'resume', @id)`

// Pause keeps new runs of a pipeline from beginning, or lets them go on; wake
// names what has those begin that waited, Nil if nothing changed. Errors:
// NotFound.
func (s *Store) Pause(ctx context.Context, by caller.Caller, name string, paused bool) (out Pipeline, wake id.UUID, err error) {
	err = pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		locked, err := lockPipeline(ctx, tx, by, name)
		if err != nil {
			return err
		}
		if out, err = getPipeline(ctx, tx, by, name); err != nil || out.Paused == paused {
			return err
		}
		args := pgx.StrictNamedArgs{"org_id": by.OrgID, "id": locked, "paused": paused, "now": s.now()}
		if _, err := tx.Exec(ctx, sqlPausePipeline, args); err != nil {
			return fmt.Errorf("pause a pipeline: %w", err)
		}
		action := "pipeline.pause"
		if !paused {
			action, wake = "pipeline.resume", id.New()
			args := pgx.StrictNamedArgs{"org_id": by.OrgID, "id": locked, "wake_id": wake, "now": s.now()}
			if _, err := tx.Exec(ctx, sqlWakePipeline, args); err != nil {
				return fmt.Errorf("wake a pipeline: %w", err)
			}
		}
		if out, err = getPipeline(ctx, tx, by, name); err != nil {
			return err
		}
		return s.record(ctx, tx, by, action, id.Format(id.Pipeline, out.ID), map[string]string{"pipeline": name}, audit.Event{})
	})
	return out, wake, err
}
