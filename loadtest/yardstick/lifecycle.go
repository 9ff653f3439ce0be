package yardstick

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const sqlEnqueue = `
	INSERT INTO task (tenant, spec)
	SELECT t, $2 FROM unnest($1::bigint[]) AS t`

// The oldest first, as every queue must; those that others hold are passed by.
const sqlClaim = `
	UPDATE task SET claimed_by = $1
	WHERE id = ANY (ARRAY(
	  SELECT id FROM task
	  WHERE claimed_by IS NULL
	  ORDER BY id
	  LIMIT $2
	  FOR UPDATE SKIP LOCKED))
	RETURNING id`

const sqlComplete = `
	WITH gone AS (
	  DELETE FROM task
	  WHERE id = ANY ($1::bigint[]) AND claimed_by = $2
	  RETURNING id, tenant
	), told AS (
	  INSERT INTO event (task, result)
	  SELECT id, $3 FROM gone
	)
	INSERT INTO usage (task, tenant, ms)
	SELECT id, tenant, 1 FROM gone`

// lifecycle has a few workers each enqueue, claim and complete batches: three
// commits a batch, five row versions a task.
func lifecycle(ctx context.Context, pool *pgxpool.Pool, each time.Duration, batch int) (float64, error) {
	spec, result := bytes.Repeat([]byte("s"), 200), bytes.Repeat([]byte("r"), 60)
	tenants := make([]int64, batch)
	for i := range tenants {
		tenants[i] = int64(i % 2)
	}
	return together(ctx, pool, lifecycleWorkers, each, func(ctx context.Context, conn *pgx.Conn, worker int) (int, error) {
		if _, err := conn.Exec(ctx, sqlEnqueue, tenants, spec); err != nil {
			return 0, fmt.Errorf("enqueue tasks: %w", err)
		}
		rows, err := conn.Query(ctx, sqlClaim, worker, batch)
		if err != nil {
			return 0, fmt.Errorf("claim tasks: %w", err)
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return 0, fmt.Errorf("claim tasks: %w", err)
		}
		tag, err := conn.Exec(ctx, sqlComplete, ids, worker, result)
		if err != nil {
			return 0, fmt.Errorf("complete tasks: %w", err)
		}
		return int(tag.RowsAffected()), nil
	})
}
