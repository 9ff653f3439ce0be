package pooldb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/actor"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
	"github.com/signalboxhq/signalbox/tenancy/token"
)

// The limits of a join token.
const (
	DefaultJoinLife = 24 * time.Hour
	MaxJoinLife     = 720 * time.Hour
	maxJoinUses     = 1000
)

const sqlRevokeJoins = `
	UPDATE join_token
	SET uses_left = 0
	WHERE org_id = @org_id
		AND pool_id = @pool_id
		AND uses_left > 0
		AND expires_at > @now`

// RevokeJoinTokens makes all join tokens of a pool worthless and returns how many
// could still have been used. Errors: NotFound.
func (s *Store) RevokeJoinTokens(ctx context.Context, by caller.Caller, pool string) (int64, error) {
	var revoked int64
	err := pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		found, err := lockPool(ctx, tx, by, pool)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, sqlRevokeJoins, pgx.StrictNamedArgs{"org_id": by.OrgID, "pool_id": found, "now": s.now()})
		if err != nil {
			return fmt.Errorf("revoke join tokens: %w", err)
		}
		if revoked = tag.RowsAffected(); revoked == 0 {
			return nil
		}
		return s.audit.Record(ctx, tx, by, "pool.revoke_join_tokens", id.Format(id.Pool, found), map[string]any{"pool": pool, "revoked": revoked})
	})
	return revoked, err
}

// The pool is found by its name under row-level security, in one statement.
const sqlInsertJoin = `
	INSERT INTO join_token (org_id, id, pool_id, hash, uses_left, expires_at, created_by, created_at)
	SELECT p.org_id, @id, p.id, @hash, @uses, @expires_at, @created_by, @now
	FROM pool p
	WHERE p.org_id = @org_id
		AND p.workspace_id = @workspace_id
		AND p.name = @pool`

// CreateJoinToken makes a secret that lets agents join a pool: one agent within
// a day unless uses and life say otherwise. It is shown once; its hash is kept.
// Errors: NotFound, INVALID_ARGUMENT, PERMISSION_DENIED while the organization
// takes no new agents.
func (s *Store) CreateJoinToken(ctx context.Context, by caller.Caller, pool string, uses uint32, life time.Duration) (token.Token, time.Time, error) {
	if uses == 0 {
		uses = 1
	}
	if life == 0 {
		life = DefaultJoinLife
	}
	switch {
	case !by.OrgState.StartsRuns():
		return token.Token{}, time.Time{}, errRestricted
	case uses > maxJoinUses:
		return token.Token{}, time.Time{}, invalid("uses", fmt.Sprintf("at most %d", maxJoinUses))
	case life > MaxJoinLife:
		return token.Token{}, time.Time{}, invalid("hours", fmt.Sprintf("at most %d", MaxJoinLife/time.Hour))
	}
	secret, err := token.New(token.Join, s.random)
	if err != nil {
		return token.Token{}, time.Time{}, err
	}
	now := s.now()
	expires := now.Add(life).Truncate(time.Microsecond)
	err = pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		made := id.New()
		tag, err := tx.Exec(ctx, sqlInsertJoin, pgx.StrictNamedArgs{
			"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "pool": pool, "id": made, "hash": secret.Hash(),
			"uses": uses, "expires_at": expires, "created_by": actor.Text(by), "now": now,
		})
		if err != nil {
			return fmt.Errorf("make a join token: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return errNoPool(pool)
		}
		return s.audit.Record(ctx, tx, by, "pool.create_join_token", id.Format(id.JoinToken, made),
			map[string]any{"pool": pool, "uses": uses, "expires_at": expires.UTC().Format(time.RFC3339)})
	})
	return secret, expires, err
}
