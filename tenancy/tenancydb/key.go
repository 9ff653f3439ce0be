package tenancydb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
	"github.com/signalboxhq/signalbox/tenancy/token"
)

// KeyKind is whose key it is.
type KeyKind string

// The kinds of keys.
const (
	KeyServiceAccount KeyKind = "service_account"
	KeyPersonal       KeyKind = "personal"
)

// KeyKinds lists the kinds.
func KeyKinds() []KeyKind { return []KeyKind{KeyServiceAccount, KeyPersonal} }

// TokenKind is the kind of the key's token, and so its prefix.
func (k KeyKind) TokenKind() token.Kind {
	if k == KeyPersonal {
		return token.Personal
	}
	return token.ServiceKey
}

// Key is an API key, without its secret.
type Key struct {
	ID    id.UUID
	Kind  KeyKind
	Name  string
	Last4 string
	// UserID is the person of a personal token.
	UserID *id.UUID
	// WorkspaceID is nil for a key of the whole organization, whose role is
	// OrgRole; a workspace's key has a WorkspaceRole.
	WorkspaceID   *id.UUID
	OrgRole       *authz.OrgRole
	WorkspaceRole *authz.WorkspaceRole
	Permissions   []authz.Permission
	CreatorEmail  string
	CreatedAt     time.Time
	ExpiresAt     time.Time
	LastUsedAt    *time.Time
	LastUsedIP    string
	RevokedAt     *time.Time
}

const keyColumns = `
	k.id, k.kind, k.name, k.last4, k.user_id, k.workspace_id, k.org_role, k.workspace_role, k.permissions,
	coalesce(u.email, '') AS creator_email, k.created_at, k.expires_at, k.last_used_at, k.last_used_ip, k.revoked_at`

// NewKey is a service account's key to be. Role is a workspace's role for a key
// that WorkspaceID binds, and the organization's otherwise; Permissions are
// added to it. A Life of zero is DefaultKeyLife.
type NewKey struct {
	Name        string
	WorkspaceID *id.UUID
	Role        string
	Permissions authz.Set
	Life        time.Duration
}

const sqlInsertKey = `
	INSERT INTO api_key (org_id, id, kind, name, hash, last4, user_id, workspace_id, org_role, workspace_role, permissions,
	                     created_by, created_at, expires_at)
	VALUES (@org_id, @id, @kind, @name, @hash, @last4, @user_id, @workspace_id, @org_role, @workspace_role, @permissions,
	        @created_by, @now, @expires_at)`

const sqlGetKey = `
	SELECT` + keyColumns + `
	  FROM api_key k
	  LEFT JOIN users u ON u.id = k.created_by
	 WHERE k.org_id = @org_id
	   AND k.id = @id`

// CreateKey makes a key of a service account and returns its secret, once. Its
// faults are INVALID_ARGUMENT, NOT_FOUND (the workspace) and PERMISSION_DENIED
// (nothing beyond the caller's own rights).
func (s *Store) CreateKey(ctx context.Context, by caller.Caller, in NewKey) (Key, token.Token, error) {
	name, err := parseName("name", in.Name)
	if err != nil {
		return Key{}, token.Token{}, err
	}
	life, err := parseLife(in.Life, MaxServiceLife)
	if err != nil {
		return Key{}, token.Token{}, err
	}
	key := Key{Kind: KeyServiceAccount, Name: name, WorkspaceID: in.WorkspaceID, Permissions: in.Permissions.List()}
	if in.WorkspaceID != nil {
		key.WorkspaceRole = nullableText(authz.WorkspaceRole(in.Role))
	} else {
		key.OrgRole = nullableText(authz.OrgRole(in.Role))
	}
	if err := checkRole(in); err != nil {
		return Key{}, token.Token{}, err
	}
	return s.createKey(ctx, by, key, life, func(tx pgx.Tx) error {
		by, err := lockMembers(ctx, tx, by)
		if err != nil {
			return err
		}
		if in.WorkspaceID == nil {
			return refuseUnless(by.MayGrantOrgKey(authz.OrgRole(in.Role), in.Permissions))
		}
		there, err := standIn(ctx, tx, by, *in.WorkspaceID)
		if err != nil {
			return err
		}
		return refuseUnless(there.MayGrantWorkspaceKey(authz.WorkspaceRole(in.Role), in.Permissions))
	})
}

func checkRole(in NewKey) error {
	switch {
	case in.Role == "" && in.Permissions == 0:
		return invalid("role", "given: a key without a role may do nothing")
	case in.Role == "":
		return nil
	case in.WorkspaceID != nil && !authz.WorkspaceRole(in.Role).Known():
		return invalid("role", "admin, developer, operator or viewer for a workspace's key")
	case in.WorkspaceID == nil && !authz.OrgRole(in.Role).Known():
		return invalid("role", "owner, admin, billing or member for an organization's key")
	}
	return nil
}

// CreatePersonalToken makes a token with which the caller works from the command
// line: in the organization of the request or, where it names none, in the only
// one that the caller belongs to. It takes a sign-in: a token that could make
// tokens would never end. Its faults are INVALID_ARGUMENT and PERMISSION_DENIED.
func (s *Store) CreatePersonalToken(ctx context.Context, by caller.Caller, name string, life time.Duration) (Key, token.Token, error) {
	if !by.Person() || by.KeyID != id.Nil {
		return Key{}, token.Token{}, errNoSession
	}
	name, err := parseName("name", name)
	if err != nil {
		return Key{}, token.Token{}, err
	}
	if life, err = parseLife(life, MaxPersonalLife); err != nil {
		return Key{}, token.Token{}, err
	}
	if by.OrgID == id.Nil {
		access, err := s.Access(ctx, by)
		if err != nil {
			return Key{}, token.Token{}, err
		}
		if len(access.Organizations) != 1 {
			return Key{}, token.Token{}, invalid("Signalbox-Organization", "the organization that the token is for")
		}
		by.OrgID = access.Organizations[0].Organization.OrgID
	}
	return s.createKey(ctx, by, Key{Kind: KeyPersonal, Name: name, UserID: &by.UserID}, life, func(tx pgx.Tx) error {
		_, err := lockMembers(ctx, tx, by)
		return err
	})
}

func (s *Store) createKey(ctx context.Context, by caller.Caller, key Key, life time.Duration, allowed func(pgx.Tx) error) (Key, token.Token, error) {
	secret, err := token.New(key.Kind.TokenKind(), s.random)
	if err != nil {
		return Key{}, token.Token{}, err
	}
	key.ID = id.New()
	err = pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		if err := allowed(tx); err != nil {
			return err
		}
		now := s.now()
		_, err := tx.Exec(ctx, sqlInsertKey, pgx.StrictNamedArgs{
			"org_id": by.OrgID, "id": key.ID, "kind": key.Kind, "name": key.Name, "hash": secret.Hash(), "last4": secret.Last4(),
			"user_id": key.UserID, "workspace_id": key.WorkspaceID, "org_role": key.OrgRole, "workspace_role": key.WorkspaceRole,
			"permissions": append([]authz.Permission{}, key.Permissions...), "created_by": nullable(by.UserID),
			"now": now, "expires_at": now.Add(life),
		})
		if err != nil {
			return fmt.Errorf("make a key: %w", err)
		}
		rows, _ := tx.Query(ctx, sqlGetKey, pgx.StrictNamedArgs{"org_id": by.OrgID, "id": key.ID})
		if key, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Key]); err != nil {
			return fmt.Errorf("read a key: %w", err)
		}
		return s.recordKey(ctx, tx, by, "key.create", key)
	})
	return key, secret, err
}

const sqlListKeys = `
	SELECT` + keyColumns + `
	  FROM api_key k
	  LEFT JOIN users u ON u.id = k.created_by
	 WHERE k.org_id = @org_id
	 ORDER BY k.revoked_at IS NOT NULL, k.created_at DESC, k.id`

// ListKeys returns the organization's keys and personal tokens, dead ones last.
func (s *Store) ListKeys(ctx context.Context, by caller.Caller) ([]Key, error) {
	var keys []Key
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, sqlListKeys, pgx.StrictNamedArgs{"org_id": by.OrgID})
		if keys, err = pgx.CollectRows(rows, pgx.RowToStructByName[Key]); err != nil {
			return fmt.Errorf("list keys: %w", err)
		}
		return nil
	})
	return keys, err
}

const sqlRevokeKey = `
	UPDATE api_key
	   SET revoked_at = @now
	 WHERE org_id = @org_id
	   AND id = @id
	   AND revoked_at IS NULL`

// RevokeKey ends a key or a personal token at its next call. Ending it again is
// fine. Its fault is NOT_FOUND.
func (s *Store) RevokeKey(ctx context.Context, by caller.Caller, key id.UUID) error {
	return pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, sqlGetKey, pgx.StrictNamedArgs{"org_id": by.OrgID, "id": key})
		found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Key])
		if err != nil {
			return pg.NotFoundAs(fmt.Errorf("read a key: %w", err), fault.NotFound("key", id.Format(id.Key, key)))
		}
		tag, err := tx.Exec(ctx, sqlRevokeKey, pgx.StrictNamedArgs{"org_id": by.OrgID, "id": key, "now": s.now()})
		if err != nil {
			return fmt.Errorf("revoke a key: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
		return s.recordKey(ctx, tx, by, "key.revoke", found)
	})
}

func (s *Store) recordKey(ctx context.Context, tx pgx.Tx, by caller.Caller, action string, k Key) error {
	event := by.Event(action, id.Format(id.Key, k.ID))
	event.WorkspaceID = value(k.WorkspaceID)
	event.Detail = detail("kind", string(k.Kind), "name", k.Name,
		"role", string(value(k.OrgRole))+string(value(k.WorkspaceRole)), "expires_at", k.ExpiresAt.UTC().Format(time.RFC3339))
	return s.record(ctx, tx, event)
}

// parseLife returns how long a key lives.
func parseLife(life, most time.Duration) (time.Duration, error) {
	if life == 0 {
		return min(DefaultKeyLife, most), nil
	}
	if life < 0 || life > most {
		return 0, invalid("days", fmt.Sprintf("at most %d", int(most.Hours()/24)))
	}
	return life, nil
}

func refuseUnless(allowed bool) error {
	if !allowed {
		return errBeyondOwnRights
	}
	return nil
}
