package authz

import (
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// Kind is the sort of a principal.
type Kind string

// The kinds of principals.
const (
	KindUser           Kind = "user"
	KindServiceAccount Kind = "service_account"
	KindAgent          Kind = "agent"
)

// Kinds lists the kinds of principals.
func Kinds() []Kind { return []Kind{KindUser, KindServiceAccount, KindAgent} }

// Principal is who asks, as found by one query for this very request, together
// with what they are in the organization and the workspace that it names. Ids
// that do not apply are id.Nil. It is never kept for longer than the request:
// that is why a revocation bites at the next call.
type Principal struct {
	Kind Kind

	// UserID, Email and Name are the person's; empty for the other kinds.
	UserID id.UUID
	Email  string
	Name   string

	// SessionID is set for a sign-in in a browser, AuthenticatedAt is when its
	// password was last given.
	SessionID       id.UUID
	AuthenticatedAt time.Time

	// KeyID is set for an API key: of a service account, or a personal token.
	KeyID id.UUID
	// KeyName is the key's name, for people.
	KeyName string
	// KeyOrgID is the organization that a service account's key belongs to,
	// whichever one the request names. A personal token is its person, in all
	// organizations of theirs.
	KeyOrgID id.UUID
	// KeyWorkspaceID binds a service account's key to one workspace, outside of
	// which it is nothing. Nil: the key is the whole organization's.
	KeyWorkspaceID id.UUID
	// KeyPermissions is what a service account's key holds beside its role: the
	// OrgRole of a key of the whole organization, the WorkspaceRole of one that
	// is bound to a workspace.
	KeyPermissions Set

	// AgentID is set for an agent.
	AgentID id.UUID

	// OrgID is the organization of this request, Nil where it names none that
	// the principal belongs to. The same holds for WorkspaceID.
	OrgID         id.UUID
	OrgState      OrgState
	OrgRole       OrgRole
	WorkspaceID   id.UUID
	WorkspaceRole WorkspaceRole // by a grant in the workspace; "" for none
	DataRead      bool          // the grant opens data to a viewer
	// Restricted says that the organization's roles do not open this
	// workspace's data.
	Restricted bool
}

// Rights returns what the principal holds in a scope, before the organization's
// state is looked at.
func (p Principal) Rights(scope Scope) Set {
	switch scope {
	case ScopeOrganization:
		if p.OrgID == id.Nil {
			return 0
		}
		return p.held().organization
	case ScopeWorkspace:
		if p.OrgID == id.Nil || p.WorkspaceID == id.Nil {
			return 0
		}
		return p.held().workspace
	case ScopeAgent:
		if p.Kind == KindAgent && p.AgentID != id.Nil {
			return SetOf(PermAgentWork)
		}
	case ScopeUser:
	}
	return 0
}

func (p Principal) held() rights {
	switch p.Kind {
	case KindUser:
		return p.heldByUser()
	case KindServiceAccount:
		if p.KeyID != id.Nil {
			return p.heldByKey()
		}
	case KindAgent:
	}
	return rights{}
}

func (p Principal) heldByUser() rights {
	held, ok := orgRoles[p.OrgRole]
	if !ok {
		return rights{} // A grant without a membership is nothing.
	}
	if p.Restricted {
		held.workspace &^= SetOf(PermDataRead)
	}
	held.workspace |= workspaceRights(p.WorkspaceRole, p.DataRead)
	if p.KeyID != id.Nil {
		held.organization &^= tokenNever
	}
	return held
}

func (p Principal) heldByKey() rights {
	named := p.KeyPermissions & ServiceAccountMax
	switch p.KeyWorkspaceID {
	case id.Nil:
		role := orgRoles[p.OrgRole]
		// As with people: whoever restricted the workspace gives its data by name.
		held := named | role.workspace&ServiceAccountMax
		if p.Restricted {
			held &^= SetOf(PermDataRead)
		}
		return rights{organization: named | role.organization&ServiceAccountMax, workspace: held}
	case p.WorkspaceID:
		return rights{workspace: named | workspaceRoles[p.WorkspaceRole]&ServiceAccountMax}
	}
	return rights{}
}

func workspaceRights(role WorkspaceRole, dataRead bool) Set {
	held, ok := workspaceRoles[role]
	if ok && dataRead {
		held |= SetOf(PermDataRead)
	}
	return held
}

// EveryWorkspace reports whether the principal's role in the organization is
// something in each of its workspaces, so that it may know of them all.
func (p Principal) EveryWorkspace() bool {
	return p.belongs() && p.KeyWorkspaceID == id.Nil &&
		(orgRoles[p.OrgRole].workspace != 0 || p.Kind == KindServiceAccount && p.KeyPermissions != 0)
}
