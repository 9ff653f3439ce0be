// Package agentdb is the SQL of agents: how they join, who they are, and their
// sessions.
//
// All of it runs as the engine's role, because an agent names its organization
// only by its credential; every statement therefore says whose rows it means.
// Leases and queues are not here: they belong to controlplane/advance.
package agentdb

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Agent is a program in the customer's cluster that serves one pool.
type Agent struct {
	Org           id.UUID
	ID            id.UUID
	Workspace     id.UUID
	Pool          id.UUID
	PoolName      string
	PublicKey     ed25519.PublicKey
	SealingKid    string
	SealingPublic []byte
}

const sqlReadAgent = `
	SELECT a.org_id, a.id, a.workspace_id, a.pool_id, p.name, a.public_key, a.revoked_at,
		coalesce(w.sealing_kid, ''), w.sealing_public
	FROM agent a
	JOIN pool p ON p.org_id = a.org_id AND p.id = a.pool_id
	JOIN workspace w ON w.org_id = a.org_id AND w.id = a.workspace_id
	WHERE a.id = @id`

// Get returns an agent. Errors: AGENT_REVOKED, also for one that never was.
func Get(ctx context.Context, tx pgx.Tx, agent id.UUID) (Agent, error) {
	var a Agent
	var revoked *time.Time
	var key []byte
	err := tx.QueryRow(ctx, sqlReadAgent, pgx.StrictNamedArgs{"id": agent}).
		Scan(&a.Org, &a.ID, &a.Workspace, &a.Pool, &a.PoolName, &key, &revoked, &a.SealingKid, &a.SealingPublic)
	if pg.NoRows(err) || (err == nil && revoked != nil) {
		return Agent{}, errRevoked()
	}
	if err != nil {
		return Agent{}, fmt.Errorf("read agent: %w", err)
	}
	a.PublicKey = key
	return a, nil
}

const sqlOfferSealingKey = `
	UPDATE workspace
	SET sealing_kid = @kid, sealing_public = @public
	WHERE org_id = @org_id
		AND id = @id
		AND sealing_kid IS NULL`

const sqlReadSealingKey = `
	SELECT coalesce(sealing_kid, ''), sealing_public
	FROM workspace
	WHERE org_id = @org_id
		AND id = @id`

// OfferSealingKey stores a public sealing key for the agent's workspace if it has
// none, and returns the one that holds. What all values will be sealed to is
// worth an entry in the audit log.
func OfferSealingKey(ctx context.Context, tx pgx.Tx, a Agent, kid string, public []byte, from Origin) (heldKid string, heldPublic []byte, err error) {
	args := pgx.StrictNamedArgs{"org_id": a.Org, "id": a.Workspace, "kid": kid, "public": public}
	tag, err := tx.Exec(ctx, sqlOfferSealingKey, args)
	if err != nil {
		return "", nil, fmt.Errorf("offer sealing key: %w", err)
	}
	err = tx.QueryRow(ctx, sqlReadSealingKey, pgx.StrictNamedArgs{"org_id": a.Org, "id": a.Workspace}).Scan(&heldKid, &heldPublic)
	if err != nil {
		return "", nil, fmt.Errorf("read sealing key: %w", err)
	}
	if tag.RowsAffected() == 1 {
		err = from.record(ctx, tx, a, "workspace.set_sealing_key", id.Format(id.Workspace, a.Workspace), map[string]string{"kid": kid})
	}
	return heldKid, heldPublic, err
}
