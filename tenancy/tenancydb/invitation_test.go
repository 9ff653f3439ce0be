package tenancydb_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

func TestInvitationIsBoundToItsAddress(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	bob, eve := b.as(b.person("bob@example.com"), "", ""), b.as(b.person("eve@example.com"), "", "")
	made, secret, err := b.store.InviteMember(t.Context(), tn.owner, tenancydb.Invite{
		Email: "Bob@Example.com", Role: authz.OrgMember, WorkspaceID: &tn.workspace.ID, WorkspaceRole: authz.WorkspaceOperator,
	})
	require.NoError(t, err)
	require.Equal(t, "acme", made.OrgName)
	require.Equal(t, "Bob@Example.com", made.Email)
	require.Equal(t, "default", *made.WorkspaceSlug)
	require.Equal(t, "acme@example.com", made.InviterEmail)

	_, err = b.store.AcceptInvitationToken(t.Context(), eve, secret.Secret())
	require.Equal(t, tenancydb.ReasonTokenInvalid, fault.ReasonOf(err), "a link that was passed on")
	_, err = b.store.AcceptInvitation(t.Context(), eve, made.ID)
	require.Equal(t, fault.NotFound("invitation", id.Format(id.Invitation, made.ID)), err)

	org, err := b.store.AcceptInvitationToken(t.Context(), bob, secret.Secret())
	require.NoError(t, err)
	require.Equal(t, tn.org, org)
	_, err = b.store.AcceptInvitationToken(t.Context(), bob, secret.Secret())
	require.Equal(t, tenancydb.ReasonTokenInvalid, fault.ReasonOf(err), "once")
	_, err = b.store.AcceptInvitationToken(t.Context(), bob, "nonsense")
	require.Equal(t, tenancydb.ReasonTokenInvalid, fault.ReasonOf(err))
}

func TestInvitationEnds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	cookie := b.person("bob@example.com")
	invite := func() (tenancydb.Invitation, string) {
		made, secret, err := b.store.InviteMember(t.Context(), tn.owner, tenancydb.Invite{Email: "bob@example.com", Role: authz.OrgMember})
		require.NoError(t, err)
		return made, secret.Secret()
	}
	accept := func(secret string) fault.Reason {
		_, err := b.store.AcceptInvitationToken(t.Context(), b.as(cookie, "", ""), secret)
		return fault.ReasonOf(err)
	}
	open := func() int {
		list, err := b.store.ListInvitations(t.Context(), tn.owner)
		require.NoError(t, err)
		return len(list)
	}

	_, older := invite()
	revoked, secret := invite()
	require.Equal(t, 1, open(), "one to an address")
	require.Equal(t, tenancydb.ReasonTokenInvalid, accept(older), "replaced")
	require.NoError(t, b.store.RevokeInvitation(t.Context(), tn.owner, revoked.ID))
	require.Equal(t, tenancydb.ReasonTokenInvalid, accept(secret), "revoked")
	require.Zero(t, open())
	again := b.store.RevokeInvitation(t.Context(), tn.owner, revoked.ID)
	require.Equal(t, fault.NotFound("invitation", id.Format(id.Invitation, revoked.ID)), again)

	_, late := invite()
	b.clock.advance(tenancydb.InvitationLife)
	cookie = b.signInAgain("bob@example.com")
	require.Equal(t, tenancydb.ReasonTokenInvalid, accept(late), "expired")
	require.Zero(t, open())
}

func TestInvitationsOfSomebodyWhoLostRightsEnd(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	for name, lose := range map[string]func(id.UUID) error{
		"demoted": func(user id.UUID) error {
			_, err := b.store.SetMemberRole(t.Context(), tn.owner, user, authz.OrgMember)
			return err
		},
		"removed": func(user id.UUID) error { return b.store.RemoveMember(t.Context(), tn.owner, user) },
	} {
		cookie, user := b.member(tn, name+"-admin@example.com", authz.OrgAdmin, "")
		_, _, err := b.store.InviteMember(t.Context(), b.as(cookie, "acme", ""), tenancydb.Invite{Email: name + "@example.com", Role: authz.OrgAdmin})
		require.NoError(t, err)
		require.NoError(t, lose(user))
		list, err := b.store.ListInvitations(t.Context(), tn.owner)
		require.NoError(t, err)
		require.Empty(t, list, name)
	}
}

func TestInviteChecksWhatIsAsked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	cookie, _ := b.member(tn, "admin@example.com", authz.OrgAdmin, "")
	admin := b.as(cookie, "acme", "")
	ws := &tn.workspace.ID
	for name, c := range map[string]struct {
		invite tenancydb.Invite
		reason fault.Reason
	}{
		"address":                {tenancydb.Invite{Email: "bob", Role: authz.OrgMember}, tenancydb.ReasonInvalid},
		"role":                   {tenancydb.Invite{Email: "bob@example.com", Role: "root"}, tenancydb.ReasonInvalid},
		"workspace role":         {tenancydb.Invite{Email: "bob@example.com", Role: authz.OrgMember, WorkspaceID: ws}, tenancydb.ReasonInvalid},
		"workspace of a role":    {tenancydb.Invite{Email: "bob@example.com", Role: authz.OrgMember, WorkspaceRole: authz.WorkspaceViewer}, tenancydb.ReasonInvalid},
		"beyond the own role":    {tenancydb.Invite{Email: "bob@example.com", Role: authz.OrgOwner}, tenancydb.ReasonPermission},
		"a member already":       {tenancydb.Invite{Email: "ACME@example.com", Role: authz.OrgMember}, tenancydb.ReasonTaken},
		"what an admin may well": {tenancydb.Invite{Email: "bob@example.com", Role: authz.OrgAdmin, WorkspaceID: ws, WorkspaceRole: authz.WorkspaceAdmin}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := b.store.InviteMember(t.Context(), admin, c.invite)
			require.Equal(t, c.reason, fault.ReasonOf(err))
		})
	}
}

func TestMemberWhoAcceptsKeepsTheirRole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	cookie := b.person("bob@example.com")
	_, first, err := b.store.InviteMember(t.Context(), tn.owner, tenancydb.Invite{Email: "bob@example.com", Role: authz.OrgAdmin})
	require.NoError(t, err)
	_, err = b.store.AcceptInvitationToken(t.Context(), b.as(cookie, "", ""), first.Secret())
	require.NoError(t, err)
	require.Equal(t, authz.OrgAdmin, b.as(cookie, "acme", "").OrgRole)
	_, _, err = b.store.InviteMember(t.Context(), tn.owner, tenancydb.Invite{Email: "bob@example.com", Role: authz.OrgMember})
	require.Equal(t, tenancydb.ReasonTaken, fault.ReasonOf(err))
}
