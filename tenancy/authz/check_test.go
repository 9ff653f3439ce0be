package authz_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
)

func TestZeroPrincipalMayNothing(t *testing.T) {
	t.Parallel()
	for _, scope := range authz.Scopes() {
		for _, p := range append(authz.Permissions(), "", "runs.own") {
			require.False(t, authz.Allowed(authz.Principal{}, p, scope), "%s in %s", p, scope)
		}
	}
}

func TestUnknownScopeDenies(t *testing.T) {
	t.Parallel()
	require.Equal(t, authz.Deny, authz.Check(user(authz.OrgOwner), authz.PermOrgRead, "planet"))
	require.Empty(t, user(authz.OrgOwner).Rights("planet"))
}

func TestUnknownPermissionIsHeldByNobody(t *testing.T) {
	t.Parallel()
	require.False(t, authz.Permission("runs.own").Known())
	require.False(t, authz.Allowed(user(authz.OrgOwner), "runs.own", authz.ScopeOrganization))
	require.Empty(t, authz.SetOf("runs.own"))
}

func TestMemberDoesNotSeeOtherWorkspaces(t *testing.T) {
	t.Parallel()
	p := user(authz.OrgMember)
	require.Equal(t, authz.Hidden, authz.Check(p, authz.PermRunsRead, authz.ScopeWorkspace))
	p.WorkspaceRole = authz.WorkspaceViewer
	require.Equal(t, authz.Allow, authz.Check(p, authz.PermRunsRead, authz.ScopeWorkspace))
	require.Equal(t, authz.Deny, authz.Check(p, authz.PermRunsWrite, authz.ScopeWorkspace))
}

func TestPlaceThatTheRequestDoesNotNameIsHidden(t *testing.T) {
	t.Parallel()
	require.Equal(t, authz.Hidden, authz.Check(user("", outsider), authz.PermOrgRead, authz.ScopeOrganization))
	require.Equal(t, authz.Hidden, authz.Check(user(authz.OrgOwner, noWorkspace), authz.PermRunsRead, authz.ScopeWorkspace))
	require.Equal(t, authz.Allow, authz.Check(user(authz.OrgOwner, noWorkspace), authz.PermRunsRead, authz.ScopeOrganization))
}

func TestStateSaysWhatStillWorks(t *testing.T) {
	t.Parallel()
	starts := map[authz.OrgState]bool{}
	for _, s := range authz.OrgStates() {
		starts[s] = s.StartsRuns()
	}
	require.Equal(t, map[authz.OrgState]bool{
		authz.StateTrialing: true, authz.StateActive: true, authz.StatePastDue: true,
		authz.StateRestricted: false, authz.StateSuspended: false, authz.StateClosed: false,
	}, starts)
	p := user(authz.OrgOwner)
	p.OrgState = "dreaming"
	require.Equal(t, authz.Suspended, authz.Check(p, authz.PermOrgRead, authz.ScopeOrganization))
}

func TestEveryRoleIsKnown(t *testing.T) {
	t.Parallel()
	for _, r := range authz.OrgRoles() {
		require.True(t, r.Known())
	}
	for _, r := range authz.WorkspaceRoles() {
		require.True(t, r.Known())
	}
	require.False(t, authz.OrgRole("root").Known())
	require.False(t, authz.WorkspaceRole("").Known())
}

func TestSetListsWhatItHolds(t *testing.T) {
	t.Parallel()
	require.Equal(t, authz.Permissions(), everything().List())
	require.Equal(t, len(authz.Permissions()), everything().Len())
	require.Empty(t, authz.Set(0).List())
}

func TestServiceAccountNeverExceedsItsMaximum(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := key(
			rapid.SampledFrom(append(authz.OrgRoles(), "")).Draw(t, "org role"),
			authz.Set(rapid.Uint32().Draw(t, "permissions")),
			granted(rapid.SampledFrom(append(authz.WorkspaceRoles(), "")).Draw(t, "role")))
		p.KeyWorkspaceID = rapid.SampledFrom([]id.UUID{id.Nil, workspace, {9}}).Draw(t, "bound")
		for _, scope := range authz.Scopes() {
			require.True(t, p.Rights(scope).Within(authz.ServiceAccountMax))
		}
	})
}
