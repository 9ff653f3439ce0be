package tenancydb_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

const day = 24 * time.Hour

func TestKeyIsListedWithoutItsSecret(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn, other := b.tenant("acme"), b.tenant("umbrella")
	made, secret, err := b.store.CreateKey(t.Context(), tn.owner, tenancydb.NewKey{
		Name: " ci ", WorkspaceID: &tn.workspace.ID, Role: "developer", Permissions: authz.SetOf(authz.PermPoolsAdmin), Life: 30 * day,
	})
	require.NoError(t, err)
	require.Equal(t, "ci", made.Name)
	require.Equal(t, secret.Last4(), made.Last4)
	require.Equal(t, authz.WorkspaceDeveloper, *made.WorkspaceRole)
	require.Nil(t, made.OrgRole)
	require.Equal(t, []authz.Permission{authz.PermPoolsAdmin}, made.Permissions)
	require.Equal(t, "acme@example.com", made.CreatorEmail)
	require.Equal(t, b.clock.Now().Add(30*day), made.ExpiresAt.UTC())
	require.Nil(t, made.LastUsedAt)

	_, err = b.store.AuthenticateKey(t.Context(), secret, tenancydb.Place{}, "192.0.2.9")
	require.NoError(t, err)
	second, _, err := b.store.CreateKey(t.Context(), tn.owner, tenancydb.NewKey{Name: "second", Role: "admin"})
	require.NoError(t, err)
	require.NoError(t, b.store.RevokeKey(t.Context(), tn.owner, made.ID))
	require.NoError(t, b.store.RevokeKey(t.Context(), tn.owner, made.ID), "again is fine")
	keys, err := b.store.ListKeys(t.Context(), tn.owner)
	require.NoError(t, err)
	require.Len(t, keys, 2)
	require.Equal(t, second, keys[0])
	require.Equal(t, made.ID, keys[1].ID, "dead ones last")
	require.Equal(t, "192.0.2.9", keys[1].LastUsedIP)
	require.NotNil(t, keys[1].RevokedAt)

	for _, key := range []id.UUID{made.ID, {1}} {
		require.Equal(t, fault.NotFound("key", id.Format(id.Key, key)), b.store.RevokeKey(t.Context(), other.owner, key))
	}
	foreign, err := b.store.ListKeys(t.Context(), other.owner)
	require.NoError(t, err)
	require.Empty(t, foreign)
}

func TestCreateKeyChecksWhatIsAsked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	ws := &tn.workspace.ID
	for name, c := range map[string]struct {
		key    tenancydb.NewKey
		reason fault.Reason
	}{
		"no name":               {tenancydb.NewKey{Role: "admin"}, tenancydb.ReasonInvalid},
		"too long":              {tenancydb.NewKey{Name: "k", Role: "admin", Life: 366 * day}, tenancydb.ReasonInvalid},
		"negative":              {tenancydb.NewKey{Name: "k", Role: "admin", Life: -day}, tenancydb.ReasonInvalid},
		"nothing":               {tenancydb.NewKey{Name: "k"}, tenancydb.ReasonInvalid},
		"workspace's role here": {tenancydb.NewKey{Name: "k", Role: "developer"}, tenancydb.ReasonInvalid},
		"organization's there":  {tenancydb.NewKey{Name: "k", WorkspaceID: ws, Role: "billing"}, tenancydb.ReasonInvalid},
		"what no key may":       {tenancydb.NewKey{Name: "k", Permissions: authz.SetOf(authz.PermOrgOwn)}, tenancydb.ReasonPermission},
		"a year":                {tenancydb.NewKey{Name: "k", Role: "admin", Life: 365 * day}, ""},
		"permissions alone":     {tenancydb.NewKey{Name: "k", Permissions: authz.SetOf(authz.PermBillingRead)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := b.store.CreateKey(t.Context(), tn.owner, c.key)
			require.Equal(t, c.reason, fault.ReasonOf(err))
		})
	}
}

func TestNobodyMakesAKeyBeyondTheirRights(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	cookie, _ := b.member(tn, "bob@example.com", authz.OrgMember, authz.WorkspaceAdmin)
	bob := b.as(cookie, "acme", "default")
	_, _, err := b.store.CreateKey(t.Context(), bob, tenancydb.NewKey{Name: "k", Role: "admin"})
	require.Equal(t, tenancydb.ReasonPermission, fault.ReasonOf(err))
	_, _, err = b.store.CreateKey(t.Context(), bob, tenancydb.NewKey{Name: "k", WorkspaceID: &tn.workspace.ID, Role: "admin"})
	require.NoError(t, err)
}

func TestPersonalTokenTakesASignIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	cookie := b.person("ada@example.com")
	ada := b.as(cookie, "", "")
	secret, expires, err := b.store.CreatePersonalToken(t.Context(), ada, "laptop", 0)
	require.NoError(t, err, "before there is any organization")
	require.Equal(t, b.clock.Now().Add(90*day), expires)
	_, _, err = b.store.CreatePersonalToken(t.Context(), ada, "laptop", 91*day)
	require.Equal(t, tenancydb.ReasonInvalid, fault.ReasonOf(err))
	_, _, err = b.store.CreatePersonalToken(t.Context(), ada, "", 0)
	require.Equal(t, tenancydb.ReasonInvalid, fault.ReasonOf(err))

	p, err := b.store.AuthenticateKey(t.Context(), secret, tenancydb.Place{}, "")
	require.NoError(t, err)
	byToken := caller.Caller{Principal: p}
	_, _, err = b.store.CreatePersonalToken(t.Context(), byToken, "copy", 0)
	require.Equal(t, tenancydb.ReasonPermission, fault.ReasonOf(err), "a token makes no tokens")
	_, _, err = b.store.CreateOrganization(t.Context(), byToken, tenancydb.NewOrganization{Name: "Acme"})
	require.NoError(t, err)

	b.clock.advance(90*day - time.Second)
	_, err = b.store.AuthenticateKey(t.Context(), secret, tenancydb.Place{}, "")
	require.NoError(t, err, "idle is fine")
	require.NoError(t, b.store.SignOut(t.Context(), byToken))
	_, err = b.store.AuthenticateKey(t.Context(), secret, tenancydb.Place{}, "")
	require.ErrorIs(t, err, tenancydb.ErrUnauthenticated)
}

// TestWhatOnlyAPersonDoes: in the scope of a user any credential is let in, so
// the store itself must refuse a service account.
func TestWhatOnlyAPersonDoes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	_, secret, err := b.store.CreateKey(t.Context(), tn.owner, tenancydb.NewKey{Name: "ci", Role: "owner"})
	require.NoError(t, err)
	p, err := b.store.AuthenticateKey(t.Context(), secret, tenancydb.Place{}, "")
	require.NoError(t, err)
	by := caller.Caller{Principal: p}
	for name, do := range map[string]func() error{
		"list sessions":  func() error { _, err := b.store.ListSessions(t.Context(), by); return err },
		"revoke session": func() error { return b.store.RevokeSession(t.Context(), by, id.UUID{1}) },
		"personal token": func() error { _, _, err := b.store.CreatePersonalToken(t.Context(), by, "k", 0); return err },
		"accept":         func() error { _, err := b.store.AcceptInvitation(t.Context(), by, id.UUID{1}); return err },
		"organization": func() error {
			_, _, err := b.store.CreateOrganization(t.Context(), by, tenancydb.NewOrganization{Name: "x"})
			return err
		},
		"workspace": func() error { _, err := b.store.CreateWorkspace(t.Context(), by, "x", ""); return err },
		"invite": func() error {
			_, _, err := b.store.InviteMember(t.Context(), by, tenancydb.Invite{Email: "bob@example.com", Role: authz.OrgMember})
			return err
		},
		"key": func() error {
			_, _, err := b.store.CreateKey(t.Context(), by, tenancydb.NewKey{Name: "k", Role: "member"})
			return err
		},
		"role": func() error {
			_, err := b.store.SetMemberRole(t.Context(), by, tn.owner.UserID, authz.OrgAdmin)
			return err
		},
		"remove": func() error { return b.store.RemoveMember(t.Context(), by, tn.owner.UserID) },
	} {
		require.Equal(t, tenancydb.ReasonPermission, fault.ReasonOf(do()), name)
	}
	require.NoError(t, b.store.SignOut(t.Context(), by))
}
