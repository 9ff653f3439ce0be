package agentapi_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/golang-jwt/jwt/v5"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/agentapi"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/internal/rpc"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1/agentv1connect"
	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/session"
	"github.com/signalboxhq/signalbox/tenancy/token"
)

// bundle is the agents' service as it is wired, on a database of its own.
type bundle struct {
	t   *testing.T
	db  *pg.DB
	a   *advance.Advancer
	url string
	key ed25519.PrivateKey // signs access tokens and grants
}

func setup(t *testing.T) *bundle {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	b := &bundle{t: t, db: pgtest.DB(t), key: key}
	log := slog.New(slog.DiscardHandler)
	b.a = advance.New(b.db, log, nil)
	require.NoError(t, b.a.Start(t.Context()))
	t.Cleanup(b.a.Stop)
	identity := agentapi.NewIdentity(key, time.Now)
	service := agentapi.New(agentapi.Config{
		Engine: b.db.Engine, Advancer: b.a, Requests: nobodyReads{}, Identity: identity,
		GrantKey: key.Public().(ed25519.PublicKey), Log: log, Now: time.Now,
	})
	rules, err := rpc.LoadRules(agentv1connect.AgentServiceName)
	require.NoError(t, err)
	_, handler := agentv1connect.NewAgentServiceHandler(service, rpc.Options(log, rules, agentapi.Authorizer{}))
	server := httptest.NewServer(identity.Middleware(handler, session.RemoteIP))
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
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

// place is a workspace with its default pool.
type place struct{ org, workspace id.UUID }

func (b *bundle) organization(slug string) place {
	b.t.Helper()
	p := place{id.New(), id.New()}
	b.exec(`INSERT INTO organization (org_id, slug, name) VALUES (@org, @slug, @slug)`, pgx.NamedArgs{"org": p.org, "slug": slug})
	return b.workspace(p.org, "default")
}

func (b *bundle) workspace(org id.UUID, slug string) place {
	b.t.Helper()
	p := place{org, id.New()}
	b.exec(`INSERT INTO workspace (org_id, id, slug, name) VALUES (@org, @ws, @slug, @slug)`,
		pgx.NamedArgs{"org": p.org, "ws": p.workspace, "slug": slug})
	return p
}

// joinToken makes a token for the place's default pool.
func (b *bundle) joinToken(p place, uses int) token.Token {
	b.t.Helper()
	secret, err := token.New(token.Join, rand.Reader)
	require.NoError(b.t, err)
	b.exec(`INSERT INTO join_token (org_id, id, pool_id, hash, uses_left, expires_at)
		SELECT @org, @id, id, @hash, @uses, now() + interval '1 hour' FROM pool WHERE org_id = @org AND workspace_id = @ws`,
		pgx.NamedArgs{"org": p.org, "ws": p.workspace, "id": id.New(), "hash": secret.Hash(), "uses": uses})
	return secret
}

// agent is one that has joined, with a session.
type agent struct {
	agentv1connect.AgentServiceClient

	id, session string
	key         ed25519.PrivateKey
}

func (b *bundle) anonymous() agentv1connect.AgentServiceClient {
	return agentv1connect.NewAgentServiceClient(http.DefaultClient, b.url)
}

// assertion is what an agent signs for an access token.
func assertion(t *testing.T, agentID, jti string, key ed25519.PrivateKey) string {
	t.Helper()
	now := time.Now()
	out, err := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.RegisteredClaims{
		Issuer: agentID, Audience: jwt.ClaimStrings{"signalbox-token"}, ID: jti,
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(time.Minute)),
	}).SignedString(key)
	require.NoError(t, err)
	return out
}

func (b *bundle) agent(p place) *agent {
	b.t.Helper()
	ctx := b.t.Context()
	public, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(b.t, err)
	joined, err := b.anonymous().Enroll(ctx, &agentv1.EnrollRequest{Token: b.joinToken(p, 1).Secret(), PublicKey: public, Name: "box"})
	require.NoError(b.t, err)
	access, err := b.anonymous().CreateAccessToken(ctx, &agentv1.CreateAccessTokenRequest{
		Assertion: assertion(b.t, joined.GetAgentId(), id.New().String(), key),
	})
	require.NoError(b.t, err)
	client := &http.Client{Transport: bearer(access.GetAccessToken())}
	a := &agent{AgentServiceClient: agentv1connect.NewAgentServiceClient(client, b.url), id: joined.GetAgentId(), key: key}
	a.session = a.open(b.t, nil)
	return a
}

func (a *agent) open(t *testing.T, change func(*agentv1.OpenSessionRequest)) string {
	t.Helper()
	req := &agentv1.OpenSessionRequest{Capacity: &agentv1.Capacity{Slots: 1}}
	if change != nil {
		change(req)
	}
	opened, err := a.OpenSession(t.Context(), req)
	require.NoError(t, err)
	return opened.GetSessionId()
}

// lease takes the one task that waits.
func (a *agent) lease(t *testing.T) *agentv1.Lease {
	t.Helper()
	work, err := a.Poll(t.Context(), &agentv1.PollRequest{SessionId: a.session, Free: &agentv1.Capacity{Slots: 1}, WaitMs: 5000})
	require.NoError(t, err)
	require.Len(t, work.GetWork().GetLeases(), 1)
	return work.GetWork().GetLeases()[0]
}

// start starts a run of a plan with params, given in the open.
func (b *bundle) start(p place, name string, tasks []plan.Task, params ...*runv1.Value) advance.Started {
	b.t.Helper()
	made := &plan.Plan{Format: plan.Format, Name: name, Tasks: tasks}
	bytes, err := made.Encode()
	require.NoError(b.t, err)
	given, err := proto.Marshal(&runv1.Params{Values: params})
	require.NoError(b.t, err)
	digest, labels := plan.DigestOf(bytes), sha256.Sum256([]byte("{}"))
	args := pgx.NamedArgs{"org": p.org, "ws": p.workspace, "id": id.New(), "name": name, "digest": digest[:], "plan": bytes, "labels": labels[:]}
	b.exec(`INSERT INTO pipeline (org_id, id, workspace_id, name) VALUES (@org, @id, @ws, @name)`, args)
	b.exec(`INSERT INTO version (org_id, pipeline_id, digest, plan, source) VALUES (@org, @id, @digest, @plan, '')`, args)
	set := queryOne[int64](b, `INSERT INTO label_set (org_id, digest, labels) VALUES (@org, @labels, '{}')
		ON CONFLICT (org_id, digest) DO UPDATE SET digest = EXCLUDED.digest RETURNING id`, args)
	started, err := b.a.StartRun(b.t.Context(), advance.StartRun{
		Org: p.org, Workspace: p.workspace, Pipeline: args["id"].(id.UUID), Digest: digest, LabelSet: set, Params: given, Cause: "user",
	})
	require.NoError(b.t, err)
	return started
}

// one is a plan's tasks where one will do.
func one() []plan.Task { return []plan.Task{{Name: "a", Run: "true", Pool: "default"}} }

func requireReason(t *testing.T, want fault.Reason, err error) {
	t.Helper()
	require.Error(t, err)
	ce := new(connect.Error)
	require.ErrorAs(t, err, &ce)
	require.NotEmpty(t, ce.Details(), err.Error())
	detail, derr := ce.Details()[0].Value()
	require.NoError(t, derr)
	require.Equal(t, "REASON_"+string(want), detail.(*faultv1.Detail).GetReason().String(), err.Error())
}

func revoke(b *bundle, a *agent) {
	b.t.Helper()
	u, err := id.Parse(id.Agent, a.id)
	require.NoError(b.t, err)
	b.exec(`UPDATE agent SET revoked_at = now() WHERE id = @id`, pgx.NamedArgs{"id": u})
}
