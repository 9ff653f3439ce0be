package tenancydb_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
	"github.com/signalboxhq/signalbox/tenancy/token"
)

func TestSessionStandsInThePlaceOfTheRequest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	other := b.tenant("umbrella")
	org, ws := id.Format(id.Org, tn.org.OrgID), id.Format(id.Workspace, tn.workspace.ID)
	require.Equal(t, "acme", tn.org.Slug)
	require.Equal(t, "default", tn.workspace.Slug)

	for name, c := range map[string]struct {
		org, workspace       string
		inOrg, inWorkspace   bool
		wantRole, wantInRole string
	}{
		"nowhere":                  {},
		"organization by slug":     {org: "acme", inOrg: true},
		"organization by id":       {org: org, inOrg: true},
		"workspace by slugs":       {org: "acme", workspace: "default", inOrg: true, inWorkspace: true},
		"workspace by ids":         {org: org, workspace: ws, inOrg: true, inWorkspace: true},
		"workspace by its id":      {workspace: ws, inOrg: true, inWorkspace: true},
		"workspace qualified":      {workspace: "acme/default", inOrg: true, inWorkspace: true},
		"qualified twice":          {org: "acme", workspace: "acme/default", inOrg: true, inWorkspace: true},
		"qualified, contradicting": {org: "acme", workspace: "umbrella/default"},
		"workspace by slug alone":  {workspace: "default"},
		"missing workspace":        {org: "acme", workspace: "nope", inOrg: true},
		"foreign workspace":        {org: "acme", workspace: id.Format(id.Workspace, other.workspace.ID), inOrg: true},
		"foreign workspace alone":  {workspace: id.Format(id.Workspace, other.workspace.ID)},
		"missing organization":     {org: "nope"},
		"foreign organization":     {org: "umbrella", workspace: "default"},
		"nonsense":                 {org: "org_zzz", workspace: "a/b/c"},
		"empty qualified":          {workspace: "/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := b.store.AuthenticateSession(t.Context(), tn.cookie, tenancydb.ParsePlace(c.org, c.workspace))
			require.NoError(t, err)
			require.Equal(t, tn.owner.UserID, p.UserID)
			require.Equal(t, authz.KindUser, p.Kind)
			require.Equal(t, "acme@example.com", p.Email)
			require.NotEqual(t, id.Nil, p.SessionID)
			if c.inOrg {
				require.Equal(t, tn.org.OrgID, p.OrgID)
				require.Equal(t, authz.OrgOwner, p.OrgRole)
				require.Equal(t, authz.StateActive, p.OrgState)
			} else {
				require.Equal(t, id.Nil, p.OrgID)
				require.Empty(t, p.OrgRole)
			}
			if c.inWorkspace {
				require.Equal(t, tn.workspace.ID, p.WorkspaceID)
				require.Equal(t, authz.WorkspaceAdmin, p.WorkspaceRole)
			} else {
				require.Equal(t, id.Nil, p.WorkspaceID)
				require.Empty(t, p.WorkspaceRole)
			}
		})
	}
}

func TestSessionEndsWhenIdleAndInAnyCase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	cookie := b.person("ada@example.com")
	authenticate := func() error {
		_, err := b.store.AuthenticateSession(t.Context(), cookie, tenancydb.Place{})
		return err
	}
	for range 14 {
		b.clock.advance(tenancydb.SessionIdle - time.Second)
		require.NoError(t, authenticate(), "used, so not idle")
	}
	b.clock.advance(15 * time.Second)
	require.ErrorIs(t, authenticate(), tenancydb.ErrUnauthenticated, "seven days at most")

	cookie = b.person("bob@example.com")
	b.clock.advance(tenancydb.SessionIdle)
	require.ErrorIs(t, authenticate(), tenancydb.ErrUnauthenticated, "idle for twelve hours")
}

func TestUseIsWrittenOnceAMinute(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	_, secret, err := b.store.CreateKey(t.Context(), tn.owner, tenancydb.NewKey{Name: "ci", Role: "admin"})
	require.NoError(t, err)
	use := func() {
		_, err := b.store.AuthenticateSession(t.Context(), tn.cookie, tenancydb.Place{})
		require.NoError(t, err)
		_, err = b.store.AuthenticateKey(t.Context(), secret, tenancydb.Place{}, "192.0.2.9")
		require.NoError(t, err)
	}
	use()
	b.clock.advance(59 * time.Second)
	require.Empty(t, pgtest.Changes(t, b.db, use))
	b.clock.advance(2 * time.Second)
	require.Equal(t, "UPDATE api_key [<id 1> <id 2>] last_used_at: \"<time>\" -> \"<time>\"\n"+
		"UPDATE login_session [<id 3>] seen_at: \"<time>\" -> \"<time>\"\n",
		pgtest.Mask(pgtest.Changes(t, b.db, use)))
}

func TestUnknownCredentialsAreAllTheSame(t *testing.T) {
	t.Parallel()
	b := setup(t)
	cookie, err := token.NewCookie(rand.Reader)
	require.NoError(t, err)
	_, err = b.store.AuthenticateSession(t.Context(), cookie, tenancydb.Place{})
	require.Equal(t, tenancydb.ErrUnauthenticated, err)
	for _, kind := range token.Kinds() {
		key, err := token.New(kind, rand.Reader)
		require.NoError(t, err)
		_, err = b.store.AuthenticateKey(t.Context(), key, tenancydb.Place{}, "")
		require.Equal(t, tenancydb.ErrUnauthenticated, err)
	}
}

func TestKeyStandsInItsOrganizationOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn, other := b.tenant("acme"), b.tenant("umbrella")
	second, err := b.store.CreateWorkspace(t.Context(), tn.owner, "Second", "")
	require.NoError(t, err)
	_, orgKey, err := b.store.CreateKey(t.Context(), tn.owner, tenancydb.NewKey{Name: "org", Role: "admin"})
	require.NoError(t, err)
	_, wsKey, err := b.store.CreateKey(t.Context(), tn.owner, tenancydb.NewKey{
		Name: "ws", WorkspaceID: &tn.workspace.ID, Role: "developer", Permissions: authz.SetOf(authz.PermPoolsAdmin),
	})
	require.NoError(t, err)
	in := func(key token.Token, organization, workspace string) authz.Principal {
		p, err := b.store.AuthenticateKey(t.Context(), key, tenancydb.ParsePlace(organization, workspace), "")
		require.NoError(t, err)
		require.Equal(t, authz.KindServiceAccount, p.Kind)
		require.Equal(t, tn.org.OrgID, p.KeyOrgID)
		return p
	}
	may := func(p authz.Principal, permission authz.Permission) authz.Verdict {
		return authz.Check(p, permission, authz.ScopeWorkspace)
	}

	require.Equal(t, tn.org.OrgID, in(orgKey, "", "").OrgID)
	require.Equal(t, id.Nil, in(orgKey, "", "").WorkspaceID)
	require.Equal(t, authz.Allow, may(in(orgKey, "", "acme/second"), authz.PermRunsWrite))
	require.Equal(t, id.Nil, in(orgKey, other.org.Slug, "").OrgID, "another organization is a missing one")
	require.Equal(t, authz.Hidden, may(in(orgKey, "", id.Format(id.Workspace, other.workspace.ID)), authz.PermRunsWrite))

	require.Equal(t, tn.workspace.ID, in(wsKey, "", "").WorkspaceID, "may leave the workspace out")
	require.Equal(t, authz.Allow, may(in(wsKey, "", ""), authz.PermPipelinesWrite))
	require.Equal(t, authz.Allow, may(in(wsKey, "acme", "default"), authz.PermPoolsAdmin))
	require.Equal(t, authz.Deny, may(in(wsKey, "", ""), authz.PermKeysAdmin))
	require.Equal(t, authz.Hidden, may(in(wsKey, "", id.Format(id.Workspace, second.ID)), authz.PermRunsRead))
	require.Equal(t, authz.Hidden, may(in(wsKey, "umbrella", ""), authz.PermRunsRead))
}

func TestPersonalTokenIsItsPerson(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	secret, _, err := b.store.CreatePersonalToken(t.Context(), tn.owner, "laptop", 0)
	require.NoError(t, err)
	require.Equal(t, token.Personal, secret.Kind())
	p, err := b.store.AuthenticateKey(t.Context(), secret, tenancydb.ParsePlace("", "acme/default"), "")
	require.NoError(t, err)
	require.Equal(t, authz.KindUser, p.Kind)
	require.Equal(t, tn.owner.UserID, p.UserID)
	require.Equal(t, authz.OrgOwner, p.OrgRole)
	require.Equal(t, authz.WorkspaceAdmin, p.WorkspaceRole)
	require.True(t, authz.Allowed(p, authz.PermMembersAdmin, authz.ScopeOrganization))
	require.False(t, authz.Allowed(p, authz.PermOrgOwn, authz.ScopeOrganization))
}

// TestRevocationBitesAtTheNextCall is the promise of one query per request:
// every way to lose a right, and the very next authentication without it.
func TestRevocationBitesAtTheNextCall(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	cookie, user := b.member(tn, "bob@example.com", authz.OrgAdmin, authz.WorkspaceOperator)
	bob := b.as(cookie, "acme", "default")
	personal, _, err := b.store.CreatePersonalToken(t.Context(), bob, "laptop", 0)
	require.NoError(t, err)
	key, secret, err := b.store.CreateKey(t.Context(), tn.owner, tenancydb.NewKey{Name: "ci", Role: "admin"})
	require.NoError(t, err)
	withKey := func(k token.Token) error {
		_, err := b.store.AuthenticateKey(t.Context(), k, tenancydb.Place{}, "")
		return err
	}
	withToken := func() authz.Principal {
		p, err := b.store.AuthenticateKey(t.Context(), personal, tenancydb.ParsePlace("acme", "default"), "")
		require.NoError(t, err)
		return p
	}

	require.NoError(t, withKey(secret))
	require.NoError(t, b.store.RevokeKey(t.Context(), tn.owner, key.ID))
	require.ErrorIs(t, withKey(secret), tenancydb.ErrUnauthenticated)

	require.Equal(t, authz.OrgAdmin, bob.OrgRole)
	_, err = b.store.SetMemberRole(t.Context(), tn.owner, user, authz.OrgMember)
	require.NoError(t, err)
	require.Equal(t, authz.OrgMember, b.as(cookie, "acme", "").OrgRole)

	_, err = b.store.SetWorkspaceRole(t.Context(), tn.owner, tn.workspace.ID, user, authz.WorkspaceViewer, false)
	require.NoError(t, err)
	require.Equal(t, authz.WorkspaceViewer, b.as(cookie, "acme", "default").WorkspaceRole)

	require.Equal(t, authz.WorkspaceViewer, withToken().WorkspaceRole)
	require.NoError(t, b.store.RemoveMember(t.Context(), tn.owner, user))
	require.Equal(t, id.Nil, b.as(cookie, "acme", "default").OrgID)
	require.Equal(t, id.Nil, withToken().OrgID)

	sessions, err := b.store.ListSessions(t.Context(), b.as(cookie, "", ""))
	require.NoError(t, err)
	require.Len(t, sessions, 2)
	for _, s := range sessions {
		if s.TokenName == "laptop" {
			require.Equal(t, personal.Last4(), s.TokenLast4)
			require.NoError(t, b.store.RevokeSession(t.Context(), b.as(cookie, "", ""), s.ID))
		}
	}
	require.ErrorIs(t, withKey(personal), tenancydb.ErrUnauthenticated)

	require.NoError(t, b.store.SignOut(t.Context(), b.as(cookie, "", "")))
	_, err = b.store.AuthenticateSession(t.Context(), cookie, tenancydb.Place{})
	require.ErrorIs(t, err, tenancydb.ErrUnauthenticated)
}

func TestKeyExpires(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	key, secret, err := b.store.CreateKey(t.Context(), tn.owner, tenancydb.NewKey{Name: "ci", Role: "admin"})
	require.NoError(t, err)
	require.Equal(t, b.clock.Now().Add(90*24*time.Hour), key.ExpiresAt.UTC())
	b.clock.advance(tenancydb.DefaultKeyLife - time.Second)
	_, err = b.store.AuthenticateKey(t.Context(), secret, tenancydb.Place{}, "")
	require.NoError(t, err)
	b.clock.advance(time.Second)
	_, err = b.store.AuthenticateKey(t.Context(), secret, tenancydb.Place{}, "")
	require.ErrorIs(t, err, tenancydb.ErrUnauthenticated)
}
