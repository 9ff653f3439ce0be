package pooldb

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

const (
	maxSlots = 1_000_000
	maxNote  = 500
	// maxPools is beyond what lists show, and agents could serve.
	maxPools = 1000
)

// poolName is the CHECK of the table, and the compiler's rule.
var poolName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

const sqlInsertPool = `
	INSERT INTO pool (org_id, id, workspace_id, name, slots, created_at)
	VALUES (@org_id, @id, @workspace_id, @name, @slots, @now)`

const sqlCountPools = `
	SELECT count(*)
	FROM pool p
	WHERE p.org_id = @org_id
		AND p.workspace_id = @workspace_id`

// CreatePool makes a pool. Errors: INVALID_ARGUMENT, ALREADY_EXISTS,
// QUOTA_EXCEEDED.
func (s *Store) CreatePool(ctx context.Context, by caller.Caller, name string, slots uint32) (Pool, error) {
	if !poolName.MatchString(name) {
		return Pool{}, invalid("name", "lower-case letters, digits, - and _, at most 63, a letter or digit first")
	}
	if slots > maxSlots {
		return Pool{}, invalid("slots", fmt.Sprintf("at most %d", maxSlots))
	}
	var out Pool
	err := pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		var count int
		err := tx.QueryRow(ctx, sqlCountPools, pgx.StrictNamedArgs{"org_id": by.OrgID, "workspace_id": by.WorkspaceID}).Scan(&count)
		if err != nil {
			return fmt.Errorf("count pools: %w", err)
		}
		if count >= maxPools {
			return errTooManyPools(maxPools)
		}
		pool := id.New()
		_, err = tx.Exec(ctx, sqlInsertPool, pgx.StrictNamedArgs{
			"org_id": by.OrgID, "id": pool, "workspace_id": by.WorkspaceID, "name": name, "slots": slots, "now": s.now(),
		})
		if _, taken := pg.UniqueViolation(err); taken {
			return errTaken(name)
		}
		if err != nil {
			return fmt.Errorf("make a pool: %w", err)
		}
		if out, err = getPool(ctx, tx, by, name); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, by, "pool.create", id.Format(id.Pool, pool), map[string]any{"pool": name, "slots": slots})
	})
	return out, err
}

// Update is what is to change about a pool; nil leaves it.
type Update struct {
	Slots     *uint32
	Paused    *bool
	PauseNote *string
	// Fairness says what the lanes are: FairWorkspace, or "label:NAME".
	Fairness *string
	// Weights replaces all, by the label's value, unless nil.
	Weights      map[string]float64
	ReserveAfter *time.Duration
}

const sqlLockPool = `
	SELECT p.id
	FROM pool p
	WHERE p.org_id = @org_id
		AND p.workspace_id = @workspace_id
		AND p.name = @name
	FOR NO KEY UPDATE`

// A pool that is resumed needs no note any more.
const sqlUpdatePool = `
	UPDATE pool
	SET slots = coalesce(@slots, slots),
		paused = coalesce(@paused, paused),
		pause_note = CASE WHEN coalesce(@paused, paused) THEN coalesce(@pause_note, pause_note) ELSE '' END,
		fairness = coalesce(@fairness, fairness),
		laned = laned OR coalesce(@fairness, fairness) <> 'workspace',
		weights = coalesce(@weights, weights),
		reserve_after_ms = coalesce(@reserve_after_ms, reserve_after_ms)
	WHERE org_id = @org_id
		AND id = @id`

// UpdatePool sets what is given. What leases there are goes on: a pause or a
// lower limit only holds back new ones. Errors: NotFound, INVALID_ARGUMENT.
func (s *Store) UpdatePool(ctx context.Context, by caller.Caller, name string, in Update) (Pool, error) {
	if in.Slots != nil && *in.Slots > maxSlots {
		return Pool{}, invalid("slots", fmt.Sprintf("at most %d", maxSlots))
	}
	if in.PauseNote != nil && (utf8.RuneCountInString(*in.PauseNote) > maxNote || !utf8.ValidString(*in.PauseNote) ||
		strings.ContainsFunc(*in.PauseNote, unicode.IsControl)) {
		return Pool{}, invalid("pause_note", fmt.Sprintf("one line of at most %d characters", maxNote))
	}
	if err := in.checkShare(); err != nil {
		return Pool{}, err
	}
	var out Pool
	err := pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		pool, err := lockPool(ctx, tx, by, name)
		if err != nil {
			return err
		}
		before, err := getPool(ctx, tx, by, name)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, sqlUpdatePool, pgx.StrictNamedArgs{
			"org_id": by.OrgID, "id": pool, "slots": in.Slots, "paused": in.Paused, "pause_note": in.PauseNote,
			"fairness": in.Fairness, "weights": in.weights(), "reserve_after_ms": in.reserveMS(),
		})
		if err != nil {
			return fmt.Errorf("update a pool: %w", err)
		}
		if out, err = getPool(ctx, tx, by, name); err != nil {
			return err
		}
		changes := difference(before, out)
		if len(changes) == 0 {
			return nil
		}
		changes["pool"] = name
		return s.audit.Record(ctx, tx, by, "pool.update", id.Format(id.Pool, pool), changes)
	})
	return out, err
}

func lockPool(ctx context.Context, tx pgx.Tx, by caller.Caller, name string) (id.UUID, error) {
	var pool id.UUID
	err := tx.QueryRow(ctx, sqlLockPool, pgx.StrictNamedArgs{"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "name": name}).Scan(&pool)
	if pg.NoRows(err) {
		return id.Nil, errNoPool(name)
	}
	if err != nil {
		return id.Nil, fmt.Errorf("lock a pool: %w", err)
	}
	return pool, nil
}

// difference says what changed. The note is a person's words and stays out of
// the audit log, which nobody can correct.
func difference(before, after Pool) map[string]any {
	changes := map[string]any{}
	if before.Slots != after.Slots {
		changes["slots"] = after.Slots
	}
	if before.Paused != after.Paused {
		changes["paused"] = after.Paused
	}
	if before.PauseNote != after.PauseNote {
		changes["pause_note"] = "changed"
	}
	if before.Fairness != after.Fairness {
		changes["fairness"] = after.Fairness
	}
	if !maps.Equal(before.Weights, after.Weights) {
		changes["weights"] = after.Weights
	}
	if before.ReserveAfterMS != after.ReserveAfterMS {
		changes["reserve_after_ms"] = after.ReserveAfterMS
	}
	return changes
}
