package agentdb

import (
	"context"
	"crypto/ed25519"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
)

// Enrollment is what an agent joins with.
type Enrollment struct {
	TokenHash []byte
	PublicKey ed25519.PublicKey
	Name      string
	Version   string
}

const sqlLockJoining = `
	SELECT t.org_id, t.id, t.pool_id, p.workspace_id, t.uses_left, t.expires_at < now(), o.state
	FROM join_token t
	JOIN pool p ON p.org_id = t.org_id AND p.id = t.pool_id
	JOIN organization o ON o.org_id = t.org_id
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

// joining is a join token, locked, and where it leads.
type joining struct {
	org, token, pool, workspace id.UUID
	left                        int32
	expired                     bool
	state                       authz.OrgState
}

// Enroll makes an agent of whoever shows a join token. The same token with the
// same key again gives the same agent. Errors: TOKEN_INVALID, TOKEN_USED,
// TOKEN_EXPIRED; PERMISSION_DENIED while the organization takes no new agents.
func Enroll(ctx context.Context, tx pgx.Tx, e Enrollment, from Origin) (Agent, error) {
	var j joining
	err := tx.QueryRow(ctx, sqlLockJoining, pgx.StrictNamedArgs{"hash": e.TokenHash}).
		Scan(&j.org, &j.token, &j.pool, &j.workspace, &j.left, &j.expired, &j.state)
	if pg.NoRows(err) {
		return Agent{}, ErrTokenUnknown
	}
	if err != nil {
		return Agent{}, fmt.Errorf("read join token: %w", err)
	}
	var agent id.UUID
	err = tx.QueryRow(ctx, sqlFindEnrolled, pgx.StrictNamedArgs{"org_id": j.org, "public_key": []byte(e.PublicKey), "token_id": j.token}).Scan(&agent)
	if err == nil {
		return Get(ctx, tx, agent)
	}
	if !pg.NoRows(err) {
		return Agent{}, fmt.Errorf("read agent: %w", err)
	}
	if err := j.check(); err != nil {
		return Agent{}, err
	}
	return j.join(ctx, tx, e, from)
}

// check refuses a token that is of no use any more.
func (j joining) check() error {
	switch {
	case j.expired:
		return fault.FailedPrecondition("TOKEN_EXPIRED", "this join token has expired; make a new one")
	case j.left <= 0:
		return fault.FailedPrecondition("TOKEN_USED", "this join token was used up; make a new one, or one with more uses")
	case !j.state.StartsRuns():
		// A token that was made before the bill was overdue lives on.
		return fault.PermissionDenied("PERMISSION_DENIED", "the organization takes no new agents while its bill is open; those it has go on")
	}
	return nil
}

func (j joining) join(ctx context.Context, tx pgx.Tx, e Enrollment, from Origin) (Agent, error) {
	agent := id.New()
	_, err := tx.Exec(ctx, sqlInsertAgent, pgx.StrictNamedArgs{
		"org_id": j.org, "id": agent, "workspace_id": j.workspace, "pool_id": j.pool, "name": e.Name,
		"public_key": []byte(e.PublicKey), "token_id": j.token, "version": e.Version,
	})
	if _, taken := pg.UniqueViolation(err); taken {
		return Agent{}, fault.FailedPrecondition("TOKEN_INVALID", "this agent's key has joined with another token; start it with an empty folder to join anew")
	}
	if err != nil {
		return Agent{}, fmt.Errorf("insert agent: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlCountJoining, pgx.StrictNamedArgs{"org_id": j.org, "id": j.token}); err != nil {
		return Agent{}, fmt.Errorf("use join token: %w", err)
	}
	a, err := Get(ctx, tx, agent)
	if err != nil {
		return Agent{}, err
	}
	// Who joins is going to read what the workspace seals, by a secret that was
	// passed on: whom it let in must be found later.
	return a, from.record(ctx, tx, a, "agent.join", id.Format(id.Agent, a.ID), map[string]string{
		"agent": e.Name, "pool": a.PoolName, "join_token": id.Format(id.JoinToken, j.token),
	})
}
