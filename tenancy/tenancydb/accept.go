package tenancydb

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
	"github.com/signalboxhq/signalbox/tenancy/token"
)

// Both ways to an invitation demand the address that it was sent to: a link that
// was passed on opens nothing.

const sqlFindInvitationByLink = `
	SELECT i.org_id, i.id
	  FROM invitation i
	 WHERE i.token_hash = @hash
	   AND i.email_key = @email_key`

const sqlFindInvitationByID = `
	SELECT i.org_id, i.id
	  FROM invitation i
	 WHERE i.id = @id
	   AND i.email_key = @email_key
	   AND i.state = 'pending'`

const sqlAcceptInvitation = `
	UPDATE invitation
	   SET state = 'accepted', decided_at = @now, accepted_by = @user_id
	 WHERE org_id = @org_id
	   AND id = @id
	   AND state = 'pending'
	   AND expires_at > @now
	RETURNING role, workspace_id, workspace_role, invited_by`

type foundInvitation struct{ OrgID, ID id.UUID }

// AcceptInvitationToken makes the caller a member by the link that was mailed to
// them. Its fault is TOKEN_INVALID, whatever is wrong with it.
func (s *Store) AcceptInvitationToken(ctx context.Context, by caller.Caller, text string) (Organization, error) {
	secret, err := token.ParseKind(token.Mail, text)
	if err != nil {
		return Organization{}, errMailToken.Because(err)
	}
	return s.acceptInvitation(ctx, by, errMailToken, sqlFindInvitationByLink, pgx.StrictNamedArgs{"hash": secret.Hash()})
}

// AcceptInvitation makes the caller a member by an invitation to their address
// that Access showed them. Its fault is NOT_FOUND.
func (s *Store) AcceptInvitation(ctx context.Context, by caller.Caller, invitation id.UUID) (Organization, error) {
	missing := fault.NotFound("invitation", id.Format(id.Invitation, invitation))
	return s.acceptInvitation(ctx, by, missing, sqlFindInvitationByID, pgx.StrictNamedArgs{"id": invitation})
}

func (s *Store) acceptInvitation(ctx context.Context, by caller.Caller, missing *fault.Error, query string, args pgx.StrictNamedArgs) (Organization, error) {
	if !by.Person() {
		return Organization{}, errNoPerson
	}
	args["email_key"] = strings.ToLower(by.Email)
	rows, _ := s.db.Auth.Query(ctx, query, args)
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[foundInvitation])
	if err != nil {
		return Organization{}, pg.NotFoundAs(fmt.Errorf("find an invitation: %w", err), missing)
	}
	by.OrgID, by.WorkspaceID = found.OrgID, id.Nil
	var org Organization
	err = pg.InTenant(ctx, s.db.API, found.OrgID, func(tx pgx.Tx) error {
		if org, err = s.join(ctx, tx, by, found.ID, missing); err != nil {
			return err
		}
		event := by.Event("member.join", id.Format(id.User, by.UserID))
		event.Detail = detail("invitation", id.Format(id.Invitation, found.ID))
		return s.record(ctx, tx, event)
	})
	return org, err
}

// join uses the invitation up and gives what it promised. Whoever is a member
// already keeps the role they have, and gains the grant.
func (s *Store) join(ctx context.Context, tx pgx.Tx, by caller.Caller, invitation id.UUID, missing *fault.Error) (Organization, error) {
	now := s.now()
	rows, _ := tx.Query(ctx, sqlAcceptInvitation, pgx.StrictNamedArgs{
		"org_id": by.OrgID, "id": invitation, "user_id": by.UserID, "now": now,
	})
	type promise struct {
		Role          authz.OrgRole
		WorkspaceID   *id.UUID
		WorkspaceRole *authz.WorkspaceRole
		InvitedBy     id.UUID
	}
	p, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[promise])
	if err != nil {
		return Organization{}, pg.NotFoundAs(fmt.Errorf("accept an invitation: %w", err), missing)
	}
	_, err = tx.Exec(ctx, sqlInsertMembership, pgx.StrictNamedArgs{
		"org_id": by.OrgID, "id": id.New(), "user_id": by.UserID, "role": p.Role, "invited_by": p.InvitedBy, "now": now,
	})
	if err != nil {
		return Organization{}, fmt.Errorf("make a member: %w", err)
	}
	if p.WorkspaceID != nil {
		inviter := by
		inviter.UserID = p.InvitedBy
		if err := s.grant(ctx, tx, inviter, *p.WorkspaceID, by.UserID, *p.WorkspaceRole, false); err != nil {
			return Organization{}, err
		}
	}
	orgs, _ := tx.Query(ctx, sqlGetOrganization, pgx.StrictNamedArgs{"org_id": by.OrgID})
	org, err := pgx.CollectExactlyOneRow(orgs, pgx.RowToStructByName[Organization])
	if err != nil {
		return Organization{}, fmt.Errorf("get the organization: %w", err)
	}
	return org, nil
}

const sqlListInvitationsTo = `
	SELECT` + invitationColumns + invitationTables + `
	 WHERE i.email_key = @email_key
	   AND i.state = 'pending'
	   AND i.expires_at > @now
	 ORDER BY i.created_at DESC, i.id`

// listInvitationsTo returns what the caller is invited to, over all
// organizations.
func (s *Store) listInvitationsTo(ctx context.Context, email string, now time.Time) ([]Invitation, error) {
	rows, _ := s.db.Auth.Query(ctx, sqlListInvitationsTo, pgx.StrictNamedArgs{"email_key": strings.ToLower(email), "now": now})
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Invitation])
	if err != nil {
		return nil, fmt.Errorf("list invitations to a person: %w", err)
	}
	return list, nil
}
