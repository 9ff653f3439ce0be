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

	"github.com/signalboxhq/signalbox/internal/fault"
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

// Enrollment is what an agent joins with.
type Enrollment struct {
	TokenHash [32]byte
	PublicKey ed25519.PublicKey
	Name      string
	Version   string
}

const sqlLockJoining = `
	SELECT t.org_id, t.id, t.pool_id, p.workspace_id, t.uses_left, t.expires_at < now()
	FROM join_token t
	JOIN pool p ON p.org_id = t.org_id AND p.id = t.pool_id
	WHERE t.hash = @hash
	FOR UPDATE OF t`

const sqlFindEnrolled = `
	SELECT id
	FROM agent
	WHERE org_id = @org_id
		AND public_key = @public_key
		AND join_token_id = @token_id
		AND revoked_at IS NULL`

const sqlInsertAgent = `
	INSERT INTO agent (org_id, id, workspace_id, pool_id, name, public_key, join_token_id, version)
	VALUES (@org_id, @id, @workspace_id, @pool_id, @name, @public_key, @token_id, @version)`

const sqlCountJoining = `
	UPDATE join_token
	SET uses_left = uses_left - 1
	WHERE org_id = @org_id
		AND id = @id
		AND uses_left > 0`

// Enroll makes an agent of whoever shows a join token. The same token with the
// same key again gives the same agent. Errors: TOKEN_INVALID, TOKEN_USED,
// TOKEN_EXPIRED.
func Enroll(ctx context.Context, tx pgx.Tx, e Enrollment) (Agent, error) {
	var org, token, pool, workspace id.UUID
	var left int32
	var expired bool
	err := tx.QueryRow(ctx, sqlLockJoining, pgx.StrictNamedArgs{"hash": e.TokenHash[:]}).Scan(&org, &token, &pool, &workspace, &left, &expired)
	if pg.NoRows(err) {
		return Agent{}, fault.Unauthenticated("TOKEN_INVALID", "this join token is not known; make a new one on the pool's page or with `signalbox pool join-token`")
	}
	if err != nil {
		return Agent{}, fmt.Errorf("read join token: %w", err)
	}
	var agent id.UUID
	err = tx.QueryRow(ctx, sqlFindEnrolled, pgx.StrictNamedArgs{"org_id": org, "public_key": []byte(e.PublicKey), "token_id": token}).Scan(&agent)
	if err == nil {
		return Get(ctx, tx, agent)
	}
	if !pg.NoRows(err) {
		return Agent{}, fmt.Errorf("read agent: %w", err)
	}
	switch {
	case expired:
		return Agent{}, fault.FailedPrecondition("TOKEN_EXPIRED", "this join token has expired; make a new one")
	case left <= 0:
		return Agent{}, fault.FailedPrecondition("TOKEN_USED", "this join token was used up; make a new one, or one with more uses")
	}
	agent = id.New()
	_, err = tx.Exec(ctx, sqlInsertAgent, pgx.StrictNamedArgs{
		"org_id": org, "id": agent, "workspace_id": workspace, "pool_id": pool, "name": e.Name,
		"public_key": []byte(e.PublicKey), "token_id": token, "version": e.Version,
	})
	if _, taken := pg.UniqueViolation(err); taken {
		return Agent{}, fault.FailedPrecondition("TOKEN_INVALID", "this agent's key has joined with another token; start it with an empty folder to join anew")
	}
	if err != nil {
		return Agent{}, fmt.Errorf("insert agent: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlCountJoining, pgx.StrictNamedArgs{"org_id": org, "id": token}); err != nil {
		return Agent{}, fmt.Errorf("use join token: %w", err)
	}
	return Get(ctx, tx, agent)
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
		return Agent{}, fault.Unauthenticated("AGENT_REVOKED", "this agent was revoked; join again with a new token")
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

// OfferSealingKey stores a workspace's public sealing key if it has none, and
// returns the one that holds.
func OfferSealingKey(ctx context.Context, tx pgx.Tx, org, workspace id.UUID, kid string, public []byte) (heldKid string, heldPublic []byte, err error) {
	args := pgx.StrictNamedArgs{"org_id": org, "id": workspace, "kid": kid, "public": public}
	if _, err := tx.Exec(ctx, sqlOfferSealingKey, args); err != nil {
		return "", nil, fmt.Errorf("offer sealing key: %w", err)
	}
	err = tx.QueryRow(ctx, sqlReadSealingKey, pgx.StrictNamedArgs{"org_id": org, "id": workspace}).Scan(&heldKid, &heldPublic)
	if err != nil {
		return "", nil, fmt.Errorf("read sealing key: %w", err)
	}
	return heldKid, heldPublic, nil
}
