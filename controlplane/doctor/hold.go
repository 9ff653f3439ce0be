package doctor

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/proto/id"
)

// An attempt holds its units from its lease to its end. What is held without a
// lease has leaked; a lease without its holds would let others exceed the limit.
const sqlHoldsOfNobody = `
	SELECT h.org_id, h.run_id, h.task, h.name, h.units, true AS leaked
	FROM limit_hold h
	WHERE NOT EXISTS (SELECT FROM lease l WHERE l.org_id = h.org_id AND l.run_id = h.run_id AND l.task = h.task)
	UNION ALL
	SELECT l.org_id, l.run_id, l.task, u ->> 'name', (u ->> 'units')::int, false
	FROM lease l
	JOIN requirement_class c ON c.org_id = l.org_id AND c.id = l.class_id
	CROSS JOIN LATERAL jsonb_array_elements(c.spec -> 'uses') AS u
	WHERE NOT EXISTS (
			SELECT
			FROM limit_hold h
			WHERE h.org_id = l.org_id
				AND h.run_id = l.run_id
				AND h.task = l.task
				AND h.name = u ->> 'name'
				AND h.units = (u ->> 'units')::int)
	ORDER BY 1, 2, 3, 4`

type strayHold struct {
	OrgID  id.UUID
	RunID  id.UUID
	Task   int32
	Name   string
	Units  int32
	Leaked bool
}

// holds compares what limits say is held with the leases that hold it.
func (c *checker) holds(ctx context.Context, tx pgx.Tx) error {
	rows, _ := tx.Query(ctx, sqlHoldsOfNobody)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[strayHold])
	if err != nil {
		return fmt.Errorf("compare holds with leases: %w", err)
	}
	for _, h := range found {
		if h.Leaked {
			c.add(KindLease, h.OrgID, "%d units of limit %q are held for task %d of %s, which has no lease.", h.Units, h.Name, h.Task, id.Format(id.Run, h.RunID))
		} else {
			c.add(KindLease, h.OrgID, "task %d of %s is leased without the %d units of limit %q that it needs.", h.Task, id.Format(id.Run, h.RunID), h.Units, h.Name)
		}
	}
	return nil
}
