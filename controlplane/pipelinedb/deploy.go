package pipelinedb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/scheduledb"
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

// deploy moves the pointer of new runs, and makes the version's schedules those
// of the pipeline.
func deploy(ctx context.Context, tx pgx.Tx, by caller.Caller, pipeline id.UUID, digest plan.Digest, p *plan.Plan, now time.Time) error {
	_, err := tx.Exec(ctx, sqlDeployVersion, pgx.StrictNamedArgs{"org_id": by.OrgID, "id": pipeline, "digest": digest[:], "now": now})
	if err != nil {
		return fmt.Errorf("deploy a version: %w", err)
	}
	return scheduledb.Sync(ctx, tx, by, pipeline, p, now)
}

const sqlReadPlan = `
	SELECT v.plan
	FROM version v
	WHERE v.org_id = @org_id
		AND v.pipeline_id = @pipeline_id
		AND v.digest = @digest`

func readPlan(ctx context.Context, tx pgx.Tx, by caller.Caller, pipeline id.UUID, digest plan.Digest) (*plan.Plan, error) {
	var text []byte
	args := pgx.StrictNamedArgs{"org_id": by.OrgID, "pipeline_id": pipeline, "digest": digest[:]}
	if err := tx.QueryRow(ctx, sqlReadPlan, args).Scan(&text); err != nil {
		return nil, fmt.Errorf("read a plan: %w", err)
	}
	p, err := plan.Decode(text)
	if err != nil {
		return nil, fmt.Errorf("decode the plan of version %s: %w", digest, err)
	}
	return p, nil
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
			p, err := readPlan(ctx, tx, by, locked, found.Digest)
			if err != nil {
				return err
			}
			if err := deploy(ctx, tx, by, locked, found.Digest, p, s.now()); err != nil {
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
