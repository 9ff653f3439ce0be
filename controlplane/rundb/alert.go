package rundb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Alert is the newest run of a pipeline that ended with an exit handler failed, if
// no later one made it good.
type Alert struct {
	RunID       id.UUID
	Pipeline    string
	Number      int64
	Outcome     string
	ExitsFailed int32
	FinishedAt  time.Time
}

// Of each pipeline two entries of an index are read, however long its history is.
// A run whose handlers all went well makes good what is behind it; one that was
// canceled or dropped may have had none.
const sqlListAlerts = `
	SELECT r.id AS run_id, p.name AS pipeline, r.number, r.outcome, r.exits_failed, r.finished_at
	FROM pipeline p
	CROSS JOIN LATERAL (
		SELECT r.id, r.number, r.outcome, r.exits_failed, r.finished_at
		FROM run r
		WHERE r.org_id = p.org_id
			AND r.pipeline_id = p.id
			AND r.exits_failed > 0
			AND r.finished_at IS NOT NULL
		ORDER BY r.id DESC
		LIMIT 1
	) r
	WHERE p.org_id = @org_id
		AND p.workspace_id = @workspace_id
		AND r.id < @before
		AND (
			SELECT later.id
			FROM run later
			WHERE later.org_id = @org_id
				AND later.pipeline_id = p.id
				AND later.id > r.id
				AND later.finished_at IS NOT NULL
				AND later.outcome IN ('succeeded', 'failed')
				AND later.exits_failed = 0
			ORDER BY later.id
			LIMIT 1) IS NULL
	ORDER BY r.id DESC
	LIMIT @limit`

// ListAlerts returns a page of the workspace's open alerts, newest first, and the
// token of the next one; empty when there is none. Errors: INVALID_ARGUMENT for a
// token that is none.
func (s *Store) ListAlerts(ctx context.Context, by caller.Caller, size int, token string) ([]Alert, string, error) {
	f := Filter{PageSize: size, PageToken: token}
	_, before, err := f.bounds()
	if err != nil {
		return nil, "", err
	}
	size = f.size()
	var list []Alert
	err = pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, sqlListAlerts, pgx.StrictNamedArgs{
			"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "before": before, "limit": size + 1,
		})
		if list, err = pgx.CollectRows(rows, pgx.RowToStructByName[Alert]); err != nil {
			return fmt.Errorf("list alerts: %w", err)
		}
		return nil
	})
	if err != nil || len(list) <= size {
		return list, "", err
	}
	return list[:size], pageToken(list[size-1].RunID), nil
}
