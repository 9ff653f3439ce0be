package tenancydb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/tenancy/throttle"
)

const sqlSweep = `
	WITH sessions AS (
	  DELETE FROM login_session
	   WHERE expires_at < @now OR seen_at < @idle_since
	  RETURNING 1
	), tokens AS (
	  DELETE FROM email_token
	   WHERE expires_at < @now
	  RETURNING 1
	), personal AS (
	  DELETE FROM personal_token
	   WHERE expires_at < @now
	  RETURNING 1
	), tries AS (
	  DELETE FROM throttle
	   WHERE tried_at < @known_since
	  RETURNING 1
	)
	SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM tokens) + (SELECT count(*) FROM personal)
	     + (SELECT count(*) FROM tries)`

// Sweep removes what has expired and says how many rows that were. tx is of
// sb_engine. Nothing depends on it but the size of the tables.
func Sweep(ctx context.Context, tx pgx.Tx, now time.Time) (int64, error) {
	var swept int64
	err := tx.QueryRow(ctx, sqlSweep, pgx.StrictNamedArgs{
		"now": now, "idle_since": now.Add(-SessionIdle), "known_since": now.Add(-throttle.KnownFor),
	}).Scan(&swept)
	if err != nil {
		return 0, fmt.Errorf("sweep expired sessions and links: %w", err)
	}
	return swept, nil
}
