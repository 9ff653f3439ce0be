package tenancytest

import (
	"net/http"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/session"
)

// Answer is what an actor gets from the gate, before any handler runs.
type Answer string

// The answers.
const (
	Allowed         Answer = "allowed"
	Denied          Answer = "denied"          // PermissionDenied
	NotFound        Answer = "not found"       // the place is missing, or might as well be
	Unauthenticated Answer = "unauthenticated" // no credential, or a dead one
	Unnamed         Answer = "unnamed"         // InvalidArgument: the request names no place
)

// Place is where a request is sent.
type Place struct {
	Name string
	// Organization and Workspace are the headers; empty ones are left out.
	Organization, Workspace string
	org, workspace          id.UUID
}

// Places lists the places in which every method is tried: the own one by slugs
// and by ids, a foreign and a missing one in both spellings, and none.
func (w World) Places() []Place {
	at := func(name string, t Tenant) Place {
		return Place{
			Name: name, Organization: t.Organization.Slug, Workspace: t.Workspace.Slug,
			org: t.Organization.OrgID, workspace: t.Workspace.ID,
		}
	}
	byID := func(name string, t Tenant) Place {
		p := at(name, t)
		p.Organization, p.Workspace = id.Format(id.Org, p.org), id.Format(id.Workspace, p.workspace)
		return p
	}
	missing := id.UUID{0: 1, 6: 0x70, 8: 0x80}
	return []Place{
		at("home", w.Home), byID("home by ids", w.Home),
		at("foreign", w.Foreign), byID("foreign by ids", w.Foreign),
		at("suspended", w.Suspended),
		{Name: "missing", Organization: "missing", Workspace: "default"},
		{Name: "missing by ids", Organization: id.Format(id.Org, missing), Workspace: id.Format(id.Workspace, missing)},
		{
			Name: "foreign workspace", Organization: w.Home.Organization.Slug,
			Workspace: id.Format(id.Workspace, w.Foreign.Workspace.ID), org: w.Home.Organization.OrgID,
		},
		{Name: "nowhere"},
	}
}

// Send puts the place into a request's headers.
func (p Place) Send(header http.Header) {
	if p.Organization != "" {
		header.Set(session.HeaderOrganization, p.Organization)
	}
	if p.Workspace != "" {
		header.Set(session.HeaderWorkspace, p.Workspace)
	}
}

// Want computes the gate's answer to an actor who uses a permission in a place.
// Public methods are not its business: they are open to all.
func (a Actor) Want(scope authz.Scope, permission authz.Permission, place Place) Answer {
	if scope == authz.ScopeAgent {
		return Denied
	}
	if a.dead || a.is.Kind == "" {
		return Unauthenticated
	}
	switch authz.Check(a.standing(place), permission, scope) {
	case authz.Allow:
		return Allowed
	case authz.Deny, authz.Suspended:
		return Denied
	case authz.Hidden:
	}
	if place.Organization == "" && place.Workspace == "" {
		return Unnamed
	}
	return NotFound
}

// standing is the actor as it stands in a place: with what it is there, or as
// nothing.
func (a Actor) standing(place Place) authz.Principal {
	p := a.is
	key := p.Kind == authz.KindServiceAccount
	if place.Organization == "" && key {
		// A key belongs to one organization, which need not be named; nor need
		// the workspace to which it is bound.
		p.WorkspaceID = p.KeyWorkspaceID
		return p
	}
	if place.org != p.OrgID || p.OrgID == id.Nil {
		p.OrgID, p.OrgRole, p.WorkspaceID, p.WorkspaceRole = id.Nil, "", id.Nil, ""
		return p
	}
	if place.workspace != p.WorkspaceID {
		p.WorkspaceID = id.Nil
		if !key {
			p.WorkspaceRole = ""
		}
	}
	return p
}
