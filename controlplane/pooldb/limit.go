package pooldb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Limit is a named semaphore of a workspace, a rate, or both.
type Limit struct {
	Name string
	// Max is how many units may be held at once; nil: any number.
	Max *int64
	// Rate units may be taken in RateMS; nil: no rate.
	Rate   *int64
	RateMS *int64 `db:"rate_ms"`
	// Held units, by so many attempts.
	Held      int64
	Holders   int64
	CreatedAt time.Time
}

const (
	maxLimits   = 1000
	maxUnits    = 1_000_000_000
	maxRateMS   = 24 * 3600 * 1000
	limitSelect = `
	SELECT l.name, l.max_units AS max, l.rate_units AS rate, l.rate_ms, h.held, h.holders, l.created_at
	FROM named_limit l
	CROSS JOIN LATERAL (
		SELECT coalesce(sum(x.units), 0)::bigint AS held, count(*) AS holders
		FROM limit_hold x
		WHERE x.org_id = l.org_id AND x.workspace_id = l.workspace_id AND x.name = l.name
	) h
	WHERE l.org_id = @org_id
		AND l.workspace_id = @workspace_id`
)

const sqlListLimits = limitSelect + `
	ORDER BY l.name
	LIMIT 1000`

const sqlGetLimit = limitSelect + `
		AND l.name = @name`

// ListLimits returns the limits of the caller's workspace by name.
func (s *Store) ListLimits(ctx context.Context, by caller.Caller) ([]Limit, error) {
	var list []Limit
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, sqlListLimits, pgx.StrictNamedArgs{"org_id": by.OrgID, "workspace_id": by.WorkspaceID})
		if list, err = pgx.CollectRows(rows, pgx.RowToStructByName[Limit]); err != nil {
			return fmt.Errorf("list limits: %w", err)
		}
		return nil
	})
	return list, err
}

const sqlCountLimits = `
	SELECT count(*)
	FROM named_limit l
	WHERE l.org_id = @org_id
		AND l.workspace_id = @workspace_id`

// A bucket begins empty but for one unit. One whose rate changes keeps what it
// has.
const sqlSetLimit = `
	INSERT INTO named_limit AS l (org_id, workspace_id, name, max_units, rate_units, rate_ms, tokens, filled_at, created_at)
	VALUES (@org_id, @workspace_id, @name, @max, @rate, @rate_ms, 1, now(), @now)
	ON CONFLICT (org_id, workspace_id, name) DO UPDATE
	SET max_units = EXCLUDED.max_units, rate_units = EXCLUDED.rate_units, rate_ms = EXCLUDED.rate_ms`

// SetLimit declares a limit or changes it; max or rate may be nil, not both.
// Errors: INVALID_ARGUMENT, QUOTA_EXCEEDED.
func (s *Store) SetLimit(ctx context.Context, by caller.Caller, in Limit) (Limit, error) {
	if err := in.check(); err != nil {
		return Limit{}, err
	}
	var out Limit
	err := pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		var count int
		if err := tx.QueryRow(ctx, sqlCountLimits, pgx.StrictNamedArgs{"org_id": by.OrgID, "workspace_id": by.WorkspaceID}).Scan(&count); err != nil {
			return fmt.Errorf("count limits: %w", err)
		}
		if count >= maxLimits {
			return fault.ResourceExhausted(ReasonQuota, "the workspace has %d limits, as many as it may", maxLimits)
		}
		_, err := tx.Exec(ctx, sqlSetLimit, pgx.StrictNamedArgs{
			"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "name": in.Name, "max": in.Max, "rate": in.Rate, "rate_ms": in.RateMS, "now": s.now(),
		})
		if err != nil {
			return fmt.Errorf("set a limit: %w", err)
		}
		if out, err = getLimit(ctx, tx, by, in.Name); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, by, "limit.set", in.Name, map[string]any{"limit": in.Name, "max": in.Max, "rate": in.Rate, "rate_ms": in.RateMS})
	})
	return out, err
}

func (l *Limit) check() error {
	switch {
	case !poolName.MatchString(l.Name):
		return invalid("name", "lower-case letters, digits, - and _, at most 63, a letter or digit first")
	case l.Max == nil && l.Rate == nil:
		return invalid("max", "given, or a rate")
	case l.Max != nil && (*l.Max < 0 || *l.Max > maxUnits):
		return invalid("max", fmt.Sprintf("0 to %d", maxUnits))
	case l.Rate != nil && (*l.Rate <= 0 || *l.Rate > maxUnits):
		return invalid("rate", fmt.Sprintf("1 to %d", maxUnits))
	case l.Rate != nil && (l.RateMS == nil || *l.RateMS <= 0 || *l.RateMS > maxRateMS):
		return invalid("rate_per_ms", "a millisecond to a day")
	}
	return nil
}

func getLimit(ctx context.Context, tx pgx.Tx, by caller.Caller, name string) (Limit, error) {
	rows, _ := tx.Query(ctx, sqlGetLimit, pgx.StrictNamedArgs{"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "name": name})
	l, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Limit])
	if pg.NoRows(err) {
		return l, fault.NotFound("limit", name)
	}
	if err != nil {
		return l, fmt.Errorf("get a limit: %w", err)
	}
	return l, nil
}

const sqlLockLimit = `
	SELECT l.name
	FROM named_limit l
	WHERE l.org_id = @org_id
		AND l.workspace_id = @workspace_id
		AND l.name = @name
	FOR UPDATE`

const sqlDeleteLimit = `
	DELETE FROM named_limit
	WHERE org_id = @org_id
		AND workspace_id = @workspace_id
		AND name = @name`

// DeleteLimit removes a limit that nothing holds. Errors: NotFound, LIMIT_HELD.
func (s *Store) DeleteLimit(ctx context.Context, by caller.Caller, name string) error {
	return pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		args := pgx.StrictNamedArgs{"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "name": name}
		var found string
		if err := tx.QueryRow(ctx, sqlLockLimit, args).Scan(&found); err != nil {
			if pg.NoRows(err) {
				return fault.NotFound("limit", name)
			}
			return fmt.Errorf("lock a limit: %w", err)
		}
		l, err := getLimit(ctx, tx, by, name)
		if err != nil {
			return err
		}
		if l.Holders > 0 {
			return fault.FailedPrecondition(ReasonLimitHeld, "limit %s is held by %d attempts", name, l.Holders)
		}
		if _, err := tx.Exec(ctx, sqlDeleteLimit, args); err != nil {
			return fmt.Errorf("delete a limit: %w", err)
		}
		return s.audit.Record(ctx, tx, by, "limit.delete", name, map[string]any{"limit": name})
	})
}
