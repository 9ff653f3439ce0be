package authz_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/tenancy/authz"
)

func TestWhoGrantsWhichOrgRole(t *testing.T) {
	t.Parallel()
	mayGrant := func(p authz.Principal) []authz.OrgRole {
		var roles []authz.OrgRole
		for _, r := range append(authz.OrgRoles(), "root") {
			if p.MayGrantOrgRole(r) {
				roles = append(roles, r)
			}
		}
		return roles
	}
	require.Equal(t, authz.OrgRoles(), mayGrant(user(authz.OrgOwner)))
	require.Equal(t, authz.OrgRoles(), mayGrant(user(authz.OrgOwner, restricted)))
	require.Equal(t, []authz.OrgRole{authz.OrgAdmin, authz.OrgMember}, mayGrant(user(authz.OrgAdmin)))
	require.Equal(t, []authz.OrgRole{authz.OrgAdmin, authz.OrgBilling, authz.OrgMember}, mayGrant(user(authz.OrgOwner, token)),
		"a token makes no owners")
	require.Empty(t, mayGrant(user(authz.OrgBilling)))
	require.Empty(t, mayGrant(user(authz.OrgMember, granted(authz.WorkspaceAdmin))))
	require.Empty(t, mayGrant(user(authz.OrgOwner, suspended)))
	require.Empty(t, mayGrant(key("", everything())))
}

func TestWhoGrantsWhichWorkspaceRole(t *testing.T) {
	t.Parallel()
	for _, role := range authz.WorkspaceRoles() {
		require.True(t, user(authz.OrgOwner).MayGrantWorkspaceRole(role, true))
		require.True(t, user(authz.OrgMember, granted(authz.WorkspaceAdmin)).MayGrantWorkspaceRole(role, true))
		require.False(t, user(authz.OrgMember, granted(authz.WorkspaceDeveloper)).MayGrantWorkspaceRole(role, false))
		require.False(t, user(authz.OrgMember).MayGrantWorkspaceRole(role, false))
	}
	require.False(t, user(authz.OrgOwner).MayGrantWorkspaceRole("", false))

	admin := user(authz.OrgAdmin)
	require.True(t, admin.MayGrantWorkspaceRole(authz.WorkspaceAdmin, false))
	require.True(t, admin.MayGrantWorkspaceRole(authz.WorkspaceDeveloper, false))

	admin.Restricted = true
	require.False(t, admin.MayGrantWorkspaceRole(authz.WorkspaceDeveloper, false), "data of a restricted workspace")
	require.True(t, admin.MayGrantWorkspaceRole(authz.WorkspaceViewer, false))
	require.False(t, admin.MayGrantWorkspaceRole(authz.WorkspaceViewer, true))
}

func TestWhoMakesWhichKey(t *testing.T) {
	t.Parallel()
	owner, wsAdmin := user(authz.OrgOwner), user(authz.OrgMember, granted(authz.WorkspaceAdmin))
	for _, role := range append(authz.WorkspaceRoles(), "") {
		require.True(t, owner.MayGrantWorkspaceKey(role, authz.ServiceAccountMax))
		require.True(t, wsAdmin.MayGrantWorkspaceKey(role, authz.ServiceAccountMax))
	}
	for _, role := range append(authz.OrgRoles(), "") {
		require.True(t, owner.MayGrantOrgKey(role, authz.ServiceAccountMax))
		require.False(t, wsAdmin.MayGrantOrgKey(role, 0))
	}
	require.False(t, owner.MayGrantOrgKey("", authz.SetOf(authz.PermKeysAdmin)))
	require.False(t, owner.MayGrantOrgKey("root", 0))
	require.False(t, owner.MayGrantWorkspaceKey("root", 0))
	require.False(t, key("", everything()).MayGrantWorkspaceKey(authz.WorkspaceViewer, 0))
	require.False(t, user(authz.OrgAdmin, restricted).MayGrantWorkspaceKey(authz.WorkspaceOperator, 0),
		"data of a restricted workspace")
}

func TestBillingReadsItsPartOfTheAuditLog(t *testing.T) {
	t.Parallel()
	require.Equal(t, "billing.", user(authz.OrgBilling).AuditPrefix(authz.ScopeOrganization))
	require.Empty(t, user(authz.OrgAdmin).AuditPrefix(authz.ScopeOrganization))
	both := user(authz.OrgBilling, granted(authz.WorkspaceAdmin))
	require.Empty(t, both.AuditPrefix(authz.ScopeWorkspace))
	require.Equal(t, "billing.", both.AuditPrefix(authz.ScopeOrganization))
}

// TestNobodyGrantsMoreThanTheyHold is the rule itself: whatever p gives away, the
// one who receives it holds nothing that p does not.
func TestNobodyGrantsMoreThanTheyHold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		giver := user(
			rapid.SampledFrom(authz.OrgRoles()).Draw(t, "org role"),
			granted(rapid.SampledFrom(append(authz.WorkspaceRoles(), "")).Draw(t, "workspace role")))
		giver.DataRead = rapid.Bool().Draw(t, "data")
		giver.Restricted = rapid.Bool().Draw(t, "restricted")
		if rapid.Bool().Draw(t, "token") {
			token(&giver)
		}

		role := rapid.SampledFrom(authz.WorkspaceRoles()).Draw(t, "granted role")
		data := rapid.Bool().Draw(t, "granted data")
		if giver.MayGrantWorkspaceRole(role, data) {
			receiver := user(authz.OrgMember, granted(role))
			receiver.DataRead, receiver.Restricted = data, giver.Restricted
			require.True(t, receiver.Rights(authz.ScopeWorkspace).Within(giver.Rights(authz.ScopeWorkspace)))
		}
		orgRole := rapid.SampledFrom(authz.OrgRoles()).Draw(t, "granted org role")
		if giver.MayGrantOrgRole(orgRole) {
			receiver := user(orgRole)
			receiver.Restricted = giver.Restricted
			for _, scope := range []authz.Scope{authz.ScopeOrganization, authz.ScopeWorkspace} {
				require.True(t, receiver.Rights(scope).Within(giver.Rights(scope)))
			}
		}
	})
}
