package tenancydb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/token"
)

// Both queries return the credential, its owner, and what that owner is in the
// place of the request, as they stand at this moment: a revocation or a changed
// role needs no more than its commit to bite at the next call.

const sqlAuthenticateSession = `
	WITH asked AS (
	  SELECT s.id, s.user_id, s.authenticated_at, s.seen_at
	    FROM login_session s
	   WHERE s.token_hash = @hash
	     AND s.expires_at > @now
	     AND s.seen_at > @idle_since
	), touched AS (
	  UPDATE login_session s
	     SET seen_at = @now
	    FROM asked
	   WHERE s.id = asked.id
	     AND asked.seen_at < @stale
	)
	SELECT s.id AS session_id, s.authenticated_at,
	       u.id AS user_id, u.email, u.name,
	       p.org_id, p.state, p.role, p.workspace_id, p.restricted, p.workspace_role, p.data_read
	  FROM asked s
	  JOIN users u ON u.id = s.user_id
	  LEFT JOIN LATERAL (
	    SELECT m.org_id, o.state, m.role, w.id AS workspace_id, w.restricted, g.role AS workspace_role, g.data_read
	      FROM membership m
	      JOIN organization o ON o.org_id = m.org_id
	      LEFT JOIN workspace w ON w.org_id = m.org_id
	                           AND (w.id = @workspace_id::uuid OR w.slug = @workspace_slug::text)
	      LEFT JOIN workspace_grant g ON g.org_id = w.org_id AND g.workspace_id = w.id AND g.user_id = m.user_id
	     WHERE m.user_id = u.id
	       AND CASE WHEN @org_id::uuid IS NOT NULL THEN m.org_id = @org_id::uuid
	                WHEN @org_slug::text IS NOT NULL THEN o.slug = @org_slug::text
	                ELSE w.id = @workspace_id::uuid
	           END
	  ) p ON true`

const sqlAuthenticateKey = `
	WITH asked AS (
	  SELECT k.org_id, k.id, k.kind, k.name, k.user_id, k.workspace_id, k.org_role, k.workspace_role, k.permissions,
	         k.last_used_at
	    FROM api_key k
	   WHERE k.hash = @hash
	     AND k.revoked_at IS NULL
	     AND k.expires_at > @now
	), touched AS (
	  UPDATE api_key k
	     SET last_used_at = @now, last_used_ip = @ip
	    FROM asked
	   WHERE k.org_id = asked.org_id
	     AND k.id = asked.id
	     AND (asked.last_used_at IS NULL OR asked.last_used_at < @stale)
	)
	SELECT k.id AS key_id, k.kind, k.name AS key_name, k.workspace_id AS key_workspace_id,
	       k.org_role AS key_org_role, k.workspace_role AS key_workspace_role, k.permissions,
	       u.id AS user_id, u.email, u.name,
	       k.org_id, o.state, m.role, w.id AS workspace_id, w.restricted, g.role AS workspace_role, g.data_read,
	       coalesce(k.org_id = @org_id::uuid, o.slug = @org_slug::text, true) AS here
	  FROM asked k
	  JOIN organization o ON o.org_id = k.org_id
	  LEFT JOIN membership m ON m.org_id = k.org_id AND m.user_id = k.user_id
	  LEFT JOIN users u ON u.id = m.user_id
	  LEFT JOIN workspace w ON w.org_id = k.org_id
	                       AND CASE WHEN @workspace_id::uuid IS NULL AND @workspace_slug::text IS NULL THEN w.id = k.workspace_id
	                                ELSE w.id = @workspace_id::uuid OR w.slug = @workspace_slug::text
	                           END
	  LEFT JOIN workspace_grant g ON g.org_id = w.org_id AND g.workspace_id = w.id AND g.user_id = m.user_id
	 WHERE k.kind = 'service_account' OR u.id IS NOT NULL`

// foundPlace is what the owner of a credential is in the place of the request;
// all NULL where it is nothing.
type foundPlace struct {
	OrgID         *id.UUID
	State         *string
	Role          *string
	WorkspaceID   *id.UUID
	Restricted    *bool
	WorkspaceRole *string
	DataRead      *bool
}

// AuthenticateSession returns who a browser's cookie stands for, and what they
// are in place. Its fault is ErrUnauthenticated.
func (s *Store) AuthenticateSession(ctx context.Context, cookie token.Cookie, place Place) (authz.Principal, error) {
	now := s.now()
	rows, _ := s.db.Auth.Query(ctx, sqlAuthenticateSession, pgx.StrictNamedArgs{
		"hash": cookie.Hash(), "now": now, "idle_since": now.Add(-SessionIdle), "stale": now.Add(-touchEvery),
		"org_id": place.OrgID, "org_slug": place.OrgSlug,
		"workspace_id": place.WorkspaceID, "workspace_slug": place.WorkspaceSlug,
	})
	type foundSession struct {
		SessionID       id.UUID
		AuthenticatedAt time.Time
		UserID          id.UUID
		Email, Name     string
		foundPlace
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[foundSession])
	if err != nil {
		return authz.Principal{}, unauthenticatedOr(err, "authenticate a session")
	}
	p := authz.Principal{
		Kind: authz.KindUser, UserID: found.UserID, Email: found.Email, Name: found.Name,
		SessionID: found.SessionID, AuthenticatedAt: found.AuthenticatedAt,
	}
	stand(&p, found.foundPlace)
	return p, nil
}

// AuthenticateKey returns who an API key stands for, and what it is in place. A
// key belongs to one organization, and may name it or not; a key that is bound
// to a workspace stands there unless the request names another one. ip is noted
// as the key's last. Its fault is ErrUnauthenticated.
func (s *Store) AuthenticateKey(ctx context.Context, key token.Token, place Place, ip string) (authz.Principal, error) {
	now := s.now()
	rows, _ := s.db.Auth.Query(ctx, sqlAuthenticateKey, pgx.StrictNamedArgs{
		"hash": key.Hash(), "now": now, "stale": now.Add(-touchEvery), "ip": ip,
		"org_id": place.OrgID, "org_slug": place.OrgSlug,
		"workspace_id": place.WorkspaceID, "workspace_slug": place.WorkspaceSlug,
	})
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[foundKey])
	if err != nil {
		return authz.Principal{}, unauthenticatedOr(err, "authenticate a key")
	}
	return found.principal(), nil
}

type foundKey struct {
	KeyID            id.UUID
	Kind             string
	KeyName          string
	KeyWorkspaceID   *id.UUID
	KeyOrgRole       *string
	KeyWorkspaceRole *string
	Permissions      []authz.Permission
	UserID           *id.UUID
	Email, Name      *string
	Here             bool
	foundPlace
}

func (f foundKey) principal() authz.Principal {
	p := authz.Principal{
		Kind: authz.KindServiceAccount, KeyID: f.KeyID, KeyName: f.KeyName,
		KeyOrgID: value(f.OrgID), KeyWorkspaceID: value(f.KeyWorkspaceID),
		UserID: value(f.UserID), Email: value(f.Email), Name: value(f.Name),
	}
	if KeyKind(f.Kind) == KeyPersonal {
		p.Kind = authz.KindUser
	}
	if !f.Here {
		return p
	}
	stand(&p, f.foundPlace)
	if p.Kind == authz.KindServiceAccount {
		p.OrgRole = authz.OrgRole(value(f.KeyOrgRole))
		p.WorkspaceRole = authz.WorkspaceRole(value(f.KeyWorkspaceRole))
		p.KeyPermissions = authz.SetOf(f.Permissions...)
	}
	return p
}

func stand(p *authz.Principal, f foundPlace) {
	p.OrgID = value(f.OrgID)
	p.OrgState = authz.OrgState(value(f.State))
	p.OrgRole = authz.OrgRole(value(f.Role))
	p.WorkspaceID = value(f.WorkspaceID)
	p.Restricted = value(f.Restricted)
	p.WorkspaceRole = authz.WorkspaceRole(value(f.WorkspaceRole))
	p.DataRead = value(f.DataRead)
}

func unauthenticatedOr(err error, doing string) error {
	if pg.NoRows(err) {
		return ErrUnauthenticated
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// value returns what p points to, or the zero value for NULL.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
