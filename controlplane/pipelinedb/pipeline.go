package pipelinedb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Pipeline is a name with a pointer to its deployed version.
type Pipeline struct {
	ID   id.UUID
	Name string
	// Deployed is the digest of the version that new runs follow; nil for none.
	Deployed  []byte
	Paused    bool
	CreatedAt time.Time
	UpdatedAt time.Time
	// Versions is how many there are.
	Versions int64
}

const pipelineColumns = `p.id, p.name, p.deployed, p.paused, p.created_at, p.updated_at,
		(SELECT count(*) FROM version v WHERE v.org_id = p.org_id AND v.pipeline_id = p.id) AS versions`

const sqlListPipelines = `
	SELECT ` + pipelineColumns + `
	FROM pipeline p
	WHERE p.org_id = @org_id
		AND p.workspace_id = @workspace_id
	ORDER BY p.name
	LIMIT 1000`

// ListPipelines returns the pipelines of the caller's workspace by name, the
// first thousand of them.
func (s *Store) ListPipelines(ctx context.Context, by caller.Caller) ([]Pipeline, error) {
	var list []Pipeline
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, sqlListPipelines, pgx.StrictNamedArgs{"org_id": by.OrgID, "workspace_id": by.WorkspaceID})
		if list, err = pgx.CollectRows(rows, pgx.RowToStructByName[Pipeline]); err != nil {
			return fmt.Errorf("list pipelines: %w", err)
		}
		return nil
	})
	return list, err
}

const sqlGetPipeline = `
	SELECT ` + pipelineColumns + `
	FROM pipeline p
	WHERE p.org_id = @org_id
		AND p.workspace_id = @workspace_id
		AND p.name = @name`

// GetPipeline returns one by name. Errors: NotFound.
func (s *Store) GetPipeline(ctx context.Context, by caller.Caller, name string) (Pipeline, error) {
	var p Pipeline
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		p, err = getPipeline(ctx, tx, by, name)
		return err
	})
	return p, err
}

func getPipeline(ctx context.Context, tx pgx.Tx, by caller.Caller, name string) (Pipeline, error) {
	rows, _ := tx.Query(ctx, sqlGetPipeline, pgx.StrictNamedArgs{"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "name": name})
	p, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Pipeline])
	if pg.NoRows(err) {
		return p, errNoPipeline(name)
	}
	if err != nil {
		return p, fmt.Errorf("get a pipeline: %w", err)
	}
	return p, nil
}
