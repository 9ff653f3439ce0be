package pipelinedb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

const sqlDeployVersion = `
	UPDATE pipeline
	SET deployed = @digest, updated_at = @now
	WHERE org_id = @org_id
		AND id = @id`

func pointAt(ctx context.Context, tx pgx.Tx, by caller.Caller, pipeline id.UUID, digest plan.Digest, now time.Time) error {
	_, err := tx.Exec(ctx, sqlDeployVersion, pgx.StrictNamedArgs{"org_id": by.OrgID, "id": pipeline, "digest": digest[:], "now": now})
	if err != nil {
		return fmt.Errorf("deploy a version: %w", err)
	}
	return nil
}

// DeployVersion moves the pointer that new runs follow; rolling back is this
// too. Deploying what is deployed changes nothing. Errors: NotFound,
// INVALID_ARGUMENT.
func (s *Store) DeployVersion(ctx context.Context, by caller.Caller, pipeline, version string) (Pipeline, error) {
	if version == "" {
		return Pipeline{}, errDigest(version)
	}
	var out Pipeline
	err := pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		locked, err := lockPipeline(ctx, tx, by, pipeline)
		if err != nil {
			return err
		}
		found, err := Find(ctx, tx, by, pipeline, version)
		if err != nil {
			return err
		}
		moved := !found.Pipeline.runs(found.Digest[:])
		if moved {
			if err := pointAt(ctx, tx, by, locked, found.Digest, s.now()); err != nil {
				return err
			}
		}
		if out, err = getPipeline(ctx, tx, by, pipeline); err != nil {
			return err
		}
		return s.recordApply(ctx, tx, by, found.Pipeline, found.Digest, false, moved)
	})
	return out, err
}
