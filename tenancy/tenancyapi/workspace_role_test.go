package tenancyapi_test

import (
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
)

// join makes a person a member of the owner's organization, with a role in the
// workspace that the owner stands in.
func (b *bundle) join(owner *client, email, role, workspaceID string) (*client, string) {
	b.t.Helper()
	ctx := b.t.Context()
	c := b.person(email)
	req := &tenancyv1.InviteMemberRequest{Email: email, Role: "member"}
	if role != "" {
		req.WorkspaceId, req.WorkspaceRole = workspaceID, role
	}
	invited, err := owner.InviteMember(ctx, req)
	require.NoError(b.t, err)
	_, err = c.AcceptInvitation(ctx, &tenancyv1.AcceptInvitationRequest{InvitationId: invited.GetInvitation().GetId()})
	require.NoError(b.t, err)
	who, err := c.WhoAmI(ctx, &tenancyv1.WhoAmIRequest{})
	require.NoError(b.t, err)
	return c, who.GetUser().GetId()
}

// Who is admin of a workspace gives roles there, up to their own, and nowhere
// else.
func TestWorkspaceAdminGrantsInTheirWorkspace(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	owner, made := b.owner("acme")
	secret, err := owner.CreateWorkspace(ctx, &tenancyv1.CreateWorkspaceRequest{Name: "Secret", Slug: "secret"})
	require.NoError(t, err)
	admin, adminID := b.join(owner, "admin@example.com", "admin", made.GetWorkspace().GetId())
	developer, _ := b.join(owner, "dev@example.com", "developer", made.GetWorkspace().GetId())
	_, bob := b.join(owner, "bob@example.com", "developer", secret.GetWorkspace().GetId())
	admin.in("acme", "default")
	developer.in("acme", "default")

	set, err := admin.SetWorkspaceRole(ctx, &tenancyv1.SetWorkspaceRoleRequest{UserId: bob, Role: "viewer", DataRead: true})
	require.NoError(t, err)
	require.Len(t, set.GetMember().GetWorkspaceRoles(), 1, "what bob is elsewhere is not the admin's to know")
	require.Equal(t, "viewer", set.GetMember().GetWorkspaceRoles()[0].GetRole())
	require.True(t, set.GetMember().GetWorkspaceRoles()[0].GetDataRead())

	set, err = admin.SetWorkspaceRole(ctx, &tenancyv1.SetWorkspaceRoleRequest{UserId: bob, Role: "operator", DataRead: true})
	require.NoError(t, err)
	require.False(t, set.GetMember().GetWorkspaceRoles()[0].GetDataRead(), "it would come back with a weaker role")

	_, err = developer.SetWorkspaceRole(ctx, &tenancyv1.SetWorkspaceRoleRequest{UserId: bob, Role: "viewer"})
	requireCode(t, connect.CodePermissionDenied, err)
	_, err = admin.in("acme", "secret").SetWorkspaceRole(ctx, &tenancyv1.SetWorkspaceRoleRequest{UserId: adminID, Role: "admin"})
	requireCode(t, connect.CodeNotFound, err)
	_, err = admin.in("acme", "").SetWorkspaceRole(ctx, &tenancyv1.SetWorkspaceRoleRequest{UserId: adminID, Role: "admin"})
	requireCode(t, connect.CodeInvalidArgument, err)
	_, err = admin.in("acme", "default").SetMemberRole(ctx, &tenancyv1.SetMemberRoleRequest{UserId: adminID, Role: "admin"})
	requireCode(t, connect.CodePermissionDenied, err)
}

// A workspace that one may not enter is not told by the list of members either.
func TestMembersOfHiddenWorkspacesAreNotTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	owner, made := b.owner("acme")
	secret, err := owner.CreateWorkspace(ctx, &tenancyv1.CreateWorkspaceRequest{Name: "Secret", Slug: "secret"})
	require.NoError(t, err)
	b.join(owner, "bob@example.com", "developer", secret.GetWorkspace().GetId())
	for role, want := range map[string][]string{"": nil, "viewer": {"default"}} {
		eve, _ := b.join(owner, "eve-"+role+"@example.com", role, made.GetWorkspace().GetId())
		members, err := eve.in("acme", "default").ListMembers(ctx, &tenancyv1.ListMembersRequest{})
		require.NoError(t, err)
		told := map[string]bool{}
		for _, m := range members.GetMembers() {
			for _, r := range m.GetWorkspaceRoles() {
				told[r.GetWorkspaceSlug()] = true
			}
		}
		require.False(t, told["secret"], "as %q", role)
		require.Len(t, told, len(want))
	}
	members, err := owner.ListMembers(ctx, &tenancyv1.ListMembersRequest{})
	require.NoError(t, err)
	require.Equal(t, "secret", members.GetMembers()[1].GetWorkspaceRoles()[0].GetWorkspaceSlug(), "of bob")
}
