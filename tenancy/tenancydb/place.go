package tenancydb

import (
	"strings"

	"github.com/signalboxhq/signalbox/proto/id"
)

// Place is the organization and the workspace that a request names, each by its
// id or its slug. The zero Place names nothing.
type Place struct {
	OrgID         *id.UUID
	OrgSlug       *string
	WorkspaceID   *id.UUID
	WorkspaceSlug *string
}

// ParsePlace reads the headers Signalbox-Organization and Signalbox-Workspace.
// A workspace may be named with its organization, "acme/dev"; where both headers
// name one, they must agree. It never fails: what is no id and no slug is the
// name of something that does not exist.
func ParsePlace(organization, workspace string) Place {
	before, after, qualified := strings.Cut(workspace, "/")
	if qualified {
		if organization != "" && organization != before {
			before = "" // no slug is empty: nothing matches
		}
		organization, workspace = before, after
	}
	var p Place
	if organization != "" || qualified {
		p.OrgID, p.OrgSlug = idOrSlug(id.Org, organization)
	}
	if workspace != "" || qualified {
		p.WorkspaceID, p.WorkspaceSlug = idOrSlug(id.Workspace, workspace)
	}
	return p
}

// NamesWorkspace reports whether the request named a workspace at all.
func (p Place) NamesWorkspace() bool { return p.WorkspaceID != nil || p.WorkspaceSlug != nil }

// NamesOrganization reports whether the request named an organization, by itself
// or by a workspace's id.
func (p Place) NamesOrganization() bool {
	return p.OrgID != nil || p.OrgSlug != nil || p.WorkspaceID != nil
}

// idOrSlug tells an id from a slug: slugs have no underscore.
func idOrSlug(kind id.Kind, text string) (*id.UUID, *string) {
	if u, err := id.Parse(kind, text); err == nil {
		return &u, nil
	}
	return nil, &text
}
