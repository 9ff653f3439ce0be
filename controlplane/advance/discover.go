package advance

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/proto/id"
)

// querier is the loop's connection, or the pool of the look of each second.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Which queues there are: each step finds the next one in the index, however
// long they are.
const sqlFindQueues = `
	WITH RECURSIVE q AS (
		SELECT k.org_id, k.pool_id, h.priority, h.lane, h.class_id, 1 AS n
		FROM unnest(@orgs::uuid[], @pools::uuid[]) AS k (org_id, pool_id)
		CROSS JOIN LATERAL (
			SELECT r.priority, r.lane, r.class_id
			FROM ready r
			WHERE r.org_id = k.org_id
				AND r.pool_id = k.pool_id
			ORDER BY -r.priority, r.lane, r.class_id
			LIMIT 1
		) h
		UNION ALL
		SELECT q.org_id, q.pool_id, h.priority, h.lane, h.class_id, q.n + 1
		FROM q
		CROSS JOIN LATERAL (
			SELECT r.priority, r.lane, r.class_id
			FROM ready r
			WHERE r.org_id = q.org_id
				AND r.pool_id = q.pool_id
				AND (-r.priority, r.lane, r.class_id) > (-q.priority, q.lane, q.class_id)
			ORDER BY -r.priority, r.lane, r.class_id
			LIMIT 1
		) h
		WHERE q.n < @most
	)
	SELECT q.org_id, q.pool_id, q.priority, q.lane, q.class_id
	FROM q`

// findQueues finds out what stands in pools, and learns the classes.
func (a *Advancer) findQueues(ctx context.Context, q querier, refs []poolRef) error {
	orgs, pools := make([]id.UUID, len(refs)), make([]id.UUID, len(refs))
	for i, ref := range refs {
		orgs[i], pools[i] = ref.org, ref.id
	}
	now := time.Now()
	rows, err := q.Query(ctx, sqlFindQueues, args{"orgs": orgs, "pools": pools, "most": maxQueues})
	if err != nil {
		return fmt.Errorf("find queues: %w", err)
	}
	found := map[poolRef][]queueKey{}
	var ref poolRef
	var k queueKey
	_, err = pgx.ForEachRow(rows, []any{&ref.org, &ref.id, &k.priority, &k.lane, &k.class}, func() error {
		found[ref] = append(found[ref], k)
		return nil
	})
	if err != nil {
		return fmt.Errorf("find queues: %w", err)
	}
	for _, ref := range refs {
		for _, k := range found[ref] {
			if _, err := a.versions.class(ctx, q, ref.org, k.class); err != nil {
				return err
			}
		}
		a.directory.replace(ref.org, ref.id, found[ref], now)
	}
	return nil
}

// requirements are the classes that stand in a pool.
func (a *Advancer) requirements(pool id.UUID) map[int64]Requirement {
	out := map[int64]Requirement{}
	for _, class := range a.directory.classes(pool) {
		if req, known := a.versions.requirement(class); known {
			out[class] = req
		}
	}
	return out
}
