package pooldb_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/pooldb"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

func setup(t *testing.T) (*pg.DB, *pooldb.Store, caller.Caller) {
	t.Helper()
	db := pgtest.DB(t)
	by := caller.Caller{Principal: authz.Principal{
		Kind: authz.KindServiceAccount, KeyID: id.New(), OrgID: id.New(), OrgState: authz.StateActive, WorkspaceID: id.New(),
	}}
	args := pgx.NamedArgs{"org": by.OrgID, "ws": by.WorkspaceID}
	for _, sql := range []string{
		`INSERT INTO organization (org_id, slug, name) VALUES (@org, 'acme', 'Acme')`,
		`INSERT INTO workspace (org_id, id, slug, name) VALUES (@org, @ws, 'default', 'Default')`,
	} {
		_, err := db.Engine.Exec(t.Context(), sql, args)
		require.NoError(t, err)
	}
	return db, pooldb.NewStore(db, rand.Reader, time.Now), by
}

func TestALongQueueIsNotCountedToItsEnd(t *testing.T) {
	t.Parallel()
	db, store, by := setup(t)
	_, err := db.Engine.Exec(t.Context(), `
		INSERT INTO ready (org_id, run_id, task, attempt, path, pool_id, class_id, priority, lane, since)
		SELECT p.org_id, gen_random_uuid(), 0, 1, 'a', p.id, 1, 0, p.workspace_id, now()
		FROM pool p, generate_series(1, 10100)`)
	require.NoError(t, err)
	list, err := store.ListPools(t.Context(), by)
	require.NoError(t, err)
	require.EqualValues(t, pooldb.MaxReady, list[0].Ready)
}

func TestOneOfManyMakesThePool(t *testing.T) {
	t.Parallel()
	_, store, by := setup(t)
	const callers = 6
	errs := make(chan error, callers)
	for range callers {
		go func() {
			_, err := store.CreatePool(t.Context(), by, "gpu", 0)
			errs <- err
		}()
	}
	made := 0
	for range callers {
		if err := <-errs; err == nil {
			made++
		} else {
			require.Equal(t, fault.KindAlreadyExists, fault.KindOf(err))
		}
	}
	require.Equal(t, 1, made)
}

func TestJoiningIsAudited(t *testing.T) {
	t.Parallel()
	db, store, by := setup(t)
	changes := pgtest.Changes(t, db, func() {
		_, _, err := store.CreateJoinToken(t.Context(), by, "default", 3, 2*time.Hour)
		require.NoError(t, err)
	})
	require.Regexp(t, `^INSERT audit_entry .*"action": "pool.create_join_token".*
INSERT audit_head .*
INSERT audit_personal .*
INSERT join_token .*"uses_left": 3.*
$`, changes)
	require.NotContains(t, changes, "sbj_", "the secret is nowhere")
}

func TestThereMayBeOnlySoManyPools(t *testing.T) {
	t.Parallel()
	db, store, by := setup(t)
	_, err := db.Engine.Exec(t.Context(), `
		INSERT INTO pool (org_id, id, workspace_id, name)
		SELECT @org, gen_random_uuid(), @ws, 'p' || n FROM generate_series(1, 999) AS n`, pgx.NamedArgs{"org": by.OrgID, "ws": by.WorkspaceID})
	require.NoError(t, err)
	_, err = store.CreatePool(t.Context(), by, "more", 0)
	require.Equal(t, pooldb.ReasonQuota, fault.ReasonOf(err))
}

// A note is printed in terminals.
func TestPauseNoteIsOneLine(t *testing.T) {
	t.Parallel()
	_, store, by := setup(t)
	note := "back at noon\x1b[2J"
	_, err := store.UpdatePool(t.Context(), by, "default", pooldb.Update{PauseNote: &note})
	require.Equal(t, pooldb.ReasonInvalid, fault.ReasonOf(err))
}
