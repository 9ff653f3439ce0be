package migrations_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
)

// A mistake in a handler must not pay a bill, nor make an agent out of nothing: also in its own organization the API's role writes only what people
// may.
func TestAPIRoleWritesOnlyWhatPeopleMay(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	org := id.New()
	exec := func(sql string) error {
		return pg.InTenant(t.Context(), db.API, org, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), sql, pgx.NamedArgs{"org": org})
			return err
		})
	}
	require.True(t, pg.Denied(exec(`INSERT INTO organization (org_id, slug, name, plan) VALUES (@org, 'acme', 'Acme', 'business')`)))
	require.NoError(t, exec(`INSERT INTO organization (org_id, slug, name) VALUES (@org, 'acme', 'Acme')`))
	require.NoError(t, exec(`INSERT INTO workspace (org_id, id, slug, name) VALUES (@org, @org, 'default', 'Default')`))
	for _, sql := range []string{
		`UPDATE organization SET state = 'active'`,
		`DELETE FROM organization`,
		`UPDATE organization SET plan = 'business'`,
		`UPDATE subscription SET plan = 'business'`,
		`DELETE FROM subscription`,
		`UPDATE workspace SET sealing_kid = '0123456789abcdef', sealing_public = decode(repeat('00', 32), 'hex')`,
		`INSERT INTO agent (org_id, id, workspace_id, pool_id, name, public_key, join_token_id)
			SELECT @org, @org, @org, id, 'a', decode(repeat('00', 32), 'hex'), @org FROM pool`,
		`UPDATE agent SET public_key = decode(repeat('00', 32), 'hex')`,
		`INSERT INTO session (org_id, id, agent_id, workspace_id, pool_id, expires_at) SELECT @org, @org, @org, @org, id, now() FROM pool`,
		`UPDATE session SET ended = false`,
		`UPDATE join_token SET pool_id = @org`,
		`INSERT INTO lease (org_id, id, session_id, agent_id, pool_id, run_id, task, attempt, path, class_id, slots, ready_at, granted_at)
			VALUES (@org, 1, @org, @org, @org, @org, 0, 1, 'a', 1, 1, now(), now())`,
		`DELETE FROM usage`,
		`UPDATE version SET plan = ''`,
		`UPDATE audit_entry SET detail = ''`,
	} {
		err := exec(sql)
		require.True(t, pg.Denied(err), "%s: %v", sql, err)
	}
	require.Error(t, exec(`INSERT INTO subscription (org_id, plan, price_book, starts_at) VALUES (@org, 'business', 1, now())`))
	require.Error(t, exec(`INSERT INTO subscription (org_id, plan, price_book, starts_at) VALUES (@org, 'free', 1, now())`), "there is one")
	require.NoError(t, exec(`UPDATE organization SET name = 'Acme Ltd', frozen_at = now(), freeze_note = 'audit'`))
	require.NoError(t, exec(`UPDATE workspace SET restricted = true`))
	require.NoError(t, exec(`UPDATE agent SET revoked_at = now()`))
}
