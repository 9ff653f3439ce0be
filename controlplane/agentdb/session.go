package agentdb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/proto/id"
)

// Session is a new living connection of an agent.
type Session struct {
	ID           id.UUID
	Slots        int32
	CPUMillis    int64
	MemoryBytes  int64
	GPUs         int32
	GPUType      string
	Labels       map[string]string
	Version      string
	SealingKids  []string
	PolicyDigest []byte
	Address      string // by which other agents reach it
	// Replaces names the session before this one, Adopted the leases of it that
	// the agent still works on.
	Replaces id.UUID
	Adopted  []int64
}

// Lost is a lease that nobody adopted.
type Lost struct {
	Run   id.UUID
	Lease int64
}

// Leases before sessions: the order in which the group commit locks. The agent's
// own only: naming somebody else's session must not take its work away.
const sqlLockLeasesOfSession = `
	SELECT id, run_id
	FROM lease
	WHERE org_id = @org_id
		AND agent_id = @agent_id
		AND pool_id = @pool_id
		AND session_id = @session_id
	ORDER BY id
	FOR NO KEY UPDATE`

const sqlAdoptLeases = `
	UPDATE lease
	SET session_id = @session_id
	WHERE org_id = @org_id
		AND agent_id = @agent_id
		AND pool_id = @pool_id
		AND session_id = @replaces
		AND id = ANY(@adopted)`

const sqlEndReplaced = `
	UPDATE session
	SET ended = true
	WHERE org_id = @org_id
		AND id = @replaces
		AND agent_id = @agent_id`

const sqlCountSessions = `
	SELECT count(*)
	FROM session
	WHERE org_id = @org_id
		AND agent_id = @agent_id
		AND NOT ended`

// maxSessions is how many living sessions an agent may have. It needs one; one
// that is killed and started again and again leaves each behind for half a
// minute. Each may wait in a long poll, and is a row that batches lock.
const maxSessions = 32

const sqlInsertSession = `
	INSERT INTO session (org_id, id, agent_id, workspace_id, pool_id, expires_at, version, slots, cpu_millis, memory_bytes,
		gpus, gpu_type, labels, sealing_kids, policy_digest, address)
	VALUES (@org_id, @id, @agent_id, @workspace_id, @pool_id, clock_timestamp() + @ttl::interval, @version, @slots, @cpu_millis, @memory_bytes,
		@gpus, @gpu_type, @labels, @sealing_kids, @policy_digest, @address)`

// A revocation ends the sessions that it finds: it waits for this one, or is
// seen by it. It comes last, as whoever removes a session locks its agent.
const sqlShareAgent = `
	SELECT revoked_at IS NOT NULL
	FROM agent
	WHERE org_id = @org_id
		AND id = @id
	FOR SHARE`

// OpenSession starts a session. Of the one that it replaces, the adopted leases
// move over; the rest are returned, to be lost. Errors: QUOTA_EXCEEDED,
// AGENT_REVOKED.
func OpenSession(ctx context.Context, tx pgx.Tx, a Agent, s Session, ttl time.Duration) ([]Lost, error) {
	var lost []Lost
	if s.Replaces != (id.UUID{}) {
		var err error
		if lost, err = replace(ctx, tx, a, s); err != nil {
			return nil, err
		}
	}
	var living int
	if err := tx.QueryRow(ctx, sqlCountSessions, pgx.StrictNamedArgs{"org_id": a.Org, "agent_id": a.ID}).Scan(&living); err != nil {
		return nil, fmt.Errorf("count sessions: %w", err)
	}
	if living >= maxSessions {
		return nil, errTooManySessions(maxSessions)
	}
	if s.Labels == nil {
		s.Labels = map[string]string{}
	}
	if s.SealingKids == nil {
		s.SealingKids = []string{}
	}
	_, err := tx.Exec(ctx, sqlInsertSession, pgx.StrictNamedArgs{
		"org_id": a.Org, "id": s.ID, "agent_id": a.ID, "workspace_id": a.Workspace, "pool_id": a.Pool, "ttl": ttl,
		"version": s.Version, "slots": s.Slots, "cpu_millis": s.CPUMillis, "memory_bytes": s.MemoryBytes,
		"gpus": s.GPUs, "gpu_type": s.GPUType, "labels": s.Labels, "sealing_kids": s.SealingKids, "policy_digest": s.PolicyDigest, "address": s.Address,
	})
	if err != nil {
		return nil, fmt.Errorf("insert session: %w", err)
	}
	var revoked bool
	if err := tx.QueryRow(ctx, sqlShareAgent, pgx.StrictNamedArgs{"org_id": a.Org, "id": a.ID}).Scan(&revoked); err != nil {
		return nil, fmt.Errorf("share the agent: %w", err)
	}
	if revoked {
		return nil, errRevoked()
	}
	return lost, nil
}

func replace(ctx context.Context, tx pgx.Tx, a Agent, s Session) ([]Lost, error) {
	rows, err := tx.Query(ctx, sqlLockLeasesOfSession, pgx.StrictNamedArgs{"org_id": a.Org, "agent_id": a.ID, "pool_id": a.Pool, "session_id": s.Replaces})
	if err != nil {
		return nil, fmt.Errorf("lock leases: %w", err)
	}
	adopted := map[int64]bool{}
	for _, l := range s.Adopted {
		adopted[l] = true
	}
	var lost []Lost
	var l Lost
	_, err = pgx.ForEachRow(rows, []any{&l.Lease, &l.Run}, func() error {
		if !adopted[l.Lease] {
			lost = append(lost, l)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("lock leases: %w", err)
	}
	if s.Adopted == nil {
		s.Adopted = []int64{}
	}
	_, err = tx.Exec(ctx, sqlAdoptLeases, pgx.StrictNamedArgs{
		"session_id": s.ID, "org_id": a.Org, "agent_id": a.ID, "pool_id": a.Pool, "replaces": s.Replaces, "adopted": s.Adopted,
	})
	if err != nil {
		return nil, fmt.Errorf("adopt leases: %w", err)
	}
	args := pgx.StrictNamedArgs{"org_id": a.Org, "replaces": s.Replaces, "agent_id": a.ID}
	if _, err := tx.Exec(ctx, sqlEndReplaced, args); err != nil {
		return nil, fmt.Errorf("end replaced session: %w", err)
	}
	return lost, nil
}
