package tenancyapi_test

import (
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

func TestMemberComesAndGoes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	owner, made := b.owner("acme")
	bob := b.person("bob@example.com")
	invited, err := owner.InviteMember(t.Context(), &tenancyv1.InviteMemberRequest{
		Email: "bob@example.com", Role: "member", WorkspaceId: made.GetWorkspace().GetId(), WorkspaceRole: "developer",
	})
	require.NoError(t, err)
	require.Equal(t, "acme@example.com", invited.GetInvitation().GetInvitedBy())
	require.True(t, strings.HasSuffix(invited.GetLink(), b.link("/invite")))

	who, err := bob.WhoAmI(t.Context(), &tenancyv1.WhoAmIRequest{})
	require.NoError(t, err)
	require.Equal(t, invited.GetInvitation().GetId(), who.GetInvitations()[0].GetId())
	joined, err := bob.AcceptInvitation(t.Context(), &tenancyv1.AcceptInvitationRequest{InvitationId: who.GetInvitations()[0].GetId()})
	require.NoError(t, err)
	require.Equal(t, "acme", joined.GetOrganization().GetSlug())
	bob.in("acme", "default")

	members, err := bob.ListMembers(t.Context(), &tenancyv1.ListMembersRequest{})
	require.NoError(t, err)
	require.Len(t, members.GetMembers(), 2)
	user := members.GetMembers()[1]
	require.Equal(t, "developer", user.GetWorkspaceRoles()[0].GetRole())
	workspaces, err := bob.ListWorkspaces(t.Context(), &tenancyv1.ListWorkspacesRequest{})
	require.NoError(t, err)
	require.Len(t, workspaces.GetWorkspaces(), 1)
	_, err = bob.InviteMember(t.Context(), &tenancyv1.InviteMemberRequest{Email: "eve@example.com", Role: "member"})
	requireCode(t, connect.CodePermissionDenied, err)

	promoted, err := owner.SetMemberRole(t.Context(), &tenancyv1.SetMemberRoleRequest{UserId: user.GetUserId(), Role: "admin"})
	require.NoError(t, err)
	require.Equal(t, "admin", promoted.GetMember().GetRole())
	_, err = bob.CreateWorkspace(t.Context(), &tenancyv1.CreateWorkspaceRequest{Name: "Staging"})
	require.NoError(t, err)
	_, err = owner.SetWorkspaceRole(t.Context(), &tenancyv1.SetWorkspaceRoleRequest{UserId: user.GetUserId()})
	require.NoError(t, err)

	_, err = owner.RemoveMember(t.Context(), &tenancyv1.RemoveMemberRequest{UserId: user.GetUserId()})
	require.NoError(t, err)
	_, err = bob.GetOrganization(t.Context(), &tenancyv1.GetOrganizationRequest{})
	requireCode(t, connect.CodeNotFound, err)
	require.Equal(t, `not_found: there is no organization "acme"`, err.Error())
}

func TestInvitationsAreListedAndRevoked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	owner, _ := b.owner("acme")
	made, err := owner.InviteMember(t.Context(), &tenancyv1.InviteMemberRequest{Email: "bob@example.com", Role: "billing"})
	require.NoError(t, err)
	list, err := owner.ListInvitations(t.Context(), &tenancyv1.ListInvitationsRequest{})
	require.NoError(t, err)
	require.Len(t, list.GetInvitations(), 1)
	require.Nil(t, list.GetInvitations()[0].GetWorkspaceRole())
	_, err = owner.RevokeInvitation(t.Context(), &tenancyv1.RevokeInvitationRequest{Id: made.GetInvitation().GetId()})
	require.NoError(t, err)
	_, err = b.person("bob@example.com").AcceptInvitation(t.Context(), &tenancyv1.AcceptInvitationRequest{
		Token: made.GetLink()[strings.Index(made.GetLink(), "sbi_"):],
	})
	requireCode(t, connect.CodeFailedPrecondition, err)
}

func TestAuditIsReadAndVerified(t *testing.T) {
	t.Parallel()
	b := setup(t)
	owner, made := b.owner("acme")
	for range 3 {
		_, err := owner.CreateKey(t.Context(), &tenancyv1.CreateKeyRequest{Name: "ci", WorkspaceId: made.GetWorkspace().GetId(), Role: "viewer"})
		require.NoError(t, err)
	}
	var actions []string
	var before int64
	for {
		page, err := owner.ListAuditEntries(t.Context(), &tenancyv1.ListAuditEntriesRequest{Before: before, Limit: 2})
		require.NoError(t, err)
		for _, e := range page.GetEntries() {
			actions = append(actions, e.GetAction())
			require.Equal(t, "acme@example.com", e.GetActorName())
			require.True(t, strings.HasPrefix(e.GetActorId(), "usr_"))
			require.NotEmpty(t, e.GetRequestId())
		}
		if before = page.GetNextBefore(); before == 0 {
			break
		}
	}
	require.Equal(t, []string{"key.create", "key.create", "key.create", "org.create"}, actions)
	verified, err := owner.VerifyAudit(t.Context(), &tenancyv1.VerifyAuditRequest{})
	require.NoError(t, err)
	require.True(t, verified.GetIntact())
	require.Equal(t, int64(4), verified.GetEntries())
	require.Len(t, verified.GetHead(), 32)
}

// TestForeignIDIsAMissingOne: in the own organization, with the id of another
// one's thing, every method answers what it answers to an id of nothing.
func TestForeignIDIsAMissingOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	owner, _ := b.owner("acme")
	other, foreign := b.owner("umbrella")
	ctx := t.Context()
	key, err := other.CreateKey(ctx, &tenancyv1.CreateKeyRequest{Name: "ci", Role: "admin"})
	require.NoError(t, err)
	invitation, err := other.InviteMember(ctx, &tenancyv1.InviteMemberRequest{Email: "x@example.com", Role: "member"})
	require.NoError(t, err)
	they, err := other.WhoAmI(ctx, &tenancyv1.WhoAmIRequest{})
	require.NoError(t, err)
	sessions, err := other.ListSessions(ctx, &tenancyv1.ListSessionsRequest{})
	require.NoError(t, err)

	for name, c := range map[string]struct {
		kind    id.Kind
		foreign string
		call    func(string) error
	}{
		"revoke key": {id.Key, key.GetKey().GetId(), func(id string) error {
			_, err := owner.RevokeKey(ctx, &tenancyv1.RevokeKeyRequest{Id: id})
			return err
		}},
		"create key": {id.Workspace, foreign.GetWorkspace().GetId(), func(id string) error {
			_, err := owner.CreateKey(ctx, &tenancyv1.CreateKeyRequest{Name: "k", WorkspaceId: id, Role: "viewer"})
			return err
		}},
		"invite": {id.Workspace, foreign.GetWorkspace().GetId(), func(id string) error {
			_, err := owner.InviteMember(ctx, &tenancyv1.InviteMemberRequest{Email: "y@example.com", Role: "member", WorkspaceId: id, WorkspaceRole: "viewer"})
			return err
		}},
		"revoke invitation": {id.Invitation, invitation.GetInvitation().GetId(), func(id string) error {
			_, err := owner.RevokeInvitation(ctx, &tenancyv1.RevokeInvitationRequest{Id: id})
			return err
		}},
		"accept invitation": {id.Invitation, invitation.GetInvitation().GetId(), func(id string) error {
			_, err := owner.AcceptInvitation(ctx, &tenancyv1.AcceptInvitationRequest{InvitationId: id})
			return err
		}},
		"set role": {id.User, they.GetUser().GetId(), func(id string) error {
			_, err := owner.SetMemberRole(ctx, &tenancyv1.SetMemberRoleRequest{UserId: id, Role: "member"})
			return err
		}},
		"remove": {id.User, they.GetUser().GetId(), func(id string) error {
			_, err := owner.RemoveMember(ctx, &tenancyv1.RemoveMemberRequest{UserId: id})
			return err
		}},
		"grant to": {id.User, they.GetUser().GetId(), func(id string) error {
			_, err := owner.SetWorkspaceRole(ctx, &tenancyv1.SetWorkspaceRoleRequest{UserId: id, Role: "viewer"})
			return err
		}},
		"revoke session": {id.Session, sessions.GetSessions()[0].GetId(), func(id string) error {
			_, err := owner.RevokeSession(ctx, &tenancyv1.RevokeSessionRequest{Id: id})
			return err
		}},
	} {
		missing := id.Format(c.kind, id.New())
		want, got := c.call(missing), c.call(c.foreign)
		requireCode(t, connect.CodeNotFound, want)
		require.Equal(t, strings.ReplaceAll(want.Error(), missing, "ID"), strings.ReplaceAll(got.Error(), c.foreign, "ID"), name)
		requireCode(t, connect.CodeInvalidArgument, c.call("nonsense"))
	}
}
