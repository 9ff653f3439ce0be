package signalbox

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/loadtest/driver"
)

const sqlVerdict = `
	SELECT count(*), count(*) FILTER (WHERE finished_at IS NULL),
	  count(*) FILTER (WHERE finished_at IS NOT NULL AND state <> 'succeeded'),
	  (SELECT count(*) FROM (
	    SELECT FROM sb.journal
	    WHERE kind = 'attempt_ended' AND outcome = 'succeeded'
	    GROUP BY org_id, run_id, path, task, generation
	    HAVING count(*) > 1) AS twice),
	  (SELECT count(*) FROM sb.journal WHERE kind = 'attempt_ended' AND outcome = 'succeeded'),
	  (SELECT coalesce(sum(quantity), 0)::bigint FROM sb.usage WHERE meter = 'task_attempts')
	FROM sb.run`

// Judge asks the rows, and once nothing is open the server's own doctor.
func (d *Driver) Judge(ctx context.Context) (driver.Verdict, error) {
	var v driver.Verdict
	conn, err := pgx.Connect(ctx, d.database)
	if err != nil {
		return v, fmt.Errorf("connect to check the books: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	err = conn.QueryRow(ctx, sqlVerdict).Scan(&v.Runs, &v.Open, &v.Failed, &v.Doubled, &v.Attempts, &v.Billed)
	if err != nil {
		return v, fmt.Errorf("check the books: %w", err)
	}
	if v.Open == 0 {
		v.Complaints, err = d.server.Doctor(ctx)
	}
	return v, err
}
