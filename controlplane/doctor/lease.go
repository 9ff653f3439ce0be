package doctor

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/proto/id"
)

// A session that has ended still holds its leases until each is lost; its row
// goes with the last one.
const sqlLeasesOfNobody = `
	SELECT l.org_id, l.id, l.run_id, l.path, l.session_id, s.id IS NULL AS missing
	FROM lease l
	LEFT JOIN session s ON s.org_id = l.org_id AND s.id = l.session_id
	WHERE s.id IS NULL
		OR s.agent_id <> l.agent_id
		OR s.pool_id <> l.pool_id
	ORDER BY l.org_id, l.id`

type strayLease struct {
	OrgID     id.UUID
	ID        int64
	RunID     id.UUID
	Path      string
	SessionID id.UUID
	Missing   bool
}

// leases compares leases with the sessions that hold them: without one, nothing
// would ever end them.
func (c *checker) leases(ctx context.Context, tx pgx.Tx) error {
	rows, _ := tx.Query(ctx, sqlLeasesOfNobody)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[strayLease])
	if err != nil {
		return fmt.Errorf("compare leases with sessions: %w", err)
	}
	for _, l := range found {
		what := "is of another agent or pool"
		if l.Missing {
			what = "does not exist"
		}
		c.add(KindLease, l.OrgID, "lease %d (task %q of %s) is held by %s, which %s.",
			l.ID, l.Path, id.Format(id.Run, l.RunID), id.Format(id.Session, l.SessionID), what)
	}
	return nil
}
