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

// Key is a service account's API key, without its secret.
type Key struct {
	ID    id.UUID
	Name  string
	Last4 string
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
	k.id, k.name, k.last4, k.workspace_id, k.org_role, k.workspace_role, k.permissions,
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
	INSERT INTO api_key (org_id, id, name, hash, last4, workspace_id, org_role, workspace_role, permissions, created_by,
	                     created_at, expires_at)
	VALUES (@org_id, @id, @name, @hash, @last4, @workspace_id, @org_role, @workspace_role, @permissions, @created_by,
	        @now, @expires_at)`

const sqlGetKey = `
	SELECT` + keyColumns + `
	  FROM api_key k
	  LEFT JOIN users u ON u.id = k.created_by
	 WHERE k.org_id = @org_id
	   AND k.id = @id`

// CreateKey makes a key of a service account and returns its secret, once. Its
// faults are INVALID_ARGUMENT, NOT_FOUND (the workspace), PERMISSION_DENIED
// (nothing beyond the caller's own rights) and QUOTA_EXCEEDED.
func (s *Store) CreateKey(ctx context.Context, by caller.Caller, in NewKey) (Key, token.Token, error) {
	name, err := parseName("name", in.Name)
	if err != nil {
		return Key{}, token.Token{}, err
	}
	life, err := parseLife(in.Life, MaxServiceLife)
	if err != nil {
		return Key{}, token.Token{}, err
	}
	if err := checkRole(in); err != nil {
		return Key{}, token.Token{}, err
	}
	secret, err := token.New(token.ServiceKey, s.random)
	if err != nil {
		return Key{}, token.Token{}, err
	}
	var key Key
	err = pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		if err := mayMakeKey(ctx, tx, by, in); err != nil {
			return err
		}
		if err := within(ctx, tx, sqlCountKeys, pgx.StrictNamedArgs{"org_id": by.OrgID, "now": s.now()}, maxKeys, "keys"); err != nil {
			return err
		}
		keyID, now := id.New(), s.now()
		args := pgx.StrictNamedArgs{
			"org_id": by.OrgID, "id": keyID, "name": name, "hash": secret.Hash(), "last4": secret.Last4(),
			"workspace_id": in.WorkspaceID, "org_role": nil, "workspace_role": nil,
			"permissions": append([]authz.Permission{}, in.Permissions.List()...), // never NULL
			"created_by":  by.UserID, "now": now, "expires_at": now.Add(life),
		}
		if in.WorkspaceID != nil {
			args["workspace_role"] = nullableText(in.Role)
		} else {
			args["org_role"] = nullableText(in.Role)
		}
		if _, err := tx.Exec(ctx, sqlInsertKey, args); err != nil {
			return fmt.Errorf("make a key: %w", err)
		}
		if key, err = getKey(ctx, tx, by.OrgID, keyID); err != nil {
			return err
		}
		return s.recordKey(ctx, tx, by, "key.create", key)
	})
	return key, secret, err
}

func mayMakeKey(ctx context.Context, tx pgx.Tx, by caller.Caller, in NewKey) error {
	by, err := lockMembers(ctx, tx, by)
	if err != nil {
		return err
	}
	var allowed bool
	if in.WorkspaceID == nil {
		allowed = by.MayGrantOrgKey(authz.OrgRole(in.Role), in.Permissions)
	} else {
		if by, err = standIn(ctx, tx, by, *in.WorkspaceID); err != nil {
			return err
		}
		allowed = by.MayGrantWorkspaceKey(authz.WorkspaceRole(in.Role), in.Permissions)
	}
	if !allowed {
		return errBeyondOwnRights
	}
	return nil
}

func getKey(ctx context.Context, tx pgx.Tx, org, key id.UUID) (Key, error) {
	rows, _ := tx.Query(ctx, sqlGetKey, pgx.StrictNamedArgs{"org_id": org, "id": key})
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Key])
	if err != nil {
		return Key{}, pg.NotFoundAs(fmt.Errorf("read a key: %w", err), fault.NotFound("key", id.Format(id.Key, key)))
	}
	return found, nil
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

// OwnKey returns the key of the service account that asks.
func (s *Store) OwnKey(ctx context.Context, by caller.Caller) (Key, error) {
	var key Key
	err := pg.InTenantRead(ctx, s.db.API, by.KeyOrgID, func(tx pgx.Tx) (err error) {
		key, err = getKey(ctx, tx, by.KeyOrgID, by.KeyID)
		return err
	})
	return key, err
}

const sqlListKeys = `
	SELECT` + keyColumns + `
	  FROM api_key k
	  LEFT JOIN users u ON u.id = k.created_by
	 WHERE k.org_id = @org_id
	 ORDER BY k.revoked_at IS NOT NULL, k.created_at DESC, k.id
	 LIMIT 1000`

// ListKeys returns the organization's keys, dead ones last, the first thousand.
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

// RevokeKey ends a key at its next call. Ending it again is fine. Its fault is
// NOT_FOUND.
func (s *Store) RevokeKey(ctx context.Context, by caller.Caller, key id.UUID) error {
	return pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		found, err := getKey(ctx, tx, by.OrgID, key)
		if err != nil {
			return err
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
	event.Detail = detail("name", k.Name,
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
