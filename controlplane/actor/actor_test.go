package actor_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/actor"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

func TestActorsAreKeptAsIDs(t *testing.T) {
	t.Parallel()
	u := id.New()
	for want, p := range map[string]authz.Principal{
		id.Format(id.User, u):  {Kind: authz.KindUser, UserID: u, KeyID: id.New(), Email: "mara@example.com"},
		id.Format(id.Key, u):   {Kind: authz.KindServiceAccount, KeyID: u, KeyName: "ci"},
		id.Format(id.Agent, u): {Kind: authz.KindAgent, AgentID: u},
		"system":               {},
	} {
		require.Equal(t, want, actor.Text(caller.Caller{Principal: p}))
	}
	require.Equal(t, "key", actor.Cause(caller.Caller{Principal: authz.Principal{Kind: authz.KindServiceAccount}}))
	require.Equal(t, "user", actor.Cause(caller.Caller{Principal: authz.Principal{Kind: authz.KindUser, KeyID: u}}))
}

func TestOnlyMembersAreNamed(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	org, mara, stranger, key := id.New(), id.New(), id.New(), id.New()
	args := pgx.NamedArgs{"org": org, "mara": mara, "stranger": stranger, "key": key, "m": id.New()}
	for _, sql := range []string{
		`INSERT INTO organization (org_id, slug, name) VALUES (@org, 'acme', 'Acme')`,
		`INSERT INTO membership (org_id, id, user_id, role) VALUES (@org, @m, @mara, 'owner')`,
		`INSERT INTO api_key (org_id, id, name, hash, last4, created_at, expires_at)
			VALUES (@org, @key, 'ci', sha256('x'), 'abcd', now(), now() + interval '1 day')`,
	} {
		_, err := db.Engine.Exec(t.Context(), sql, args)
		require.NoError(t, err)
	}
	_, err := db.Auth.Exec(t.Context(), `INSERT INTO users (id, email, email_key, name, verified_at)
		VALUES (@mara, 'mara@example.com', 'mara@example.com', '', now()), (@stranger, 's@example.com', 's@example.com', 'S', now())`, args)
	require.NoError(t, err)

	texts := []string{id.Format(id.User, mara), id.Format(id.User, stranger), id.Format(id.Key, key), "system", ""}
	require.NoError(t, pg.InTenantRead(t.Context(), db.API, org, func(tx pgx.Tx) error {
		names, err := actor.Names(t.Context(), tx, org, texts)
		require.NoError(t, err)
		require.Equal(t, map[string]string{texts[0]: "mara@example.com", texts[2]: "ci"}, names)
		require.Equal(t, texts[1], actor.Name(names, texts[1]), "nobody of this organization")
		return nil
	}))
}
