package pipelinedb

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/actor"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/audit"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Apply is a compiled source that is to become a version.
type Apply struct {
	Plan *plan.Plan
	// Bytes are the plan's encoding and Digest their hash.
	Bytes    []byte
	Digest   plan.Digest
	Source   []byte
	Filename string
	// NoDeploy leaves the pointer to the deployed version where it is.
	NoDeploy bool
}

// Applied is the answer to Apply.
type Applied struct {
	Pipeline Pipeline
	Version  Version
	// Created is false where the very same version was there already.
	Created bool
}

// Found again by its name if another Apply made it at the same time.
const sqlMakePipeline = `
	INSERT INTO pipeline (org_id, id, workspace_id, name, created_at, updated_at)
	VALUES (@org_id, @id, @workspace_id, @name, @now, @now)
	ON CONFLICT (org_id, workspace_id, name) DO NOTHING`

// maxPipelines is how many a workspace may have, and how many a list shows.
const maxPipelines = 1000

const sqlCountPipelines = `
	SELECT count(*)
	FROM pipeline p
	WHERE p.org_id = @org_id
		AND p.workspace_id = @workspace_id`

const sqlLockPipeline = `
	SELECT p.id
	FROM pipeline p
	WHERE p.org_id = @org_id
		AND p.workspace_id = @workspace_id
		AND p.name = @name
	FOR NO KEY UPDATE`

const sqlInsertVersion = `
	INSERT INTO version (org_id, pipeline_id, digest, plan, source, filename, created_by, created_at)
	VALUES (@org_id, @pipeline_id, @digest, @plan, @source, @filename, @created_by, @now)
	ON CONFLICT (org_id, pipeline_id, digest) DO NOTHING`

// Apply stores a version and, unless told not to, deploys it. The same version
// again changes nothing but, perhaps, the deployed one. Errors: PIPELINE_INVALID
// (FailedPrecondition) where a task names a pool that does not exist;
// QUOTA_EXCEEDED.
func (s *Store) Apply(ctx context.Context, by caller.Caller, in Apply) (Applied, error) {
	var out Applied
	now := s.now()
	err := pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		if err := requirePools(ctx, tx, by, in.Plan); err != nil {
			return err
		}
		pipeline, err := makePipeline(ctx, tx, by, in.Plan.Name, now)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, sqlInsertVersion, pgx.StrictNamedArgs{
			"org_id": by.OrgID, "pipeline_id": pipeline, "digest": in.Digest[:], "plan": in.Bytes,
			"source": in.Source, "filename": in.Filename, "created_by": actor.Text(by), "now": now,
		})
		if err != nil {
			return fmt.Errorf("store a version: %w", err)
		}
		out.Created = tag.RowsAffected() == 1
		before, err := getPipeline(ctx, tx, by, in.Plan.Name)
		if err != nil {
			return err
		}
		moved := !in.NoDeploy && !before.runs(in.Digest[:])
		if moved {
			if err := deploy(ctx, tx, by, pipeline, in.Digest, in.Plan, now); err != nil {
				return err
			}
		}
		if out.Pipeline, out.Version, err = readApplied(ctx, tx, by, in); err != nil {
			return err
		}
		return s.recordApply(ctx, tx, by, before, in.Digest, out.Created, moved)
	})
	return out, err
}

// makePipeline locks the pipeline of a name, which it makes where there is none.
func makePipeline(ctx context.Context, tx pgx.Tx, by caller.Caller, name string, now time.Time) (id.UUID, error) {
	tag, err := tx.Exec(ctx, sqlMakePipeline, pgx.StrictNamedArgs{
		"org_id": by.OrgID, "id": id.New(), "workspace_id": by.WorkspaceID, "name": name, "now": now,
	})
	if err != nil {
		return id.Nil, fmt.Errorf("make a pipeline: %w", err)
	}
	if tag.RowsAffected() == 1 {
		var count int
		err := tx.QueryRow(ctx, sqlCountPipelines, pgx.StrictNamedArgs{"org_id": by.OrgID, "workspace_id": by.WorkspaceID}).Scan(&count)
		if err != nil {
			return id.Nil, fmt.Errorf("count pipelines: %w", err)
		}
		if count > maxPipelines {
			return id.Nil, errTooManyPipelines(maxPipelines)
		}
	}
	return lockPipeline(ctx, tx, by, name)
}

// lockPipeline locks a pipeline's row and returns its id: two who move the
// pointer at once would both report it moved from the same version. Errors:
// NotFound.
func lockPipeline(ctx context.Context, tx pgx.Tx, by caller.Caller, name string) (id.UUID, error) {
	var pipeline id.UUID
	args := pgx.StrictNamedArgs{"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "name": name}
	err := tx.QueryRow(ctx, sqlLockPipeline, args).Scan(&pipeline)
	if pg.NoRows(err) {
		return id.Nil, errNoPipeline(name)
	}
	if err != nil {
		return id.Nil, fmt.Errorf("lock a pipeline: %w", err)
	}
	return pipeline, nil
}

func readApplied(ctx context.Context, tx pgx.Tx, by caller.Caller, in Apply) (Pipeline, Version, error) {
	p, err := getPipeline(ctx, tx, by, in.Plan.Name)
	if err != nil {
		return Pipeline{}, Version{}, err
	}
	rows, _ := tx.Query(ctx, sqlGetVersion, pgx.StrictNamedArgs{"org_id": by.OrgID, "pipeline_id": p.ID, "digest": in.Digest[:]})
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Stored])
	if err != nil {
		return p, Version{}, fmt.Errorf("read the stored version: %w", err)
	}
	one := []Version{v.Version}
	err = named(ctx, tx, by.OrgID, one)
	return p, one[0], err
}

// recordApply writes what happened, and nothing where nothing did.
func (s *Store) recordApply(ctx context.Context, tx pgx.Tx, by caller.Caller, before Pipeline, digest plan.Digest, created, moved bool) error {
	detail := map[string]string{"pipeline": before.Name, "version": digest.String()}
	resource := id.Format(id.Pipeline, before.ID)
	if created {
		if err := s.record(ctx, tx, by, "pipeline.apply", resource, detail, audit.Event{After: digest[:]}); err != nil {
			return err
		}
	}
	if !moved {
		return nil
	}
	if before.Deployed != nil {
		detail["previous"] = hex.EncodeToString(before.Deployed)
	}
	return s.record(ctx, tx, by, "pipeline.deploy", resource, detail, audit.Event{Before: before.Deployed, After: digest[:]})
}
