package pipelinedb_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/pipeline"
	"github.com/signalboxhq/signalbox/controlplane/pipelinedb"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

func setup(t *testing.T) (*pg.DB, *pipelinedb.Store, caller.Caller) {
	t.Helper()
	db := pgtest.DB(t)
	by := caller.Caller{Principal: authz.Principal{Kind: authz.KindServiceAccount, KeyID: id.New(), KeyName: "ci", OrgID: id.New(), WorkspaceID: id.New()}}
	args := pgx.NamedArgs{"org": by.OrgID, "ws": by.WorkspaceID}
	for _, sql := range []string{
		`INSERT INTO organization (org_id, slug, name) VALUES (@org, 'acme', 'Acme')`,
		`INSERT INTO workspace (org_id, id, slug, name) VALUES (@org, @ws, 'default', 'Default')`,
	} {
		_, err := db.Engine.Exec(t.Context(), sql, args)
		require.NoError(t, err)
	}
	now := func() time.Time { return time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC) }
	return db, pipelinedb.NewStore(db, rand.Reader, now), by
}

func compiled(t *testing.T, word string) pipelinedb.Apply {
	t.Helper()
	source := []byte("signalbox: v1\nname: hello\ntasks:\n  say: {command: [echo, " + word + "]}\n")
	c, err := pipeline.Compile("p.yaml", source)
	require.NoError(t, err)
	return pipelinedb.Apply{Plan: c.Plan, Bytes: c.Bytes, Digest: c.Digest, Source: source, Filename: "p.yaml"}
}

func TestApplyingAtOnceMakesOnePipeline(t *testing.T) {
	t.Parallel()
	db, store, by := setup(t)
	in := compiled(t, "one")
	const callers = 8
	results := make(chan pipelinedb.Applied, callers)
	for range callers {
		go func() {
			out, err := store.Apply(t.Context(), by, in)
			if err != nil {
				t.Error(err)
			}
			results <- out
		}()
	}
	created := 0
	ids := map[id.UUID]bool{}
	for range callers {
		out := <-results
		ids[out.Pipeline.ID] = true
		if out.Created {
			created++
		}
	}
	require.Equal(t, 1, created)
	require.Len(t, ids, 1)
	var entries int
	require.NoError(t, db.Engine.QueryRow(t.Context(), `SELECT count(*) FROM audit_entry`).Scan(&entries))
	require.Equal(t, 2, entries, "one for the version, one for the pointer")
}

func TestApplyChangesTheseRowsOnly(t *testing.T) {
	t.Parallel()
	db, store, by := setup(t)
	_, err := store.Apply(t.Context(), by, compiled(t, "one"))
	require.NoError(t, err)
	next := compiled(t, "two")
	next.NoDeploy = true
	changes := pgtest.Changes(t, db, func() {
		_, err := store.Apply(t.Context(), by, next)
		require.NoError(t, err)
	})
	require.Regexp(t, `^INSERT audit_entry .*"action": "pipeline.apply".*
UPDATE audit_head .*
INSERT audit_personal .*
INSERT version .*
$`, changes)
}

func TestThereMayBeOnlySoManyPipelines(t *testing.T) {
	t.Parallel()
	db, store, by := setup(t)
	first, err := store.Apply(t.Context(), by, compiled(t, "one"))
	require.NoError(t, err)
	_, err = db.Engine.Exec(t.Context(), `
		INSERT INTO pipeline (org_id, id, workspace_id, name)
		SELECT @org, gen_random_uuid(), @ws, 'p' || n FROM generate_series(1, 999) AS n`, pgx.NamedArgs{"org": by.OrgID, "ws": by.WorkspaceID})
	require.NoError(t, err)
	_, err = store.Apply(t.Context(), by, compiled(t, "two"))
	require.NoError(t, err, "a version is no pipeline")
	_, err = db.Engine.Exec(t.Context(), `UPDATE pipeline SET name = 'other' WHERE id = @id`, pgx.NamedArgs{"id": first.Pipeline.ID})
	require.NoError(t, err)
	_, err = store.Apply(t.Context(), by, compiled(t, "three"))
	require.Equal(t, pipelinedb.ReasonQuota, fault.ReasonOf(err))
}
