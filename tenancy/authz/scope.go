package authz

// Scope is the room in which an RPC asks for its permission, as the proto enum
// signalbox.authz.v1.Scope.
type Scope string

// The scopes.
const (
	ScopeOrganization Scope = "organization" // the organization that the request names
	ScopeWorkspace    Scope = "workspace"    // the workspace that the request names
	ScopeUser         Scope = "user"         // the person who asks, whatever the organization
	ScopeAgent        Scope = "agent"        // the agents' own service
)

// Scopes lists every scope.
func Scopes() []Scope {
	return []Scope{ScopeOrganization, ScopeWorkspace, ScopeUser, ScopeAgent}
}
