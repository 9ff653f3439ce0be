package firing

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/authz"
)

const sqlLockToStart = `
	SELECT s.workspace_id, s.spec, p.name AS pipeline, o.state AS org_state
	FROM schedule s
	JOIN pipeline p ON p.org_id = s.org_id AND p.id = s.pipeline_id
	JOIN organization o ON o.org_id = s.org_id
	WHERE s.org_id = @org_id
		AND s.id = @id
	FOR NO KEY UPDATE OF s SKIP LOCKED`

const sqlFiresToStart = `
	SELECT f.nominal
	FROM schedule_fire f
	WHERE f.org_id = @org_id
		AND f.schedule_id = @id
		AND f.ended_at IS NULL
		AND f.state = 'starting'
	ORDER BY f.nominal
	LIMIT @limit`

const sqlFireStarted = `
	UPDATE schedule_fire
	SET state = 'started', run_id = @run_id
	WHERE org_id = @org_id
		AND schedule_id = @id
		AND nominal = @nominal
		AND state = 'starting'`

const sqlFireRefused = `
	UPDATE schedule_fire
	SET state = 'refused', reason = @reason, ended_at = clock_timestamp()
	WHERE org_id = @org_id
		AND schedule_id = @id
		AND nominal = @nominal
		AND state = 'starting'`

type startRow struct {
	WorkspaceID id.UUID
	Spec        string
	Pipeline    string
	OrgState    string
}

// start is the second step. What it notes is rolled back where a start fails
// otherwise than for good; the runs it has started are found again by their keys.
func (f *Firing) start(ctx context.Context, k key) error {
	var failed error
	err := pg.InSystem(ctx, f.pool, func(tx pgx.Tx) error {
		args := pgx.StrictNamedArgs{"org_id": k.org, "id": k.schedule}
		rows, _ := tx.Query(ctx, sqlLockToStart, args)
		row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[startRow])
		if pg.NoRows(err) {
			return nil // somebody else is at it
		}
		if err != nil {
			return fmt.Errorf("lock a schedule to start its runs: %w", err)
		}
		rows, _ = tx.Query(ctx, sqlFiresToStart, pgx.StrictNamedArgs{"org_id": k.org, "id": k.schedule, "limit": maxStarts})
		nominals, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
		if err != nil {
			return fmt.Errorf("read the fires to start: %w", err)
		}
		for _, nominal := range nominals {
			// What was started before it is kept.
			if failed = f.startOne(ctx, tx, k, row, nominal); failed != nil {
				return nil
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return failed
}

func (f *Firing) startOne(ctx context.Context, tx pgx.Tx, k key, row startRow, nominal time.Time) error {
	args := pgx.StrictNamedArgs{"org_id": k.org, "id": k.schedule, "nominal": nominal}
	sql := sqlFireStarted
	run, err := f.run(ctx, k, row, nominal)
	if reason, ok := refusal(err); ok {
		sql, args["reason"] = sqlFireRefused, reason
	} else if err != nil {
		return fmt.Errorf("start a scheduled run: %w", err)
	} else {
		args["run_id"] = run
	}
	if _, err := tx.Exec(ctx, sql, args); err != nil {
		return fmt.Errorf("note what became of a fire: %w", err)
	}
	return nil
}

func (f *Firing) run(ctx context.Context, k key, row startRow, nominal time.Time) (id.UUID, error) {
	var spec plan.Schedule
	if err := json.Unmarshal([]byte(row.Spec), &spec); err != nil {
		return id.Nil, fmt.Errorf("read a schedule: %w", err)
	}
	return f.starter.StartScheduled(ctx, rundb.Scheduled{
		Org: k.org, Workspace: row.WorkspaceID, OrgState: authz.OrgState(row.OrgState), Pipeline: row.Pipeline, Schedule: k.schedule, Nominal: nominal, Params: spec.Params,
	})
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
	case fault.KindUnauthenticated, fault.KindAlreadyExists, fault.KindConflict, fault.KindUnavailable, fault.KindInternal:
	}
	return "", false
}
