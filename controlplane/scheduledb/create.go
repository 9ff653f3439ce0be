package scheduledb

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/actor"
	"github.com/signalboxhq/signalbox/controlplane/schedule"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Create is a schedule that somebody makes.
type Create struct {
	Name     string
	Pipeline string
	Spec     plan.Schedule
}

var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// maxSchedules is how many a workspace may have, and how many a list shows.
const maxSchedules = 1000

const sqlCountSchedules = `
	SELECT count(*)
	FROM schedule s
	WHERE s.org_id = @org_id
		AND s.workspace_id = @workspace_id
		AND s.deleted_at IS NULL`

const sqlFindPipeline = `
	SELECT p.id
	FROM pipeline p
	WHERE p.org_id = @org_id
		AND p.workspace_id = @workspace_id
		AND p.name = @name`

const sqlInsertSchedule = `
	INSERT INTO schedule (org_id, id, workspace_id, pipeline_id, name, source, spec, cursor, next_at, created_by, created_at, updated_at)
	VALUES (@org_id, @id, @workspace_id, @pipeline_id, @name, @source, @spec, @cursor, @now, @created_by, @now, @now)
	ON CONFLICT (org_id, workspace_id, name) WHERE deleted_at IS NULL DO NOTHING`

// Create makes a schedule. Errors: NotFound for the pipeline, ALREADY_EXISTS,
// INVALID_ARGUMENT, QUOTA_EXCEEDED.
func (s *Store) Create(ctx context.Context, by caller.Caller, in Create) (Schedule, error) {
	var out Schedule
	if !namePattern.MatchString(in.Name) {
		return out, errName(in.Name)
	}
	compiled, faults := schedule.Compile(in.Spec)
	if len(faults) > 0 {
		return out, ErrSpec(faults)
	}
	err := pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		var pipeline id.UUID
		args := pgx.StrictNamedArgs{"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "name": in.Pipeline}
		err := tx.QueryRow(ctx, sqlFindPipeline, args).Scan(&pipeline)
		if pg.NoRows(err) {
			return errNoPipeline(in.Pipeline)
		}
		if err != nil {
			return fmt.Errorf("find the pipeline of a schedule: %w", err)
		}
		made, err := insert(ctx, tx, by, pipeline, in.Name, SourceAPI, in.Spec, compiled, s.now())
		if err != nil {
			return err
		}
		if !made {
			return errTaken(in.Name)
		}
		if out, err = get(ctx, tx, by, in.Name); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, by, "schedule.create", id.Format(id.Schedule, out.ID), map[string]string{"schedule": in.Name, "pipeline": in.Pipeline})
	})
	return out, err
}

// insert makes a row; false where the name is taken.
func insert(ctx context.Context, tx pgx.Tx, by caller.Caller, pipeline id.UUID, name, source string,
	spec plan.Schedule, compiled *schedule.Schedule, now time.Time,
) (bool, error) {
	text, err := Encode(spec)
	if err != nil {
		return false, err
	}
	tag, err := tx.Exec(ctx, sqlInsertSchedule, pgx.StrictNamedArgs{
		"org_id": by.OrgID, "id": id.New(), "workspace_id": by.WorkspaceID, "pipeline_id": pipeline, "name": name, "source": source,
		"spec": text, "cursor": compiled.FirstCursor(now), "created_by": actor.Text(by), "now": now,
	})
	if err != nil {
		return false, fmt.Errorf("make a schedule: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return false, nil
	}
	var count int
	if err := tx.QueryRow(ctx, sqlCountSchedules, pgx.StrictNamedArgs{"org_id": by.OrgID, "workspace_id": by.WorkspaceID}).Scan(&count); err != nil {
		return false, fmt.Errorf("count schedules: %w", err)
	}
	if count > maxSchedules {
		return false, errTooMany(maxSchedules)
	}
	return true, nil
}
