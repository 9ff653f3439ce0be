package authz

// This file is the rule that a role can only grant what it holds itself: rights
// never grow by being passed on. Taking a role away is bound by the same rule,
// so that an admin cannot push an owner out.

// MayGrantOrgRole reports whether p may make somebody role, or take that role
// from them, in the organization of the request.
func (p Principal) MayGrantOrgRole(role OrgRole) bool {
	granted, ok := orgRoles[role]
	// What a role opens in workspaces is compared as the roles stand, not in
	// the workspace that the request happens to name.
	return ok && Allowed(p, PermMembersAdmin, ScopeOrganization) &&
		granted.organization.Within(p.held().organization) &&
		granted.workspace.Within(orgRoles[p.OrgRole].workspace)
}

// MayGrantWorkspaceRole reports whether p may give or take role in the workspace
// of the request; dataRead is the viewer's opt-in to data.
func (p Principal) MayGrantWorkspaceRole(role WorkspaceRole, dataRead bool) bool {
	return role.Known() && Allowed(p, PermMembersAdmin, ScopeWorkspace) &&
		workspaceRights(role, dataRead).Within(p.Rights(ScopeWorkspace))
}

// MayGrantOrgKey reports whether p may make or revoke a service account's key for
// the whole organization with these rights.
func (p Principal) MayGrantOrgKey(role OrgRole, permissions Set) bool {
	granted := permissions | orgRoles[role].organization&ServiceAccountMax
	return (role == "" || role.Known()) && permissions.Within(ServiceAccountMax) &&
		Allowed(p, PermKeysAdmin, ScopeOrganization) &&
		granted.Within(p.Rights(ScopeOrganization))
}

// MayGrantWorkspaceKey reports whether p may make or revoke a service account's
// key for the workspace that p stands in.
func (p Principal) MayGrantWorkspaceKey(role WorkspaceRole, permissions Set) bool {
	granted := permissions | workspaceRoles[role]&ServiceAccountMax
	return (role == "" || role.Known()) && permissions.Within(ServiceAccountMax) &&
		Allowed(p, PermKeysAdmin, ScopeWorkspace) &&
		granted.Within(p.Rights(ScopeWorkspace))
}

// AuditPrefix narrows what audit.read opens to p in a scope: entries whose action
// begins with it. Empty opens all of them.
func (p Principal) AuditPrefix(scope Scope) string {
	if p.Kind != KindUser || p.OrgRole != OrgBilling {
		return ""
	}
	if scope == ScopeWorkspace && p.WorkspaceRole == WorkspaceAdmin {
		return ""
	}
	return "billing."
}
