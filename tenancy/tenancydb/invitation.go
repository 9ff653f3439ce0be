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

// InvitationState is where an invitation stands. A pending one that has expired
// is nothing any more, but stays pending until it is replaced.
type InvitationState string

// The states of an invitation.
const (
	InvitationPending  InvitationState = "pending"
	InvitationAccepted InvitationState = "accepted"
	InvitationRevoked  InvitationState = "revoked"
)

// InvitationStates lists the states.
func InvitationStates() []InvitationState {
	return []InvitationState{InvitationPending, InvitationAccepted, InvitationRevoked}
}

// Invitation asks a person to join an organization.
type Invitation struct {
	OrgID   id.UUID
	OrgName string
	ID      id.UUID
	Email   string
	Role    authz.OrgRole
	// WorkspaceID, WorkspaceSlug and WorkspaceRole are the grant that comes with
	// it; nil where there is none.
	WorkspaceID   *id.UUID
	WorkspaceSlug *string
	WorkspaceRole *authz.WorkspaceRole
	InvitedBy     id.UUID
	InviterEmail  string
	CreatedAt     time.Time
	ExpiresAt     time.Time
}

const invitationColumns = `
	i.org_id, o.name AS org_name, i.id, i.email, i.role, i.workspace_id, w.slug AS workspace_slug, i.workspace_role,
	i.invited_by, coalesce(u.email, '') AS inviter_email, i.created_at, i.expires_at`

const invitationTables = `
	  FROM invitation i
	  JOIN organization o ON o.org_id = i.org_id
	  LEFT JOIN workspace w ON w.org_id = i.org_id AND w.id = i.workspace_id
	  LEFT JOIN users u ON u.id = i.invited_by`

// Invite is who is asked to join, and as what. WorkspaceID is nil where no grant
// comes with it.
type Invite struct {
	Email         string
	Role          authz.OrgRole
	WorkspaceID   *id.UUID
	WorkspaceRole authz.WorkspaceRole
}

const sqlReplaceInvitation = `
	UPDATE invitation
	   SET state = 'revoked', decided_at = @now
	 WHERE org_id = @org_id
	   AND email_key = @email_key
	   AND state = 'pending'`

const sqlInsertInvitation = `
	INSERT INTO invitation (org_id, id, token_hash, email, email_key, role, workspace_id, workspace_role, invited_by,
	                        created_at, expires_at)
	VALUES (@org_id, @id, @hash, @email, @email_key, @role, @workspace_id, @workspace_role, @invited_by, @now, @expires_at)`

const sqlGetInvitation = `
	SELECT` + invitationColumns + invitationTables + `
	 WHERE i.org_id = @org_id
	   AND i.id = @id`

const sqlIsMember = `
	SELECT EXISTS (
	  SELECT
	    FROM membership m
	    JOIN users u ON u.id = m.user_id
	   WHERE m.org_id = @org_id
	     AND u.email_key = @email_key)`

// InviteMember makes an invitation, which replaces an older one to the same
// address, and returns the token for its mail. Its faults are ALREADY_EXISTS (a
// member already), PERMISSION_DENIED (no role beyond the caller's), NOT_FOUND
// (the workspace), INVALID_ARGUMENT, QUOTA_EXCEEDED and RATE_LIMITED.
func (s *Store) InviteMember(ctx context.Context, by caller.Caller, in Invite) (Invitation, token.Token, error) {
	email, key, err := s.checkInvite(ctx, in)
	if err != nil {
		return Invitation{}, token.Token{}, err
	}
	secret, err := token.New(token.Mail, s.random)
	if err != nil {
		return Invitation{}, token.Token{}, err
	}
	var made Invitation
	err = pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		by, err := lockMembers(ctx, tx, by)
		if err != nil {
			return err
		}
		if err := mayInvite(ctx, tx, by, in, key); err != nil {
			return err
		}
		err = within(ctx, tx, sqlCountInvitations, pgx.StrictNamedArgs{"org_id": by.OrgID, "now": s.now()}, maxInvitations, "invitations that wait")
		if err != nil {
			return err
		}
		now, invitation := s.now(), id.New()
		_, err = tx.Exec(ctx, sqlReplaceInvitation, pgx.StrictNamedArgs{"org_id": by.OrgID, "email_key": key, "now": now})
		if err != nil {
			return fmt.Errorf("replace an invitation: %w", err)
		}
		_, err = tx.Exec(ctx, sqlInsertInvitation, pgx.StrictNamedArgs{
			"org_id": by.OrgID, "id": invitation, "hash": secret.Hash(), "email": email, "email_key": key, "role": in.Role,
			"workspace_id": in.WorkspaceID, "workspace_role": nullableText(in.WorkspaceRole), "invited_by": by.UserID,
			"now": now, "expires_at": now.Add(InvitationLife),
		})
		if err != nil {
			return fmt.Errorf("make an invitation: %w", err)
		}
		rows, _ := tx.Query(ctx, sqlGetInvitation, pgx.StrictNamedArgs{"org_id": by.OrgID, "id": invitation})
		if made, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Invitation]); err != nil {
			return fmt.Errorf("read an invitation: %w", err)
		}
		return s.recordInvitation(ctx, tx, by, "member.invite", made)
	})
	return made, secret, err
}

func (s *Store) checkInvite(ctx context.Context, in Invite) (email, key string, err error) {
	if email, key, err = parseEmail("email", in.Email); err != nil {
		return "", "", err
	}
	if !in.Role.Known() {
		return "", "", invalid("role", "owner, admin, billing or member")
	}
	if (in.WorkspaceID != nil || in.WorkspaceRole != "") && !in.WorkspaceRole.Known() {
		return "", "", invalid("workspace_role", "admin, developer, operator or viewer")
	}
	if in.WorkspaceRole != "" && in.WorkspaceID == nil {
		return "", "", invalid("workspace_id", "the workspace of the role")
	}
	return email, key, s.tryMailTo(ctx, key)
}

func mayInvite(ctx context.Context, tx pgx.Tx, by caller.Caller, in Invite, emailKey string) error {
	if !by.MayGrantOrgRole(in.Role) {
		return errBeyondOwnRights
	}
	if in.WorkspaceID != nil {
		there, err := standIn(ctx, tx, by, *in.WorkspaceID)
		if err != nil {
			return err
		}
		if !there.MayGrantWorkspaceRole(in.WorkspaceRole, false) {
			return errBeyondOwnRights
		}
	}
	var member bool
	err := tx.QueryRow(ctx, sqlIsMember, pgx.StrictNamedArgs{"org_id": by.OrgID, "email_key": emailKey}).Scan(&member)
	if err != nil {
		return fmt.Errorf("look for a member: %w", err)
	}
	if member {
		return fault.AlreadyExists(ReasonTaken, "%s is a member already", in.Email)
	}
	return nil
}

const sqlListInvitations = `
	SELECT` + invitationColumns + invitationTables + `
	 WHERE i.org_id = @org_id
	   AND i.state = 'pending'
	   AND i.expires_at > @now
	 ORDER BY i.created_at DESC, i.id`

// ListInvitations returns the organization's invitations that can still be
// accepted, the newest first.
func (s *Store) ListInvitations(ctx context.Context, by caller.Caller) ([]Invitation, error) {
	var list []Invitation
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, sqlListInvitations, pgx.StrictNamedArgs{"org_id": by.OrgID, "now": s.now()})
		if list, err = pgx.CollectRows(rows, pgx.RowToStructByName[Invitation]); err != nil {
			return fmt.Errorf("list invitations: %w", err)
		}
		return nil
	})
	return list, err
}

const sqlRevokeInvitation = `
	UPDATE invitation
	   SET state = 'revoked', decided_at = @now
	 WHERE org_id = @org_id
	   AND id = @id
	   AND state = 'pending'`

// RevokeInvitation makes an invitation's link worthless. Its faults are
// NOT_FOUND, also for one that was accepted or revoked before, and
// PERMISSION_DENIED where it promises more than the caller may give.
func (s *Store) RevokeInvitation(ctx context.Context, by caller.Caller, invitation id.UUID) error {
	return pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		missing := fault.NotFound("invitation", id.Format(id.Invitation, invitation))
		rows, _ := tx.Query(ctx, sqlGetInvitation, pgx.StrictNamedArgs{"org_id": by.OrgID, "id": invitation})
		found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Invitation])
		if err != nil {
			return pg.NotFoundAs(fmt.Errorf("read an invitation: %w", err), missing)
		}
		if !by.MayGrantOrgRole(found.Role) {
			return errBeyondOwnRights
		}
		tag, err := tx.Exec(ctx, sqlRevokeInvitation, pgx.StrictNamedArgs{"org_id": by.OrgID, "id": invitation, "now": s.now()})
		if err != nil {
			return fmt.Errorf("revoke an invitation: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return missing
		}
		return s.recordInvitation(ctx, tx, by, "member.revoke_invitation", found)
	})
}

const sqlRevokeInvitationsOf = `
	UPDATE invitation
	   SET state = 'revoked', decided_at = @now
	 WHERE org_id = @org_id
	   AND invited_by = @user_id
	   AND state = 'pending'`

func (s *Store) revokeInvitationsOf(ctx context.Context, tx pgx.Tx, org, user id.UUID) error {
	_, err := tx.Exec(ctx, sqlRevokeInvitationsOf, pgx.StrictNamedArgs{"org_id": org, "user_id": user, "now": s.now()})
	if err != nil {
		return fmt.Errorf("revoke a member's invitations: %w", err)
	}
	return nil
}

func (s *Store) recordInvitation(ctx context.Context, tx pgx.Tx, by caller.Caller, action string, i Invitation) error {
	event := by.Event(action, id.Format(id.Invitation, i.ID))
	event.Personal.Subject = i.Email
	event.WorkspaceID = value(i.WorkspaceID)
	event.Detail = detail("role", string(i.Role), "workspace_role", string(value(i.WorkspaceRole)))
	return s.record(ctx, tx, event)
}

func nullableText[T ~string](text T) *T {
	if text == "" {
		return nil
	}
	return &text
}
