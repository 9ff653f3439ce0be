package tenancydb

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Grant is what a member is in one workspace.
type Grant struct {
	UserID        id.UUID
	WorkspaceID   id.UUID
	WorkspaceSlug string
	Role          authz.WorkspaceRole
	// DataRead opens logs and values to a viewer.
	DataRead bool
}

const sqlListGrants = `
	SELECT g.user_id, g.workspace_id, w.slug AS workspace_slug, g.role, g.data_read
	  FROM workspace_grant g
	  JOIN workspace w ON w.org_id = g.org_id AND w.id = g.workspace_id
	 WHERE g.org_id = @org_id
	   AND (@user_id::uuid IS NULL OR g.user_id = @user_id::uuid)
	 ORDER BY w.slug`

// listGrants returns the grants of one user, or of all, by user.
func listGrants(ctx context.Context, tx pgx.Tx, org id.UUID, user *id.UUID) (map[id.UUID][]Grant, error) {
	rows, _ := tx.Query(ctx, sqlListGrants, pgx.StrictNamedArgs{"org_id": org, "user_id": user})
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Grant])
	if err != nil {
		return nil, fmt.Errorf("list grants: %w", err)
	}
	byUser := map[id.UUID][]Grant{}
	for _, g := range list {
		byUser[g.UserID] = append(byUser[g.UserID], g)
	}
	return byUser, nil
}

// knownTo leaves the grants in workspaces that the caller may know of: all of
// them, or those in which the caller has a grant too.
func knownTo(by caller.Caller, grants, own []Grant) []Grant {
	if by.EveryWorkspace() {
		return grants
	}
	var known []Grant
	for _, g := range grants {
		if slices.ContainsFunc(own, func(o Grant) bool { return o.WorkspaceID == g.WorkspaceID }) {
			known = append(known, g)
		}
	}
	return known
}

const sqlStandInWorkspace = `
	SELECT w.restricted, coalesce(g.role, '') AS role, coalesce(g.data_read, false) AS data_read
	  FROM workspace w
	  LEFT JOIN workspace_grant g ON g.org_id = w.org_id AND g.workspace_id = w.id AND g.user_id = @user_id
	 WHERE w.org_id = @org_id
	   AND w.id = @workspace_id`

// standIn returns the caller as they stand in a workspace that the request names
// in its body instead of its header. A workspace in which the caller is nothing
// is missing.
func standIn(ctx context.Context, tx pgx.Tx, by caller.Caller, workspace id.UUID) (caller.Caller, error) {
	missing := fault.NotFound("workspace", id.Format(id.Workspace, workspace))
	rows, _ := tx.Query(ctx, sqlStandInWorkspace, pgx.StrictNamedArgs{
		"org_id": by.OrgID, "workspace_id": workspace, "user_id": by.UserID,
	})
	type stand struct {
		Restricted bool
		Role       authz.WorkspaceRole
		DataRead   bool
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[stand])
	if err != nil {
		return by, pg.NotFoundAs(fmt.Errorf("find a workspace: %w", err), missing)
	}
	p := &by.Principal
	p.WorkspaceID, p.Restricted, p.WorkspaceRole, p.DataRead = workspace, found.Restricted, found.Role, found.DataRead
	if p.Rights(authz.ScopeWorkspace) == 0 {
		return by, missing
	}
	return by, nil
}

const sqlUpsertGrant = `
	INSERT INTO workspace_grant (org_id, workspace_id, user_id, role, data_read, granted_by, created_at)
	VALUES (@org_id, @workspace_id, @user_id, @role, @data_read, @granted_by, @now)
	ON CONFLICT (org_id, workspace_id, user_id)
	DO UPDATE SET role = EXCLUDED.role, data_read = EXCLUDED.data_read, granted_by = EXCLUDED.granted_by`

func (s *Store) grant(ctx context.Context, tx pgx.Tx, by caller.Caller, workspace, user id.UUID, role authz.WorkspaceRole, dataRead bool) error {
	_, err := tx.Exec(ctx, sqlUpsertGrant, pgx.StrictNamedArgs{
		"org_id": by.OrgID, "workspace_id": workspace, "user_id": user, "role": role, "data_read": dataRead,
		"granted_by": nullable(by.UserID), "now": s.now(),
	})
	if err != nil {
		return fmt.Errorf("grant a role in a workspace: %w", err)
	}
	return nil
}

const sqlDeleteGrant = `
	DELETE FROM workspace_grant
	 WHERE org_id = @org_id
	   AND workspace_id = @workspace_id
	   AND user_id = @user_id`

// SetWorkspaceRole grants a member a role in a workspace, or takes it away (an
// empty role). dataRead opens data to a viewer; the other roles open it anyway.
// Its faults are NOT_FOUND, PERMISSION_DENIED (neither the old nor the new role
// may exceed the caller's) and INVALID_ARGUMENT.
func (s *Store) SetWorkspaceRole(ctx context.Context, by caller.Caller, workspace, user id.UUID, role authz.WorkspaceRole, dataRead bool) (Member, error) {
	if role != "" && !role.Known() {
		return Member{}, invalid("role", "admin, developer, operator, viewer, or empty to take it away")
	}
	// Kept beside a stronger role it would come back with a weaker one.
	dataRead = dataRead && role == authz.WorkspaceViewer
	var m Member
	err := pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		by, err := lockMembers(ctx, tx, by)
		if err != nil {
			return err
		}
		if by, err = standIn(ctx, tx, by, workspace); err != nil {
			return err
		}
		if m, err = getMember(ctx, tx, by.OrgID, user); err != nil {
			return err
		}
		from := m.grantIn(workspace)
		if from.Role == role && from.DataRead == dataRead {
			return nil
		}
		if from.Role != "" && !by.MayGrantWorkspaceRole(from.Role, from.DataRead) ||
			role != "" && !by.MayGrantWorkspaceRole(role, dataRead) {
			return errBeyondOwnRights
		}
		if err := s.setGrant(ctx, tx, by, workspace, user, role, dataRead); err != nil {
			return err
		}
		if m, err = getMember(ctx, tx, by.OrgID, user); err != nil {
			return err
		}
		event := by.Event("member.set_workspace_role", id.Format(id.User, user))
		event.WorkspaceID, event.Personal.Subject = workspace, m.Email
		event.Detail = detail("from", string(from.Role), "to", string(role), "data_read", strconv.FormatBool(dataRead))
		return s.record(ctx, tx, event)
	})
	// Whoever is admin of one workspace need not know of the others.
	m.Grants = knownTo(by, m.Grants, []Grant{{WorkspaceID: workspace}})
	return m, err
}

func (s *Store) setGrant(ctx context.Context, tx pgx.Tx, by caller.Caller, workspace, user id.UUID, role authz.WorkspaceRole, dataRead bool) error {
	if role != "" {
		return s.grant(ctx, tx, by, workspace, user, role, dataRead)
	}
	_, err := tx.Exec(ctx, sqlDeleteGrant, pgx.StrictNamedArgs{"org_id": by.OrgID, "workspace_id": workspace, "user_id": user})
	if err != nil {
		return fmt.Errorf("take a role in a workspace away: %w", err)
	}
	return nil
}

func (m Member) grantIn(workspace id.UUID) Grant {
	for _, g := range m.Grants {
		if g.WorkspaceID == workspace {
			return g
		}
	}
	return Grant{}
}
