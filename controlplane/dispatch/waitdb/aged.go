package waitdb

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/explain"
	"github.com/signalboxhq/signalbox/proto/id"
)

// maxQueues bounds how many of a pool's queues are looked at: each has one head.
const maxQueues = 200

// The head of each queue of a pool, down to a priority, that has waited as long
// as room is kept free after. Each step finds the next queue in the index,
// however long they are.
const sqlReadAged = `
	WITH RECURSIVE q AS (
		(SELECT -r.priority AS rank, r.lane, r.class_id, 1 AS n
			FROM ready r
			WHERE r.org_id = @org_id AND r.pool_id = @pool_id AND -r.priority <= -@priority::int
			ORDER BY -r.priority, r.lane, r.class_id
			LIMIT 1)
		UNION ALL
		SELECT h.rank, h.lane, h.class_id, q.n + 1
		FROM q
		CROSS JOIN LATERAL (
			SELECT -r.priority AS rank, r.lane, r.class_id
			FROM ready r
			WHERE r.org_id = @org_id AND r.pool_id = @pool_id AND -r.priority <= -@priority::int
				AND (-r.priority, r.lane, r.class_id) > (q.rank, q.lane, q.class_id)
			ORDER BY -r.priority, r.lane, r.class_id
			LIMIT 1
		) h
		WHERE q.n < @most
	)
	SELECT h.run_id, h.path, h.since, c.spec, p.name AS pipeline, u.number
	FROM q
	CROSS JOIN LATERAL (
		SELECT r.run_id, r.path, r.since
		FROM ready r
		WHERE r.org_id = @org_id AND r.pool_id = @pool_id AND -r.priority = q.rank AND r.lane = q.lane AND r.class_id = q.class_id
		ORDER BY r.since, r.run_id, r.task
		LIMIT 1
	) h
	JOIN requirement_class c ON c.org_id = @org_id AND c.id = q.class_id
	JOIN run u ON u.org_id = @org_id AND u.id = h.run_id
	JOIN pipeline p ON p.org_id = @org_id AND p.id = u.pipeline_id
	WHERE h.since <= @aged
	ORDER BY q.rank, h.since, h.run_id, h.path`

type agedRow struct {
	RunID    id.UUID
	Path     string
	Since    time.Time
	Spec     []byte
	Pipeline string
	Number   int64
}

// queueKey is what tasks that wait for the same see ahead of them.
type queueKey struct {
	pool     id.UUID
	priority int32
}

// aged lists those for whom room may be kept free before a task gets any.
func (r *waitRow) aged(ctx context.Context, q Querier, now time.Time, org id.UUID, known map[queueKey][]explain.Aged) ([]explain.Aged, error) {
	key := queueKey{r.PoolID, r.Priority}
	if list, read := known[key]; read || r.ReserveAfterMS == 0 {
		return list, nil
	}
	rows, err := q.Query(ctx, sqlReadAged, pgx.StrictNamedArgs{
		"org_id": org, "pool_id": r.PoolID, "priority": r.Priority, "most": maxQueues,
		"aged": now.Add(-time.Duration(r.ReserveAfterMS) * time.Millisecond),
	})
	if err != nil {
		return nil, fmt.Errorf("read who has waited long: %w", err)
	}
	heads, err := pgx.CollectRows(rows, pgx.RowToStructByName[agedRow])
	if err != nil {
		return nil, fmt.Errorf("read who has waited long: %w", err)
	}
	var out []explain.Aged
	for i := range heads {
		h := &heads[i]
		var s spec
		if err := json.Unmarshal(h.Spec, &s); err != nil {
			return nil, fmt.Errorf("read a requirement: %w", err)
		}
		out = append(out, explain.Aged{
			Run: h.RunID, Task: h.Path, Name: fmt.Sprintf("%s of %s#%d", h.Path, h.Pipeline, h.Number), Since: h.Since, Need: s.need(),
		})
	}
	known[key] = out
	return out, nil
}
