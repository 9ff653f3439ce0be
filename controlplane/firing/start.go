package firing

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/authz"
)

const sqlReadToStart = `
	SELECT s.workspace_id, s.spec, s.pipeline_id, p.name AS pipeline, o.state AS org_state
	FROM schedule s
	JOIN pipeline p ON p.org_id = s.org_id AND p.id = s.pipeline_id
	JOIN organization o ON o.org_id = s.org_id
	WHERE s.org_id = @org_id
		AND s.id = @id`

const sqlFiresToStart = `
	SELECT f.nominal, f.interval_start
	FROM schedule_fire f
	WHERE f.org_id = @org_id
		AND f.schedule_id = @id
		AND f.ended_at IS NULL
		AND f.state = 'starting'
	ORDER BY f.nominal
	LIMIT @limit`

// A run that was started counts, whatever another ticker made of its own try.
const sqlFireStarted = `
	UPDATE schedule_fire
	SET state = 'started', run_id = @run_id, reason = '', ended_at = NULL
	WHERE org_id = @org_id
		AND schedule_id = @id
		AND nominal = @nominal
		AND state IN ('starting', 'refused')`

// Unless another ticker has started it meanwhile: its key says so.
const sqlFireRefused = `
	UPDATE schedule_fire
	SET state = 'refused', reason = @reason, ended_at = clock_timestamp()
	WHERE org_id = @org_id
		AND schedule_id = @id
		AND nominal = @nominal
		AND state = 'starting'
		AND NOT EXISTS (
			SELECT
			FROM start_key k
			WHERE k.org_id = @org_id
				AND k.pipeline_id = @pipeline_id
				AND k.key = @key)`

type startRow struct {
	WorkspaceID id.UUID
	Spec        string
	PipelineID  id.UUID
	Pipeline    string
	OrgState    string
}

// dueFire is a fire to start.
type dueFire struct{ Nominal, IntervalStart time.Time }

// start is the second step. It holds no connection while a run is started: that
// needs one itself.
func (f *Firing) start(ctx context.Context, k key) error {
	rows, _ := f.pool.Query(ctx, sqlReadToStart, pgx.StrictNamedArgs{"org_id": k.org, "id": k.schedule})
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[startRow])
	if err != nil {
		return fmt.Errorf("read a schedule to start its runs: %w", err)
	}
	rows, _ = f.pool.Query(ctx, sqlFiresToStart, pgx.StrictNamedArgs{"org_id": k.org, "id": k.schedule, "limit": maxStarts})
	fires, err := pgx.CollectRows(rows, pgx.RowToStructByPos[dueFire])
	if err != nil {
		return fmt.Errorf("read the fires to start: %w", err)
	}
	var spec plan.Schedule
	if err := json.Unmarshal([]byte(row.Spec), &spec); err != nil {
		return fmt.Errorf("read a schedule: %w", err)
	}
	for _, fire := range fires {
		err := f.startOne(ctx, row.PipelineID, rundb.Scheduled{
			Org: k.org, OrgState: authz.OrgState(row.OrgState), Workspace: row.WorkspaceID,
			Pipeline: row.Pipeline, Schedule: k.schedule, Nominal: fire.Nominal, IntervalStart: fire.IntervalStart, Params: spec.Params,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *Firing) startOne(ctx context.Context, pipeline id.UUID, s rundb.Scheduled) error {
	args := pgx.StrictNamedArgs{"org_id": s.Org, "id": s.Schedule, "nominal": s.Nominal}
	sql := sqlFireStarted
	run, err := f.starter.StartScheduled(ctx, s)
	if reason, ok := refusal(err); ok {
		sql, args["reason"], args["pipeline_id"], args["key"] = sqlFireRefused, reason, pipeline, s.Key()
	} else if err != nil {
		return fmt.Errorf("start a scheduled run: %w", err)
	} else {
		args["run_id"] = run
	}
	if _, err := f.pool.Exec(ctx, sql, args); err != nil {
		return fmt.Errorf("note what became of a fire: %w", err)
	}
	return nil
}

// refusal is why a start will never succeed. What may pass, or is a mistake of
// ours, is no refusal: the start is tried again.
func refusal(err error) (string, bool) {
	f, ok := fault.As(err)
	if !ok {
		return "", false
	}
	switch f.Kind {
	case fault.KindInvalid, fault.KindNotFound, fault.KindFailedPrecondition, fault.KindPermissionDenied, fault.KindResourceExhausted:
		return string(f.Reason) + ": " + f.Text, true
	case fault.KindUnauthenticated, fault.KindAlreadyExists, fault.KindConflict, fault.KindUnavailable, fault.KindInternal, fault.KindNone:
	}
	return "", false
}
