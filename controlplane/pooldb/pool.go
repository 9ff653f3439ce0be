package pooldb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Pool is a named queue of attempts that a set of agents serves, with counts of
// the moment.
type Pool struct {
	ID   id.UUID
	Name string
	// Slots is how many may be in use at once; 0: as many as its agents have.
	Slots     int32
	Paused    bool
	PauseNote string
	CreatedAt time.Time
	// Ready counts to MaxReady and no further: a page must not cost what the
	// backlog is long.
	Ready        int64
	Leased       int64
	AgentsOnline int64
	// How it shares its agents; see Update.
	Fairness       string
	Weights        map[string]float64
	ReserveAfterMS int64 `db:"reserve_after_ms"`
}

// MaxReady is where the count of ready tasks ends: it means that many or more.
const MaxReady = 10_000

// A session lives as long as its row says so: the reaper, not the clock of a
// reader, ends one.
const poolColumns = `p.id, p.name, p.slots, p.paused, p.pause_note, p.created_at,
		p.fairness, p.weights, p.reserve_after_ms,
		(SELECT count(*) FROM (
			SELECT FROM ready r WHERE r.org_id = p.org_id AND r.pool_id = p.id LIMIT @max_ready) q) AS ready,
		(SELECT count(*) FROM lease l WHERE l.org_id = p.org_id AND l.pool_id = p.id) AS leased,
		(SELECT count(DISTINCT s.agent_id)
			FROM session s WHERE s.org_id = p.org_id AND s.pool_id = p.id AND NOT s.ended) AS agents_online`

const sqlListPools = `
	SELECT ` + poolColumns + `
	FROM pool p
	WHERE p.org_id = @org_id
		AND p.workspace_id = @workspace_id
	ORDER BY p.name
	LIMIT 1000`

// ListPools returns the pools of the caller's workspace by name.
func (s *Store) ListPools(ctx context.Context, by caller.Caller) ([]Pool, error) {
	var list []Pool
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, sqlListPools, pgx.StrictNamedArgs{
			"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "max_ready": MaxReady,
		})
		if list, err = pgx.CollectRows(rows, pgx.RowToStructByName[Pool]); err != nil {
			return fmt.Errorf("list pools: %w", err)
		}
		return nil
	})
	return list, err
}

const sqlGetPool = `
	SELECT ` + poolColumns + `
	FROM pool p
	WHERE p.org_id = @org_id
		AND p.workspace_id = @workspace_id
		AND p.name = @name`

// Page is a pool with its agents and what clients seal to.
type Page struct {
	Pool   Pool
	Agents []Agent
	// SealingPublic is the workspace's public key; nil until there is one.
	SealingPublic []byte
}

// GetPool returns a pool by name, its agents and the workspace's sealing key, as
// of one moment. Errors: NotFound.
func (s *Store) GetPool(ctx context.Context, by caller.Caller, name string) (Page, error) {
	var page Page
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		if page.Pool, err = getPool(ctx, tx, by, name); err != nil {
			return err
		}
		if page.Agents, err = listAgents(ctx, tx, by, &page.Pool.ID); err != nil {
			return err
		}
		page.SealingPublic, err = sealingPublic(ctx, tx, by)
		return err
	})
	return page, err
}

func getPool(ctx context.Context, tx pgx.Tx, by caller.Caller, name string) (Pool, error) {
	rows, _ := tx.Query(ctx, sqlGetPool, pgx.StrictNamedArgs{
		"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "name": name, "max_ready": MaxReady,
	})
	p, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Pool])
	if pg.NoRows(err) {
		return p, errNoPool(name)
	}
	if err != nil {
		return p, fmt.Errorf("get a pool: %w", err)
	}
	return p, nil
}

const sqlSealingPublic = `
	SELECT w.sealing_public
	FROM workspace w
	WHERE w.org_id = @org_id
		AND w.id = @id`

// SealingPublic returns the workspace's public sealing key, nil until its first
// agent made one.
func (s *Store) SealingPublic(ctx context.Context, by caller.Caller) ([]byte, error) {
	var key []byte
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		key, err = sealingPublic(ctx, tx, by)
		return err
	})
	return key, err
}

func sealingPublic(ctx context.Context, tx pgx.Tx, by caller.Caller) ([]byte, error) {
	var key []byte
	err := tx.QueryRow(ctx, sqlSealingPublic, pgx.StrictNamedArgs{"org_id": by.OrgID, "id": by.WorkspaceID}).Scan(&key)
	if err != nil && !pg.NoRows(err) {
		return nil, fmt.Errorf("read the sealing key: %w", err)
	}
	return key, nil
}
