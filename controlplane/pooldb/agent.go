package pooldb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Agent is a program in the customer's cluster, as people see it. What it offers
// is that of its living session, nothing when it has none.
type Agent struct {
	ID        id.UUID
	Name      string
	Pool      string
	Revoked   bool
	Online    bool
	Version   string
	Labels    map[string]string
	Slots     int32
	CPUMillis int64
	// MemoryBytes and GPUs likewise.
	MemoryBytes int64
	GPUs        int32
	GPUType     string
	Leases      int64
	// GPUsUsed is how many GPUs the tasks of these leases asked for.
	GPUsUsed int64
	// SeenAt is when it was last heard of, to within a few seconds; nil: never.
	SeenAt          *time.Time
	CreatedAt       time.Time
	HoldsSealingKey bool
	Draining        bool
}

// State is online, offline or revoked.
func (a Agent) State() string {
	switch {
	case a.Revoked:
		return "revoked"
	case a.Online:
		return "online"
	}
	return "offline"
}

// An agent that was restarted may have two sessions for half a minute: the
// newest speaks for it, its leases are those of both. A session expires 32 s
// after the request that renewed it.
const agentSelect = `
	SELECT a.id, a.name, p.name AS pool, a.revoked_at IS NOT NULL AS revoked,
		s.id IS NOT NULL AS online, coalesce(nullif(s.version, ''), a.version) AS version,
		coalesce(s.labels, '{}') AS labels, coalesce(s.slots, 0) AS slots, coalesce(s.cpu_millis, 0) AS cpu_millis,
		coalesce(s.memory_bytes, 0) AS memory_bytes, coalesce(s.gpus, 0) AS gpus, coalesce(s.gpu_type, '') AS gpu_type,
		held.leases, held.gpus AS gpus_used,
		CASE WHEN coalesce(s.expires_at, a.session_until) IS NOT NULL
			THEN least(coalesce(s.expires_at, a.session_until) - interval '32 seconds', now())
		END AS seen_at, a.created_at,
		coalesce(w.sealing_kid = ANY(s.sealing_kids), false) AS holds_sealing_key, coalesce(s.draining, false) AS draining
	FROM agent a
	JOIN pool p ON p.org_id = a.org_id AND p.id = a.pool_id
	JOIN workspace w ON w.org_id = a.org_id AND w.id = a.workspace_id
	CROSS JOIN LATERAL (
		SELECT count(*) AS leases, coalesce(sum((c.spec ->> 'gpus')::bigint), 0)::bigint AS gpus
		FROM session o
		JOIN lease l ON l.org_id = o.org_id AND l.pool_id = o.pool_id AND l.session_id = o.id
		JOIN requirement_class c ON c.org_id = l.org_id AND c.id = l.class_id
		WHERE o.org_id = a.org_id AND o.agent_id = a.id
	) held
	LEFT JOIN LATERAL (
		SELECT x.id, x.version, x.labels, x.slots, x.cpu_millis, x.memory_bytes, x.gpus, x.gpu_type, x.expires_at, x.sealing_kids, x.draining
		FROM session x
		WHERE x.org_id = a.org_id AND x.agent_id = a.id AND NOT x.ended
		ORDER BY x.opened_at DESC
		LIMIT 1
	) s ON true`

// Those that are there first, then the newest: agents that scale up and down
// leave many behind.
const sqlListAgents = agentSelect + `
	WHERE a.org_id = @org_id
		AND a.workspace_id = @workspace_id
		AND (@pool_id::uuid IS NULL OR a.pool_id = @pool_id)
	ORDER BY a.revoked_at IS NOT NULL, s.id IS NULL, a.created_at DESC
	LIMIT 500`

// ListAgents returns the agents of a pool, or of the whole workspace where pool
// is empty. Errors: NotFound.
func (s *Store) ListAgents(ctx context.Context, by caller.Caller, pool string) ([]Agent, error) {
	var list []Agent
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		if pool == "" {
			list, err = listAgents(ctx, tx, by, nil)
			return err
		}
		p, err := getPool(ctx, tx, by, pool)
		if err != nil {
			return err
		}
		list, err = listAgents(ctx, tx, by, &p.ID)
		return err
	})
	return list, err
}

func listAgents(ctx context.Context, tx pgx.Tx, by caller.Caller, pool *id.UUID) ([]Agent, error) {
	rows, _ := tx.Query(ctx, sqlListAgents, pgx.StrictNamedArgs{"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "pool_id": pool})
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Agent])
	if err != nil {
		return nil, fmt.Errorf("list agents: %w", err)
	}
	return list, nil
}

const sqlLockAgent = `
	SELECT a.name, a.revoked_at IS NOT NULL
	FROM agent a
	WHERE a.org_id = @org_id
		AND a.workspace_id = @workspace_id
		AND a.id = @id
	FOR NO KEY UPDATE`

const sqlRevokeAgent = `
	UPDATE agent
	SET revoked_at = @now
	WHERE org_id = @org_id
		AND id = @id`

const sqlSessionsOfAgent = `
	SELECT s.id
	FROM session s
	WHERE s.org_id = @org_id
		AND s.agent_id = @agent_id`

// RevokeAgent marks an agent as revoked: from the commit on it is refused. It
// returns the agent's sessions, which the caller has to end; also those of an
// agent that was revoked before, so that an interrupted revocation can be
// repeated. Errors: NotFound.
func (s *Store) RevokeAgent(ctx context.Context, by caller.Caller, agent id.UUID) ([]id.UUID, error) {
	var sessions []id.UUID
	err := pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		var name string
		var revoked bool
		args := pgx.StrictNamedArgs{"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "id": agent}
		if err := tx.QueryRow(ctx, sqlLockAgent, args).Scan(&name, &revoked); err != nil {
			if pg.NoRows(err) {
				return fault.NotFound("agent", id.Format(id.Agent, agent))
			}
			return fmt.Errorf("lock an agent: %w", err)
		}
		rows, _ := tx.Query(ctx, sqlSessionsOfAgent, pgx.StrictNamedArgs{"org_id": by.OrgID, "agent_id": agent})
		var err error
		if sessions, err = pgx.CollectRows(rows, pgx.RowTo[id.UUID]); err != nil {
			return fmt.Errorf("read the sessions of an agent: %w", err)
		}
		if revoked {
			return nil
		}
		if _, err := tx.Exec(ctx, sqlRevokeAgent, pgx.StrictNamedArgs{"org_id": by.OrgID, "id": agent, "now": s.now()}); err != nil {
			return fmt.Errorf("revoke an agent: %w", err)
		}
		return s.audit.Record(ctx, tx, by, "agent.revoke", id.Format(id.Agent, agent), map[string]any{"agent": name})
	})
	return sessions, err
}

// Lease is a lease of a session, by what ends it.
type Lease struct {
	ID      int64
	RunID   id.UUID
	Session id.UUID
}

const sqlLeasesOfSessions = `
	SELECT l.id, l.run_id, l.session_id AS session
	FROM session s
	JOIN lease l ON l.org_id = s.org_id AND l.pool_id = s.pool_id AND l.session_id = s.id
	WHERE s.org_id = @org_id
		AND s.id = ANY(@sessions)`

// LeasesOf returns what sessions hold.
func (s *Store) LeasesOf(ctx context.Context, by caller.Caller, sessions []id.UUID) ([]Lease, error) {
	var list []Lease
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, sqlLeasesOfSessions, pgx.StrictNamedArgs{"org_id": by.OrgID, "sessions": sessions})
		if list, err = pgx.CollectRows(rows, pgx.RowToStructByName[Lease]); err != nil {
			return fmt.Errorf("read the leases of sessions: %w", err)
		}
		return nil
	})
	return list, err
}
