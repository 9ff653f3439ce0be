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

// Workspace is a part of an organization.
type Workspace struct {
	OrgID      id.UUID
	ID         id.UUID
	Slug       string
	Name       string
	Restricted bool
	// SealingKID and SealingPublic are the public half of the sealing key; nil
	// until the workspace's first agent made it.
	SealingKID    *string
	SealingPublic []byte
	CreatedAt     time.Time
}

const workspaceColumns = `w.org_id, w.id, w.slug, w.name, w.restricted, w.sealing_kid, w.sealing_public, w.created_at`

// newWorkspace is one that has been checked.
type newWorkspace struct {
	name string
	slug string
	// proposed says that the slug is not the customer's wish, so that a taken
	// one is replaced.
	proposed bool
}

func parseNewWorkspace(path, name, slug string) (newWorkspace, error) {
	name, err := parseName(path, name)
	if err != nil {
		return newWorkspace{}, err
	}
	if slug == "" {
		return newWorkspace{name: name, slug: slugFrom(name), proposed: true}, nil
	}
	slug, err = parseSlug("slug", slug)
	return newWorkspace{name: name, slug: slug}, err
}

const sqlInsertWorkspace = `
	INSERT INTO workspace AS w (org_id, id, slug, name, created_at)
	VALUES (@org_id, @id, @slug, @name, @now)
	RETURNING ` + workspaceColumns

// insertWorkspace makes a workspace and the caller its admin: a grant that
// stands also when the workspace is restricted.
func (s *Store) insertWorkspace(ctx context.Context, tx pgx.Tx, by caller.Caller, in newWorkspace) (Workspace, error) {
	rows, _ := tx.Query(ctx, sqlInsertWorkspace, pgx.StrictNamedArgs{
		"org_id": by.OrgID, "id": id.New(), "slug": in.slug, "name": in.name, "now": s.now(),
	})
	w, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Workspace])
	if err != nil {
		return Workspace{}, fmt.Errorf("make a workspace: %w", err)
	}
	return w, s.grant(ctx, tx, by, w.ID, by.UserID, authz.WorkspaceAdmin, false)
}

// CreateWorkspace makes a workspace of the organization. Its faults are
// INVALID_ARGUMENT, QUOTA_EXCEEDED and, for a slug that was given,
// ALREADY_EXISTS.
func (s *Store) CreateWorkspace(ctx context.Context, by caller.Caller, name, slug string) (Workspace, error) {
	if !by.Person() {
		return Workspace{}, errNoPerson
	}
	in, err := parseNewWorkspace("name", name, slug)
	if err != nil {
		return Workspace{}, err
	}
	for wanted := in.slug; ; {
		w, err := s.createWorkspace(ctx, by, in)
		if constraint, taken := pg.UniqueViolation(err); !taken || constraint != "workspace_org_id_slug_key" {
			return w, err
		}
		if !in.proposed {
			return w, fault.AlreadyExists(ReasonTaken, "the organization has a workspace %q", slug)
		}
		in.slug = wanted + "-" + randomTail()
	}
}

func (s *Store) createWorkspace(ctx context.Context, by caller.Caller, in newWorkspace) (Workspace, error) {
	var w Workspace
	err := pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		err = within(ctx, tx, sqlCountWorkspaces, pgx.StrictNamedArgs{"org_id": by.OrgID}, maxWorkspaces, "workspaces")
		if err != nil {
			return err
		}
		if w, err = s.insertWorkspace(ctx, tx, by, in); err != nil {
			return err
		}
		event := by.Event("workspace.create", id.Format(id.Workspace, w.ID))
		event.WorkspaceID, event.Detail = w.ID, detail("slug", w.Slug)
		return s.record(ctx, tx, event)
	})
	return w, err
}

const sqlListWorkspaces = `
	SELECT ` + workspaceColumns + `
	  FROM workspace w
	 WHERE w.org_id = @org_id
	   AND (@every OR EXISTS (
	         SELECT
	           FROM workspace_grant g
	          WHERE g.org_id = w.org_id AND g.workspace_id = w.id AND g.user_id = @user_id))
	 ORDER BY w.name, w.id`

// ListWorkspaces returns the workspaces of the organization that the caller may
// know of.
func (s *Store) ListWorkspaces(ctx context.Context, by caller.Caller) ([]Workspace, error) {
	var list []Workspace
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, sqlListWorkspaces, pgx.StrictNamedArgs{
			"org_id": by.OrgID, "user_id": by.UserID, "every": by.EveryWorkspace(),
		})
		list, err = pgx.CollectRows(rows, pgx.RowToStructByName[Workspace])
		if err != nil {
			return fmt.Errorf("list workspaces: %w", err)
		}
		return nil
	})
	return list, err
}
