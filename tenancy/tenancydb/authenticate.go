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

// Each query returns the credential, its owner, and what that owner is in the
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
	SELECT c.id AS credential_id, c.authenticated_at, '' AS token_name,
	       u.id AS user_id, u.email, u.name,
	       p.org_id, p.state, p.role, p.workspace_id, p.restricted, p.workspace_role, p.data_read` + placeOfUser

const sqlAuthenticatePersonal = `
	WITH asked AS (
	  SELECT t.id, t.user_id, t.name, t.seen_at
	    FROM personal_token t
	   WHERE t.token_hash = @hash
	     AND t.expires_at > @now
	), touched AS (
	  UPDATE personal_token t
	     SET seen_at = @now, ip = @ip
	    FROM asked
	   WHERE t.id = asked.id
	     AND asked.seen_at < @stale
	)
	SELECT c.id AS credential_id, NULL::timestamptz AS authenticated_at, c.name AS token_name,
	       u.id AS user_id, u.email, u.name,
	       p.org_id, p.state, p.role, p.workspace_id, p.restricted, p.workspace_role, p.data_read` + placeOfUser

const placeOfUser = `
	  FROM asked c
	  JOIN users u ON u.id = c.user_id
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
	  SELECT k.org_id, k.id, k.name, k.workspace_id, k.org_role, k.workspace_role, k.permissions, k.last_used_at
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
	SELECT k.id AS key_id, k.name AS key_name, k.workspace_id AS key_workspace_id, k.permissions,
	       coalesce(k.org_id = @org_id::uuid, o.slug = @org_slug::text, true) AS here,
	       k.org_id, o.state, k.org_role AS role, w.id AS workspace_id, w.restricted, k.workspace_role, false AS data_read
	  FROM asked k
	  JOIN organization o ON o.org_id = k.org_id
	  LEFT JOIN workspace w ON w.org_id = k.org_id
	                       AND CASE WHEN @workspace_id::uuid IS NULL AND @workspace_slug::text IS NULL THEN w.id = k.workspace_id
	                                ELSE w.id = @workspace_id::uuid OR w.slug = @workspace_slug::text
	                           END`

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
	args := s.place(place, cookie.Hash(), now)
	args["idle_since"] = now.Add(-SessionIdle)
	found, err := s.authenticateUser(ctx, sqlAuthenticateSession, args)
	if err != nil {
		return authz.Principal{}, err
	}
	p := found.principal()
	p.SessionID, p.AuthenticatedAt = found.CredentialID, value(found.AuthenticatedAt)
	return p, nil
}

// AuthenticateKey returns who an API key or a personal token stands for, and what
// it is in place. A service account's key belongs to one organization, which the
// request may name or not; one that is bound to a workspace stands there unless
// the request names another. ip is noted as the last that used it. Its fault is
// ErrUnauthenticated.
func (s *Store) AuthenticateKey(ctx context.Context, key token.Token, place Place, ip string) (authz.Principal, error) {
	args := s.place(place, key.Hash(), s.now())
	args["ip"] = ip
	switch key.Kind() {
	case token.ServiceKey:
		rows, _ := s.db.Auth.Query(ctx, sqlAuthenticateKey, args)
		found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[foundKey])
		if err != nil {
			return authz.Principal{}, unauthenticatedOr(err, "authenticate a key")
		}
		return found.principal(), nil
	case token.Personal:
		found, err := s.authenticateUser(ctx, sqlAuthenticatePersonal, args)
		if err != nil {
			return authz.Principal{}, err
		}
		p := found.principal()
		p.KeyID, p.KeyName = found.CredentialID, found.TokenName
		return p, nil
	case token.Join, token.Mail:
	}
	return authz.Principal{}, ErrUnauthenticated
}

func (s *Store) place(place Place, hash []byte, now time.Time) pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{
		"hash": hash, "now": now, "stale": now.Add(-touchEvery),
		"org_id": place.OrgID, "org_slug": place.OrgSlug,
		"workspace_id": place.WorkspaceID, "workspace_slug": place.WorkspaceSlug,
	}
}

// foundUser is a person with the session or the token that they used.
type foundUser struct {
	CredentialID    id.UUID
	AuthenticatedAt *time.Time
	TokenName       string
	UserID          id.UUID
	Email, Name     string
	foundPlace
}

func (s *Store) authenticateUser(ctx context.Context, query string, args pgx.StrictNamedArgs) (foundUser, error) {
	rows, _ := s.db.Auth.Query(ctx, query, args)
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[foundUser])
	if err != nil {
		return foundUser{}, unauthenticatedOr(err, "authenticate a person")
	}
	return found, nil
}

func (f foundUser) principal() authz.Principal {
	p := authz.Principal{Kind: authz.KindUser, UserID: f.UserID, Email: f.Email, Name: f.Name}
	stand(&p, f.foundPlace)
	return p
}

type foundKey struct {
	KeyID          id.UUID
	KeyName        string
	KeyWorkspaceID *id.UUID
	Permissions    []authz.Permission
	Here           bool
	foundPlace
}

func (f foundKey) principal() authz.Principal {
	p := authz.Principal{
		Kind: authz.KindServiceAccount, KeyID: f.KeyID, KeyName: f.KeyName,
		KeyOrgID: value(f.OrgID), KeyWorkspaceID: value(f.KeyWorkspaceID),
		KeyPermissions: authz.SetOf(f.Permissions...),
	}
	if f.Here {
		stand(&p, f.foundPlace)
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
