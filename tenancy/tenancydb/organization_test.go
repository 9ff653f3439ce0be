package tenancydb_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

func TestCreateOrganizationMakesExactlyThis(t *testing.T) {
	t.Parallel()
	b := setup(t)
	by := b.as(b.person("ada@example.com"), "", "")
	changes := pgtest.Changes(t, b.db, func() {
		org, workspace, err := b.store.CreateOrganization(t.Context(), by, tenancydb.NewOrganization{Name: " Ärzte & Söhne ML ", WorkspaceName: "Dev"})
		require.NoError(t, err)
		require.Equal(t, "Ärzte & Söhne ML", org.Name)
		require.Equal(t, "rzte-s-hne-ml", org.Slug)
		require.Equal(t, "free", org.Plan)
		require.Equal(t, authz.StateActive, org.State)
		require.Equal(t, "dev", workspace.Slug)
	})
	var what []string
	for line := range strings.Lines(changes) {
		fields := strings.Fields(line)
		what = append(what, fields[0]+" "+fields[1])
	}
	require.Equal(t, []string{
		"INSERT audit_entry", "INSERT audit_head", "INSERT audit_personal", "INSERT membership", "INSERT organization",
		"INSERT pool",         // a workspace's first pool, by its table's trigger
		"INSERT subscription", // of the organization's plan, likewise
		"INSERT workspace", "INSERT workspace_grant",
	}, what)
}

func TestSlugsAreUnique(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	by := b.as(b.person("bob@example.com"), "", "")
	_, _, err := b.store.CreateOrganization(t.Context(), by, tenancydb.NewOrganization{Name: "Acme", Slug: "acme"})
	require.Equal(t, tenancydb.ReasonTaken, fault.ReasonOf(err))
	org, _, err := b.store.CreateOrganization(t.Context(), by, tenancydb.NewOrganization{Name: "Acme"})
	require.NoError(t, err)
	require.Regexp(t, `^acme-[0-9a-z]{4}$`, org.Slug, "a proposed slug makes room")

	_, err = b.store.CreateWorkspace(t.Context(), tn.owner, "Default", "default")
	require.Equal(t, tenancydb.ReasonTaken, fault.ReasonOf(err))
	w, err := b.store.CreateWorkspace(t.Context(), tn.owner, "Default", "")
	require.NoError(t, err)
	require.Regexp(t, `^default-[0-9a-z]{4}$`, w.Slug)
}

func TestOrganizationChecksItsInput(t *testing.T) {
	t.Parallel()
	b := setup(t)
	by := b.as(b.person("ada@example.com"), "", "")
	for _, in := range []tenancydb.NewOrganization{
		{},
		{Name: strings.Repeat("a", 101)},
		{Name: "Acme", Slug: "Acme"},
		{Name: "Acme", Slug: "-acme"},
		{Name: "Acme", Slug: "org_acme"},
		{Name: "Acme", Slug: strings.Repeat("a", 41)},
		{Name: "Acme", WorkspaceName: "\x00"},
	} {
		_, _, err := b.store.CreateOrganization(t.Context(), by, in)
		require.Equal(t, tenancydb.ReasonInvalid, fault.ReasonOf(err), "%+v", in)
	}
	org, _, err := b.store.CreateOrganization(t.Context(), by, tenancydb.NewOrganization{Name: "研究所"})
	require.NoError(t, err)
	require.Equal(t, "team", org.Slug)
}

func TestWorkspacesThatOneMayKnow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	second, err := b.store.CreateWorkspace(t.Context(), tn.owner, "Second", "")
	require.NoError(t, err)
	seenBy := func(by caller.Caller) []string {
		list, err := b.store.ListWorkspaces(t.Context(), by)
		require.NoError(t, err)
		var slugs []string
		for _, w := range list {
			require.Equal(t, tn.org.OrgID, w.OrgID)
			slugs = append(slugs, w.Slug)
		}
		return slugs
	}
	require.Equal(t, []string{"default", "second"}, seenBy(tn.owner))

	cookie, user := b.member(tn, "bob@example.com", authz.OrgMember, "")
	require.Empty(t, seenBy(b.as(cookie, "acme", "")))
	_, err = b.store.SetWorkspaceRole(t.Context(), tn.owner, second.ID, user, authz.WorkspaceViewer, false)
	require.NoError(t, err)
	require.Equal(t, []string{"second"}, seenBy(b.as(cookie, "acme", "")))

	cookie, _ = b.member(tn, "pay@example.com", authz.OrgBilling, "")
	require.Equal(t, []string{"default", "second"}, seenBy(b.as(cookie, "acme", "")), "billing sees each one's costs")

	org, err := b.store.GetOrganization(t.Context(), b.as(cookie, "acme", ""))
	require.NoError(t, err)
	require.Equal(t, tn.org, org)
}

func TestAccessIsWhatACredentialReaches(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, umbrella := b.tenant("acme"), b.tenant("umbrella")
	cookie, _ := b.member(acme, "bob@example.com", authz.OrgMember, authz.WorkspaceViewer)
	_, _, err := b.store.InviteMember(t.Context(), umbrella.owner, tenancydb.Invite{Email: "BOB@example.com", Role: authz.OrgAdmin})
	require.NoError(t, err)

	bob := b.as(cookie, "", "")
	access, err := b.store.Access(t.Context(), bob)
	require.NoError(t, err)
	require.Len(t, access.Organizations, 1)
	require.Equal(t, acme.org, access.Organizations[0].Organization)
	require.Equal(t, authz.OrgMember, access.Organizations[0].Role)
	require.Len(t, access.Organizations[0].Workspaces, 1)
	require.Equal(t, acme.workspace, access.Organizations[0].Workspaces[0].Workspace)
	require.Equal(t, []authz.Permission{authz.PermBillingRead, authz.PermRunsRead}, access.Organizations[0].Workspaces[0].Permissions)
	require.Len(t, access.Invitations, 1)
	require.Equal(t, "umbrella", access.Invitations[0].OrgName)
	require.Equal(t, "umbrella@example.com", access.Invitations[0].InviterEmail)

	_, err = b.store.AcceptInvitation(t.Context(), bob, access.Invitations[0].ID)
	require.NoError(t, err)
	access, err = b.store.Access(t.Context(), bob)
	require.NoError(t, err)
	require.Len(t, access.Organizations, 2)
	require.Empty(t, access.Invitations)

	_, secret, err := b.store.CreateKey(t.Context(), acme.owner, tenancydb.NewKey{Name: "ci", WorkspaceID: &acme.workspace.ID, Role: "operator"})
	require.NoError(t, err)
	p, err := b.store.AuthenticateKey(t.Context(), secret, tenancydb.ParsePlace("umbrella", ""), "")
	require.NoError(t, err)
	access, err = b.store.Access(t.Context(), caller.Caller{Principal: p})
	require.NoError(t, err)
	require.Len(t, access.Organizations, 1)
	require.Equal(t, []authz.Permission{authz.PermBillingRead, authz.PermRunsWrite, authz.PermRunsRead, authz.PermDataRead},
		access.Organizations[0].Workspaces[0].Permissions)
}
