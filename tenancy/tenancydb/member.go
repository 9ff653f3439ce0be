package tenancydb

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Member is a user's membership in the organization, with what they are in its
// workspaces.
type Member struct {
	UserID   id.UUID
	Email    string
	Name     string
	Role     authz.OrgRole
	JoinedAt time.Time
	Grants   []Grant `db:"-"`
}

const memberColumns = `m.user_id, u.email, u.name, m.role, m.created_at AS joined_at`

const sqlListMembers = `
	SELECT ` + memberColumns + `
	  FROM membership m
	  JOIN users u ON u.id = m.user_id
	 WHERE m.org_id = @org_id
	 ORDER BY u.email, m.user_id`

// ListMembers returns the organization's members, by e-mail address, with their
// grants in the workspaces that the caller may know of.
func (s *Store) ListMembers(ctx context.Context, by caller.Caller) ([]Member, error) {
	var members []Member
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, sqlListMembers, pgx.StrictNamedArgs{"org_id": by.OrgID})
		var err error
		if members, err = pgx.CollectRows(rows, pgx.RowToStructByName[Member]); err != nil {
			return fmt.Errorf("list members: %w", err)
		}
		grants, err := listGrants(ctx, tx, by.OrgID, nil)
		if err != nil {
			return err
		}
		for i, m := range members {
			members[i].Grants = knownTo(by, grants[m.UserID], grants[by.UserID])
		}
		return nil
	})
	return members, err
}

const sqlGetMember = `
	SELECT ` + memberColumns + `
	  FROM membership m
	  JOIN users u ON u.id = m.user_id
	 WHERE m.org_id = @org_id
	   AND m.user_id = @user_id`

func getMember(ctx context.Context, tx pgx.Tx, org, user id.UUID) (Member, error) {
	rows, _ := tx.Query(ctx, sqlGetMember, pgx.StrictNamedArgs{"org_id": org, "user_id": user})
	m, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Member])
	if err != nil {
		return m, pg.NotFoundAs(fmt.Errorf("get a member: %w", err), fault.NotFound("member", id.Format(id.User, user)))
	}
	grants, err := listGrants(ctx, tx, org, &user)
	m.Grants = grants[user]
	return m, err
}

// sqlLockMembers serializes all changes of an organization's members and roles:
// only so can each see how many owners there are, and what its caller still is.
// NO KEY lets foreign keys to the organization pass.
const sqlLockMembers = `
	SELECT m.role
	  FROM organization o
	  JOIN membership m ON m.org_id = o.org_id AND m.user_id = @user_id
	 WHERE o.org_id = @org_id
	   FOR NO KEY UPDATE OF o`

// lockMembers returns the caller with the role that they have now, which may be
// less than when the request was authenticated.
func lockMembers(ctx context.Context, tx pgx.Tx, by caller.Caller) (caller.Caller, error) {
	rows, _ := tx.Query(ctx, sqlLockMembers, pgx.StrictNamedArgs{"org_id": by.OrgID, "user_id": by.UserID})
	role, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[authz.OrgRole])
	if err != nil {
		return by, pg.NotFoundAs(fmt.Errorf("lock the members: %w", err), errBeyondOwnRights)
	}
	by.OrgRole = role
	return by, nil
}

const sqlSetMemberRole = `
	UPDATE membership
	   SET role = @to
	 WHERE org_id = @org_id
	   AND user_id = @user_id
	   AND role = @from`

// SetMemberRole changes what a member is in the organization. Whoever loses
// rights loses the invitations that they have sent. Its faults are NOT_FOUND,
// LAST_OWNER, PERMISSION_DENIED (neither the old nor the new role may exceed the
// caller's) and INVALID_ARGUMENT.
func (s *Store) SetMemberRole(ctx context.Context, by caller.Caller, user id.UUID, role authz.OrgRole) (Member, error) {
	if !role.Known() {
		return Member{}, invalid("role", "owner, admin, billing or member")
	}
	var m Member
	err := pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		by, err := lockMembers(ctx, tx, by)
		if err != nil {
			return err
		}
		if m, err = getMember(ctx, tx, by.OrgID, user); err != nil || m.Role == role {
			return err
		}
		from := m.Role
		if !by.MayGrantOrgRole(from) || !by.MayGrantOrgRole(role) {
			return errBeyondOwnRights
		}
		if err := keepAnOwner(ctx, tx, by.OrgID, from); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, sqlSetMemberRole, pgx.StrictNamedArgs{"org_id": by.OrgID, "user_id": user, "from": from, "to": role})
		if err != nil {
			return fmt.Errorf("set a member's role: %w", err)
		}
		m.Role = role
		if err := s.revokeInvitationsOf(ctx, tx, by.OrgID, user); err != nil {
			return err
		}
		return s.recordMember(ctx, tx, by, "member.set_role", m, "from", string(from), "to", string(role))
	})
	return m, err
}

const sqlDeleteMembership = `
	DELETE FROM membership
	 WHERE org_id = @org_id
	   AND user_id = @user_id`

// RemoveMember ends a membership, and with it the member's grants and open
// invitations to others; their next call here, by session or personal token,
// finds nothing. Everybody may remove themselves. Its faults are NOT_FOUND, LAST_OWNER
// and PERMISSION_DENIED.
func (s *Store) RemoveMember(ctx context.Context, by caller.Caller, user id.UUID) error {
	return pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		by, err := lockMembers(ctx, tx, by)
		if err != nil {
			return err
		}
		m, err := getMember(ctx, tx, by.OrgID, user)
		if err != nil {
			return err
		}
		if user != by.UserID && !by.MayGrantOrgRole(m.Role) {
			return errBeyondOwnRights
		}
		if err := keepAnOwner(ctx, tx, by.OrgID, m.Role); err != nil {
			return err
		}
		if err := s.revokeInvitationsOf(ctx, tx, by.OrgID, user); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, sqlDeleteMembership, pgx.StrictNamedArgs{"org_id": by.OrgID, "user_id": user})
		if err != nil {
			return fmt.Errorf("remove a member: %w", err)
		}
		return s.recordMember(ctx, tx, by, "member.remove", m, "role", string(m.Role))
	})
}

const sqlCountOwners = `
	SELECT count(*)
	  FROM membership m
	 WHERE m.org_id = @org_id
	   AND m.role = 'owner'`

// keepAnOwner refuses to take the role of the last owner away.
func keepAnOwner(ctx context.Context, tx pgx.Tx, org id.UUID, taken authz.OrgRole) error {
	if taken != authz.OrgOwner {
		return nil
	}
	var owners int
	if err := tx.QueryRow(ctx, sqlCountOwners, pgx.StrictNamedArgs{"org_id": org}).Scan(&owners); err != nil {
		return fmt.Errorf("count the owners: %w", err)
	}
	if owners <= 1 {
		return errLastOwner
	}
	return nil
}

func (s *Store) recordMember(ctx context.Context, tx pgx.Tx, by caller.Caller, action string, m Member, pairs ...string) error {
	event := by.Event(action, id.Format(id.User, m.UserID))
	event.Personal.Subject, event.Detail = m.Email, detail(pairs...)
	return s.record(ctx, tx, event)
}

// detail is an audit event's detail: pairs of a name and its value.
func detail(pairs ...string) string {
	object := make(map[string]string, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		object[pairs[i]] = pairs[i+1]
	}
	text, err := json.Marshal(object) // sorts the names
	if err != nil {
		panic("tenancydb: a map of strings has no JSON: " + err.Error())
	}
	return string(text)
}
