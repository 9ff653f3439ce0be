package tenancydb_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

// Nobody fills the tables: with as many as there may be, one more is refused,
// and what is dead does not count.
func TestThereMayBeOnlySoMany(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	super := pgtest.Super(t, b.db.URL())
	args := pgx.NamedArgs{"org": tn.org.OrgID, "user": tn.owner.UserID, "now": b.clock.Now()}
	for name, c := range map[string]struct {
		fill string
		more func() error
	}{
		"organizations": {
			`
			WITH o AS (
				INSERT INTO organization (org_id, slug, name)
				SELECT gen_random_uuid(), 'o' || n, 'O' FROM generate_series(1, 50) AS n
				RETURNING org_id)
			INSERT INTO membership (org_id, id, user_id, role) SELECT org_id, gen_random_uuid(), @user, 'owner' FROM o`,
			func() error {
				_, _, err := b.store.CreateOrganization(t.Context(), tn.owner, tenancydb.NewOrganization{Name: "One more"})
				return err
			},
		},
		"workspaces": {
			`
			INSERT INTO workspace (org_id, id, slug, name) SELECT @org, gen_random_uuid(), 'w' || n, 'W' FROM generate_series(1, 200) AS n`,
			func() error {
				_, err := b.store.CreateWorkspace(t.Context(), tn.owner, "One more", "")
				return err
			},
		},
		"invitations": {
			`
			INSERT INTO invitation (org_id, id, token_hash, email, email_key, role, invited_by, created_at, expires_at)
			SELECT @org, gen_random_uuid(), decode(repeat('00', 32), 'hex'), 'x', 'x' || n || '@example.com', 'member', @user, @now, @now::timestamptz + life
			FROM generate_series(1, 1000) AS n, (VALUES ('1 day'::interval)) AS l (life)`,
			func() error {
				_, _, err := b.store.InviteMember(t.Context(), tn.owner, tenancydb.Invite{Email: "more@example.com", Role: authz.OrgMember})
				return err
			},
		},
		"keys": {
			`
			INSERT INTO api_key (org_id, id, name, hash, last4, org_role, created_at, expires_at)
			SELECT @org, gen_random_uuid(), 'k', decode(repeat('00', 32), 'hex'), 'last', 'member', @now, @now::timestamptz + interval '1 day'
			FROM generate_series(1, 500) AS n`,
			func() error {
				_, _, err := b.store.CreateKey(t.Context(), tn.owner, tenancydb.NewKey{Name: "more", Role: "member"})
				return err
			},
		},
		"tokens": {
			`
			INSERT INTO personal_token (id, user_id, name, token_hash, last4, created_at, expires_at, seen_at)
			SELECT gen_random_uuid(), @user, 't', decode(lpad(to_hex(n), 64, '0'), 'hex'), 'last', @now, @now::timestamptz + interval '1 day', @now
			FROM generate_series(1, 100) AS n`,
			func() error {
				_, _, err := b.store.CreatePersonalToken(t.Context(), tn.owner, "more", 0)
				return err
			},
		},
	} {
		require.NoError(t, c.more(), name)
		_, err := super.Exec(t.Context(), c.fill, args)
		require.NoError(t, err, name)
		err = c.more()
		require.Equal(t, tenancydb.ReasonQuota, fault.ReasonOf(err), "%s: %v", name, err)
	}
	_, err := super.Exec(t.Context(), `UPDATE api_key SET revoked_at = @now WHERE org_id = @org;`, pgx.QueryExecModeExec, args)
	require.NoError(t, err)
	_, _, err = b.store.CreateKey(t.Context(), tn.owner, tenancydb.NewKey{Name: "again", Role: "member"})
	require.NoError(t, err, "dead keys do not count")
}

// An admin can no more take an invitation back than give it, where it promises
// more than the admin is.
func TestInvitationOfAnOwnerIsAnOwnersToRevoke(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	made, _, err := b.store.InviteMember(t.Context(), tn.owner, tenancydb.Invite{Email: "bob@example.com", Role: authz.OrgOwner})
	require.NoError(t, err)
	cookie, _ := b.member(tn, "admin@example.com", authz.OrgAdmin, "")
	err = b.store.RevokeInvitation(t.Context(), b.as(cookie, tn.org.Slug, ""), made.ID)
	require.Equal(t, tenancydb.ReasonPermission, fault.ReasonOf(err))
	require.NoError(t, b.store.RevokeInvitation(t.Context(), tn.owner, made.ID))
}
