package tenancydb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Access is what a credential reaches.
type Access struct {
	Organizations []OrganizationAccess
	// Invitations are those to the person's address that can be accepted.
	Invitations []Invitation
}

// OrganizationAccess is an organization with the workspaces that one may enter.
type OrganizationAccess struct {
	Organization Organization
	Role         authz.OrgRole
	Workspaces   []WorkspaceAccess
}

// WorkspaceAccess is a workspace with what one may do in it.
type WorkspaceAccess struct {
	Workspace   Workspace
	Role        authz.WorkspaceRole // of the grant; "" where the organization's role opens it
	Permissions []authz.Permission
}

const accessColumns = organizationColumns + `,
	w.id AS workspace_id, w.slug AS workspace_slug, w.name AS workspace_name, w.restricted, w.sealing_kid,
	w.sealing_public, w.created_at AS workspace_created_at`

const sqlListAccessOfUser = `
	SELECT ` + accessColumns + `, m.role, g.role AS workspace_role, g.data_read
	  FROM membership m
	  JOIN organization o ON o.org_id = m.org_id
	  LEFT JOIN workspace w ON w.org_id = m.org_id
	  LEFT JOIN workspace_grant g ON g.org_id = w.org_id AND g.workspace_id = w.id AND g.user_id = m.user_id
	 WHERE m.user_id = @user_id
	   AND o.state <> 'closed'
	 ORDER BY o.name, o.org_id, w.name, w.id`

const sqlListAccessOfKey = `
	SELECT ` + accessColumns + `, k.org_role AS role, k.workspace_role, false AS data_read
	  FROM api_key k
	  JOIN organization o ON o.org_id = k.org_id
	  LEFT JOIN workspace w ON w.org_id = k.org_id AND (k.workspace_id IS NULL OR w.id = k.workspace_id)
	 WHERE k.org_id = @org_id
	   AND k.id = @key_id
	   AND o.state <> 'closed'
	 ORDER BY o.name, o.org_id, w.name, w.id`

type foundAccess struct {
	Organization
	WorkspaceID        *id.UUID
	WorkspaceSlug      *string
	WorkspaceName      *string
	Restricted         *bool
	SealingKID         *string
	SealingPublic      []byte
	WorkspaceCreatedAt *time.Time
	Role               *authz.OrgRole
	WorkspaceRole      *authz.WorkspaceRole
	DataRead           *bool
}

// Access returns what the caller reaches with the credential that asks.
func (s *Store) Access(ctx context.Context, by caller.Caller) (Access, error) {
	query, args := sqlListAccessOfKey, pgx.StrictNamedArgs{"org_id": by.KeyOrgID, "key_id": by.KeyID}
	if by.Person() {
		query, args = sqlListAccessOfUser, pgx.StrictNamedArgs{"user_id": by.UserID}
	}
	rows, _ := s.db.Auth.Query(ctx, query, args)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[foundAccess])
	if err != nil {
		return Access{}, fmt.Errorf("list what a credential reaches: %w", err)
	}
	var access Access
	for _, f := range found {
		access.add(f, by.Principal)
	}
	if by.Person() {
		access.Invitations, err = s.listInvitationsTo(ctx, by.Email, s.now())
	}
	return access, err
}

// add puts one row where it belongs: rows come in the order of organizations.
func (a *Access) add(f foundAccess, p authz.Principal) {
	if n := len(a.Organizations); n == 0 || a.Organizations[n-1].Organization.OrgID != f.OrgID {
		a.Organizations = append(a.Organizations, OrganizationAccess{Organization: f.Organization, Role: value(f.Role)})
	}
	if f.WorkspaceID == nil {
		return
	}
	p.OrgID, p.OrgState, p.OrgRole = f.OrgID, f.State, value(f.Role)
	p.WorkspaceID, p.WorkspaceRole = *f.WorkspaceID, value(f.WorkspaceRole)
	p.Restricted, p.DataRead = value(f.Restricted), value(f.DataRead)
	rights := p.Rights(authz.ScopeWorkspace)
	if rights == 0 {
		return
	}
	org := &a.Organizations[len(a.Organizations)-1]
	org.Workspaces = append(org.Workspaces, WorkspaceAccess{
		Workspace: Workspace{
			OrgID: f.OrgID, ID: *f.WorkspaceID, Slug: value(f.WorkspaceSlug), Name: value(f.WorkspaceName),
			Restricted: value(f.Restricted), SealingKID: f.SealingKID, SealingPublic: f.SealingPublic,
			CreatedAt: value(f.WorkspaceCreatedAt),
		},
		Role: value(f.WorkspaceRole), Permissions: rights.List(),
	})
}
