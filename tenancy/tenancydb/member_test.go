package tenancydb_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

func TestMembersAreListedWithTheirRoles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	b.tenant("umbrella")
	_, user := b.member(tn, "bob@example.com", authz.OrgMember, authz.WorkspaceDeveloper)
	members, err := b.store.ListMembers(t.Context(), tn.owner)
	require.NoError(t, err)
	require.Len(t, members, 2)
	require.Equal(t, "acme@example.com", members[0].Email)
	require.Equal(t, authz.OrgOwner, members[0].Role)
	require.Equal(t, authz.WorkspaceAdmin, members[0].Grants[0].Role)
	require.Equal(t, user, members[1].UserID)
	require.Equal(t, "bob", members[1].Name)
	require.Equal(t, []tenancydb.Grant{{
		UserID: user, WorkspaceID: tn.workspace.ID, WorkspaceSlug: "default", Role: authz.WorkspaceDeveloper,
	}}, members[1].Grants)
}

func TestAnOwnerRemains(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	owner := tn.owner.UserID
	require.Equal(t, tenancydb.ReasonLastOwner, fault.ReasonOf(b.store.RemoveMember(t.Context(), tn.owner, owner)))
	_, err := b.store.SetMemberRole(t.Context(), tn.owner, owner, authz.OrgAdmin)
	require.Equal(t, tenancydb.ReasonLastOwner, fault.ReasonOf(err))
	_, err = b.store.SetMemberRole(t.Context(), tn.owner, owner, authz.OrgOwner)
	require.NoError(t, err, "no change is no loss")

	_, user := b.member(tn, "bob@example.com", authz.OrgOwner, "")
	_, err = b.store.SetMemberRole(t.Context(), tn.owner, owner, authz.OrgAdmin)
	require.NoError(t, err)
	_, err = b.store.SetMemberRole(t.Context(), tn.owner, user, authz.OrgMember)
	require.Equal(t, tenancydb.ReasonPermission, fault.ReasonOf(err), "no owner any more, whatever the request was authenticated as")
}

// TestTwoOwnersCannotLeaveAtOnce: each sees the other one still there, unless
// the changes wait for each other.
func TestTwoOwnersCannotLeaveAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	cookie, _ := b.member(tn, "bob@example.com", authz.OrgOwner, "")
	bob := b.as(cookie, "acme", "")
	var group sync.WaitGroup
	errs := make([]error, 2)
	group.Go(func() { errs[0] = b.store.RemoveMember(t.Context(), tn.owner, tn.owner.UserID) })
	group.Go(func() { errs[1] = b.store.RemoveMember(t.Context(), bob, bob.UserID) })
	group.Wait()
	reasons := []fault.Reason{fault.ReasonOf(errs[0]), fault.ReasonOf(errs[1])}
	require.ElementsMatch(t, []fault.Reason{"", tenancydb.ReasonLastOwner}, reasons)
}

func TestAdminCannotTouchAnOwner(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	cookie, _ := b.member(tn, "admin@example.com", authz.OrgAdmin, "")
	_, second := b.member(tn, "owner2@example.com", authz.OrgOwner, "")
	_, member := b.member(tn, "member@example.com", authz.OrgMember, "")
	admin := b.as(cookie, "acme", "")

	require.Equal(t, tenancydb.ReasonPermission, fault.ReasonOf(b.store.RemoveMember(t.Context(), admin, second)))
	for _, role := range []authz.OrgRole{authz.OrgOwner, authz.OrgBilling} {
		_, err := b.store.SetMemberRole(t.Context(), admin, member, role)
		require.Equal(t, tenancydb.ReasonPermission, fault.ReasonOf(err))
	}
	_, err := b.store.SetMemberRole(t.Context(), admin, second, authz.OrgMember)
	require.Equal(t, tenancydb.ReasonPermission, fault.ReasonOf(err))
	m, err := b.store.SetMemberRole(t.Context(), admin, member, authz.OrgAdmin)
	require.NoError(t, err)
	require.Equal(t, authz.OrgAdmin, m.Role)
	_, err = b.store.SetMemberRole(t.Context(), admin, member, "root")
	require.Equal(t, tenancydb.ReasonInvalid, fault.ReasonOf(err))
	require.NoError(t, b.store.RemoveMember(t.Context(), admin, admin.UserID), "everybody may leave")
}

func TestForeignMemberIsAMissingOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn, other := b.tenant("acme"), b.tenant("umbrella")
	for name, user := range map[string]id.UUID{"foreign": other.owner.UserID, "missing": {1}} {
		want := fault.NotFound("member", id.Format(id.User, user))
		_, err := b.store.SetMemberRole(t.Context(), tn.owner, user, authz.OrgMember)
		require.Equal(t, want, err, name)
		require.Equal(t, want, b.store.RemoveMember(t.Context(), tn.owner, user), name)
		_, err = b.store.SetWorkspaceRole(t.Context(), tn.owner, tn.workspace.ID, user, authz.WorkspaceViewer, false)
		require.Equal(t, want, err, name)
	}
	for name, workspace := range map[string]id.UUID{"foreign": other.workspace.ID, "missing": {1}} {
		want := fault.NotFound("workspace", id.Format(id.Workspace, workspace))
		_, err := b.store.SetWorkspaceRole(t.Context(), tn.owner, workspace, tn.owner.UserID, authz.WorkspaceViewer, false)
		require.Equal(t, want, err, name)
		_, _, err = b.store.CreateKey(t.Context(), tn.owner, tenancydb.NewKey{Name: "k", WorkspaceID: &workspace, Role: "viewer"})
		require.Equal(t, want, err, name)
		_, _, err = b.store.InviteMember(t.Context(), tn.owner, tenancydb.Invite{
			Email: name + "@example.com", Role: authz.OrgMember, WorkspaceID: &workspace, WorkspaceRole: authz.WorkspaceViewer,
		})
		require.Equal(t, want, err, name)
	}
}

func TestWorkspaceRolesAreGrantedAndTakenAway(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	cookie, user := b.member(tn, "bob@example.com", authz.OrgMember, "")
	set := func(role authz.WorkspaceRole, data bool) tenancydb.Member {
		m, err := b.store.SetWorkspaceRole(t.Context(), tn.owner, tn.workspace.ID, user, role, data)
		require.NoError(t, err)
		return m
	}
	require.Equal(t, authz.WorkspaceViewer, set(authz.WorkspaceViewer, true).Grants[0].Role)
	require.True(t, authz.Allowed(b.as(cookie, "acme", "default").Principal, authz.PermDataRead, authz.ScopeWorkspace))
	require.False(t, set(authz.WorkspaceViewer, false).Grants[0].DataRead)
	require.False(t, authz.Allowed(b.as(cookie, "acme", "default").Principal, authz.PermDataRead, authz.ScopeWorkspace))
	require.Empty(t, set("", false).Grants)
	require.Empty(t, set("", false).Grants, "again is fine")
	require.Equal(t, authz.Hidden, authz.Check(b.as(cookie, "acme", "default").Principal, authz.PermRunsRead, authz.ScopeWorkspace))
	_, err := b.store.SetWorkspaceRole(t.Context(), tn.owner, tn.workspace.ID, user, "root", false)
	require.Equal(t, tenancydb.ReasonInvalid, fault.ReasonOf(err))

	admin := b.as(cookie, "acme", "default")
	_, err = b.store.SetWorkspaceRole(t.Context(), admin, tn.workspace.ID, user, authz.WorkspaceAdmin, false)
	require.Equal(t, fault.ReasonNotFound, fault.ReasonOf(err), "who is nothing in it does not learn that it exists")
	set(authz.WorkspaceDeveloper, false)
	_, err = b.store.SetWorkspaceRole(t.Context(), admin, tn.workspace.ID, user, authz.WorkspaceAdmin, false)
	require.Equal(t, tenancydb.ReasonPermission, fault.ReasonOf(err))
	set(authz.WorkspaceAdmin, false)
	_, err = b.store.SetWorkspaceRole(t.Context(), admin, tn.workspace.ID, tn.owner.UserID, authz.WorkspaceViewer, false)
	require.NoError(t, err, "an admin of the workspace grants in it")
}
