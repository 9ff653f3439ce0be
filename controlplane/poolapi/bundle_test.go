package poolapi_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/poolapi"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// bundle is the service with a group commit, on a database of its own.
type bundle struct {
	t  *testing.T
	db *pg.DB
	a  *advance.Advancer
	h  *poolapi.Handler
}

func setup(t *testing.T) *bundle {
	t.Helper()
	db := pgtest.DB(t)
	a := advance.New(db, slog.New(slog.DiscardHandler), nil)
	require.NoError(t, a.Start(t.Context()))
	t.Cleanup(a.Stop)
	return &bundle{t: t, db: db, a: a, h: poolapi.New(db, a, "https://signalbox.example", rand.Reader, time.Now)}
}

func (b *bundle) exec(sql string, args pgx.NamedArgs) {
	b.t.Helper()
	_, err := b.db.Engine.Exec(b.t.Context(), sql, args)
	require.NoError(b.t, err)
}

func queryOne[T any](b *bundle, sql string, args pgx.NamedArgs) T {
	b.t.Helper()
	var out T
	require.NoError(b.t, b.db.Engine.QueryRow(b.t.Context(), sql, args).Scan(&out))
	return out
}

// tenant makes an organization with a workspace and returns the context of its
// owner's requests.
func (b *bundle) tenant(slug string) context.Context {
	b.t.Helper()
	c := caller.Caller{Principal: authz.Principal{
		Kind: authz.KindUser, UserID: id.New(), Email: slug + "@example.com",
		OrgID: id.New(), WorkspaceID: id.New(), OrgState: authz.StateActive, OrgRole: authz.OrgOwner,
	}}
	args := pgx.NamedArgs{"org": c.OrgID, "ws": c.WorkspaceID, "slug": slug}
	b.exec(`INSERT INTO organization (org_id, slug, name) VALUES (@org, @slug, @slug)`, args)
	b.exec(`INSERT INTO workspace (org_id, id, slug, name) VALUES (@org, @ws, 'default', 'Default')`, args)
	return caller.With(b.t.Context(), c)
}

// worker is an agent with a session in the default pool.
type worker struct{ agent, session id.UUID }

func (b *bundle) worker(by caller.Caller, kids ...string) worker {
	b.t.Helper()
	w := worker{id.New(), id.New()}
	key := sha256.Sum256(w.agent[:])
	args := pgx.NamedArgs{
		"org": by.OrgID, "ws": by.WorkspaceID, "agent": w.agent, "session": w.session, "key": key[:], "token": id.New(), "kids": append([]string{}, kids...),
		"pool": queryOne[id.UUID](b, `SELECT id FROM pool WHERE workspace_id = @ws`, pgx.NamedArgs{"ws": by.WorkspaceID}),
	}
	b.exec(`INSERT INTO agent (org_id, id, workspace_id, pool_id, name, public_key, join_token_id, version)
		VALUES (@org, @agent, @ws, @pool, 'box-1', @key, @token, '0.1.0')`, args)
	b.exec(`INSERT INTO session (org_id, id, agent_id, workspace_id, pool_id, expires_at, slots, cpu_millis, gpus, gpu_type, labels, sealing_kids)
		VALUES (@org, @session, @agent, @ws, @pool, now() + interval '32 seconds', 4, 8000, 3, 'a100', '{"zone": "eu"}', @kids)`, args)
	return w
}

// run starts a run of one task in the default pool.
func (b *bundle) run(by caller.Caller) {
	b.t.Helper()
	p := &plan.Plan{Format: plan.Format, Name: "one", Tasks: []plan.Task{{Name: "a", Run: "true", Pool: "default", Resources: plan.Resources{GPUs: 2, GPUTypes: []string{"A100"}}, Retry: plan.Retry{Infra: 3}}}}
	bytes, err := p.Encode()
	require.NoError(b.t, err)
	digest, labels := plan.DigestOf(bytes), sha256.Sum256([]byte("{}"))
	args := pgx.NamedArgs{"org": by.OrgID, "ws": by.WorkspaceID, "id": id.New(), "digest": digest[:], "plan": bytes, "labels": labels[:]}
	b.exec(`INSERT INTO pipeline (org_id, id, workspace_id, name) VALUES (@org, @id, @ws, 'one')`, args)
	b.exec(`INSERT INTO version (org_id, pipeline_id, digest, plan, source) VALUES (@org, @id, @digest, @plan, '')`, args)
	set := queryOne[int64](b, `INSERT INTO label_set (org_id, digest, labels) VALUES (@org, @labels, '{}') RETURNING id`, args)
	_, err = b.a.StartRun(b.t.Context(), advance.StartRun{
		Org: by.OrgID, Workspace: by.WorkspaceID, Pipeline: args["id"].(id.UUID), Digest: digest, LabelSet: set, Cause: "user",
	})
	require.NoError(b.t, err)
}
