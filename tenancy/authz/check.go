package authz

import "github.com/signalboxhq/signalbox/proto/id"

// Verdict is the answer to one question of the interceptor.
type Verdict string

// The verdicts.
const (
	// Allow lets the call through.
	Allow Verdict = "allow"
	// Deny refuses a known caller who can see the place but may not do this.
	Deny Verdict = "deny"
	// Hidden refuses a caller who must not learn that the organization or the
	// workspace exists. The answer is that of a missing one.
	Hidden Verdict = "hidden"
	// Suspended refuses what the caller could do if the bill were paid.
	Suspended Verdict = "suspended"
)

// Check decides whether p may use permission in scope. In ScopeUser there is
// nothing to hold: whoever has a credential may ask about itself. What only
// makes sense for a person, the handler must refuse to a service account.
func Check(p Principal, permission Permission, scope Scope) Verdict {
	switch scope {
	case ScopeUser:
		if p.Kind == KindUser && p.UserID != id.Nil || p.Kind == KindServiceAccount && p.KeyID != id.Nil {
			return Allow
		}
		return Deny
	case ScopeAgent:
		if p.Rights(scope).Has(permission) {
			return Allow
		}
		return Deny
	case ScopeOrganization, ScopeWorkspace:
		return check(p, permission, scope)
	}
	return Deny
}

func check(p Principal, permission Permission, scope Scope) Verdict {
	held := p.Rights(scope)
	switch {
	case !p.belongs() || scope == ScopeWorkspace && held == 0:
		return Hidden
	case !held.Has(permission):
		return Deny
	case !p.OrgState.allows().Has(permission):
		return Suspended
	}
	return Allow
}

// belongs reports whether the principal is anything in the organization that the
// request names. Whoever is may know that it exists; of a workspace only those
// know who hold something in it.
func (p Principal) belongs() bool {
	if p.OrgID == id.Nil || p.OrgState == StateClosed {
		return false
	}
	switch p.Kind {
	case KindUser:
		return p.OrgRole != ""
	case KindServiceAccount:
		return p.KeyID != id.Nil
	case KindAgent:
	}
	return false
}

// Allowed reports whether p may use permission in scope.
func Allowed(p Principal, permission Permission, scope Scope) bool {
	return Check(p, permission, scope) == Allow
}
