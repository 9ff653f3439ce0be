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
)

// Organization is a tenant.
type Organization struct {
	OrgID     id.UUID
	Slug      string
	Name      string
	Plan      string
	State     authz.OrgState
	CreatedAt time.Time
	// FrozenAt is set while its agents get nothing new, FreezeNote says why.
	FrozenAt   *time.Time
	FreezeNote string
}

const organizationColumns = `o.org_id, o.slug, o.name, o.plan, o.state, o.created_at, o.frozen_at, o.freeze_note`

// NewOrganization is what a person gives to make one. An empty Slug is proposed
// from the name, an empty WorkspaceName is "Default".
type NewOrganization struct {
	Name          string
	Slug          string
	WorkspaceName string
}

const sqlInsertOrganization = `
	INSERT INTO organization AS o (org_id, slug, name, created_at)
	VALUES (@org_id, @slug, @name, @now)
	RETURNING ` + organizationColumns

const sqlInsertMembership = `
	INSERT INTO membership (org_id, id, user_id, role, invited_by, created_at)
	VALUES (@org_id, @id, @user_id, @role, @invited_by, @now)
	ON CONFLICT (org_id, user_id) DO NOTHING`

// CreateOrganization makes an organization that the caller owns, with a first
// workspace of which the caller is admin. Its faults are INVALID_ARGUMENT,
// QUOTA_EXCEEDED and, for a Slug that was given, ALREADY_EXISTS.
func (s *Store) CreateOrganization(ctx context.Context, by caller.Caller, in NewOrganization) (Organization, Workspace, error) {
	if !by.Person() {
		return Organization{}, Workspace{}, errNoPerson
	}
	name, err := parseName("name", in.Name)
	if err != nil {
		return Organization{}, Workspace{}, err
	}
	if in.WorkspaceName == "" {
		in.WorkspaceName = "Default"
	}
	first, err := parseNewWorkspace("workspace_name", in.WorkspaceName, "")
	if err != nil {
		return Organization{}, Workspace{}, err
	}
	slug := in.Slug
	if slug == "" {
		slug = slugFrom(name)
	}
	if slug, err = parseSlug("slug", slug); err != nil {
		return Organization{}, Workspace{}, err
	}
	err = within(ctx, s.db.Auth, sqlCountOwned, pgx.StrictNamedArgs{"user_id": by.UserID}, maxOrganizations, "organizations that you own")
	if err != nil {
		return Organization{}, Workspace{}, err
	}
	for proposal := slug; ; {
		org, workspace, err := s.createOrganization(ctx, by, name, proposal, first)
		if constraint, taken := pg.UniqueViolation(err); !taken || constraint != "organization_slug" {
			return org, workspace, err
		}
		if in.Slug != "" {
			return org, workspace, fault.AlreadyExists(ReasonTaken, "the slug %q is taken", slug)
		}
		proposal = slug + "-" + randomTail()
	}
}

func (s *Store) createOrganization(ctx context.Context, by caller.Caller, name, slug string, first newWorkspace) (Organization, Workspace, error) {
	by.OrgID, by.WorkspaceID = id.New(), id.Nil
	now := s.now()
	var org Organization
	var workspace Workspace
	err := pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, sqlInsertOrganization, pgx.StrictNamedArgs{"org_id": by.OrgID, "slug": slug, "name": name, "now": now})
		var err error
		if org, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Organization]); err != nil {
			return fmt.Errorf("make an organization: %w", err)
		}
		_, err = tx.Exec(ctx, sqlInsertMembership, pgx.StrictNamedArgs{
			"org_id": by.OrgID, "id": id.New(), "user_id": by.UserID, "role": authz.OrgOwner, "invited_by": nil, "now": now,
		})
		if err != nil {
			return fmt.Errorf("make the owner: %w", err)
		}
		if workspace, err = s.insertWorkspace(ctx, tx, by, first); err != nil {
			return err
		}
		return s.record(ctx, tx, by.Event("org.create", id.Format(id.Org, by.OrgID)))
	})
	return org, workspace, err
}

// randomTail makes a proposed slug unique: four of the digits of a fresh id.
func randomTail() string {
	text := id.Format(id.Org, id.New())
	return text[len(text)-4:]
}

const sqlGetOrganization = `
	SELECT ` + organizationColumns + `
	  FROM organization o
	 WHERE o.org_id = @org_id`

// GetOrganization returns the organization of the request.
func (s *Store) GetOrganization(ctx context.Context, by caller.Caller) (Organization, error) {
	var org Organization
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, sqlGetOrganization, pgx.StrictNamedArgs{"org_id": by.OrgID})
		org, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Organization])
		if err != nil {
			return pg.NotFoundAs(fmt.Errorf("get the organization: %w", err), fault.NotFound("organization", id.Format(id.Org, by.OrgID)))
		}
		return nil
	})
	return org, err
}
