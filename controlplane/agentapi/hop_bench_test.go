package agentapi_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/agentapi"
	"github.com/signalboxhq/signalbox/controlplane/agentdb"
	"github.com/signalboxhq/signalbox/controlplane/migrations"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pg/local"
	"github.com/signalboxhq/signalbox/internal/rpc"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1/agentv1connect"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/session"
)

// chainLength is the number of tasks of the benchmark's pipeline.
const chainLength = 10

// BenchmarkHop measures the hand-over: an agent reports the end of a step and
// has the lease of the next one in the answer, over HTTP, on a durable
// PostgreSQL. Beside it stands what one single-row commit takes on the same
// machine (C), and the ratio of the two.
func BenchmarkHop(b *testing.B) {
	h := newHop(b)
	var hops []time.Duration
	b.ResetTimer()
	for range b.N {
		hops = append(hops, h.chain()...)
	}
	b.StopTimer()
	slices.Sort(hops)
	commit := h.commitLatency()
	median := hops[len(hops)/2]
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(median.Microseconds())/1000, "ms/hop-p50")
	b.ReportMetric(float64(hops[len(hops)*99/100].Microseconds())/1000, "ms/hop-p99")
	b.ReportMetric(float64(commit.Microseconds())/1000, "ms/commit-p50")
	b.ReportMetric(float64(median)/float64(commit), "commits/hop")
}

type hop struct {
	b       *testing.B
	db      *pg.DB
	a       *advance.Advancer
	client  agentv1connect.AgentServiceClient
	start   advance.StartRun
	session string
}

// nobodyReads stands for the relay: no reader asks anything in a benchmark.
type nobodyReads struct{}

func (nobodyReads) Take(context.Context, id.UUID, id.UUID) ([]*agentv1.DataRequest, error) {
	return nil, nil
}
func (nobodyReads) Watch(id.UUID) (<-chan struct{}, func()) { return nil, func() {} }
func (nobodyReads) Deliver(context.Context, id.UUID, id.UUID, string, []*relayv1.Frame) error {
	return nil
}

func newHop(b *testing.B) *hop {
	b.Helper()
	ctx := b.Context()
	server, err := local.Start(ctx, local.Options{})
	require.NoError(b, err)
	b.Cleanup(func() { _ = server.Stop() })
	require.NoError(b, migrations.Up(ctx, server.URL()))
	db, err := pg.Open(ctx, pg.Config{URL: server.URL()})
	require.NoError(b, err)
	b.Cleanup(db.Close)
	h := &hop{b: b, db: db, a: advance.New(db, slog.New(slog.DiscardHandler), nil)}
	require.NoError(b, h.a.Start(ctx))
	b.Cleanup(h.a.Stop)
	h.serve(h.seed())
	return h
}

func (h *hop) exec(sql string, args pgx.NamedArgs) {
	h.b.Helper()
	_, err := h.db.Engine.Exec(h.b.Context(), sql, args)
	require.NoError(h.b, err)
}

// seed makes an organization with the chain and an agent, and returns the agent.
func (h *hop) seed() agentdb.Agent {
	a := agentdb.Agent{Org: id.New(), ID: id.New(), Workspace: id.New()}
	p := &plan.Plan{Format: plan.Format, Name: "chain", Pool: "default"}
	for i := range chainLength {
		t := plan.Task{Name: fmt.Sprintf("t%d", i), Run: "true", Pool: "default", Resources: plan.Resources{Slots: 1}}
		if i > 0 {
			t.Needs = []int{i - 1}
		}
		p.Tasks = append(p.Tasks, t)
	}
	bytes, err := p.Encode()
	require.NoError(h.b, err)
	digest := plan.DigestOf(bytes)
	labels := sha256.Sum256([]byte("{}"))
	public, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(h.b, err)
	args := pgx.NamedArgs{"org": a.Org, "ws": a.Workspace, "pipe": id.New(), "digest": digest[:], "plan": bytes, "labels": labels[:], "agent": a.ID, "key": []byte(public), "token": id.New()}
	h.exec(`INSERT INTO organization (org_id, slug, name) VALUES (@org, 'acme', 'Acme')`, args)
	h.exec(`INSERT INTO workspace (org_id, id, slug, name) VALUES (@org, @ws, 'default', 'Default')`, args)
	h.exec(`INSERT INTO pipeline (org_id, id, workspace_id, name, deployed) VALUES (@org, @pipe, @ws, 'chain', @digest)`, args)
	h.exec(`INSERT INTO version (org_id, pipeline_id, digest, plan, source) VALUES (@org, @pipe, @digest, @plan, '')`, args)
	h.exec(`INSERT INTO label_set (org_id, digest, labels) VALUES (@org, @labels, '{}')`, args)
	h.exec(`INSERT INTO agent (org_id, id, workspace_id, pool_id, name, public_key, join_token_id)
		SELECT @org, @agent, @ws, id, 'a', @key, @token FROM pool WHERE org_id = @org`, args)
	var set int64
	require.NoError(h.b, h.db.Engine.QueryRow(h.b.Context(), `SELECT id FROM label_set WHERE org_id = $1`, a.Org).Scan(&set))
	require.NoError(h.b, h.db.Engine.QueryRow(h.b.Context(), `SELECT pool_id FROM agent WHERE id = $1`, a.ID).Scan(&a.Pool))
	h.start = advance.StartRun{
		Org: a.Org, Workspace: a.Workspace, Pipeline: args["pipe"].(id.UUID), Digest: digest, LabelSet: set, Cause: "user", Actor: "bench",
	}
	return a
}

// serve mounts the agents' service, and opens a session as the agent.
func (h *hop) serve(a agentdb.Agent) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(h.b, err)
	identity := agentapi.NewIdentity(key, time.Now)
	log := slog.New(slog.DiscardHandler)
	rules, err := rpc.LoadRules(agentv1connect.AgentServiceName)
	require.NoError(h.b, err)
	service := agentapi.New(agentapi.Config{
		Engine: h.db.Engine, Advancer: h.a, Requests: nobodyReads{}, Identity: identity,
		GrantKey: key.Public().(ed25519.PublicKey), Log: log, Now: time.Now,
	})
	_, handler := agentv1connect.NewAgentServiceHandler(service, rpc.Options(log, rules, agentapi.Authorizer{}))
	srv := httptest.NewServer(identity.Middleware(handler, session.RemoteIP))
	h.b.Cleanup(srv.Close)
	token, _, err := identity.Access(a)
	require.NoError(h.b, err)
	h.client = agentv1connect.NewAgentServiceClient(&http.Client{Transport: bearer(token)}, srv.URL, connect.WithSendCompression(""))
	out, err := h.client.OpenSession(h.b.Context(), &agentv1.OpenSessionRequest{Capacity: &agentv1.Capacity{Slots: 1}})
	require.NoError(h.b, err)
	h.session = out.GetSessionId()
}

type bearer string

// RoundTrip adds the agent's token.
func (t bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("Authorization", "Bearer "+string(t))
	return http.DefaultTransport.RoundTrip(r)
}

// chain runs one pipeline and returns how long each hop took.
func (h *hop) chain() []time.Duration {
	ctx := h.b.Context()
	_, err := h.a.StartRun(ctx, h.start)
	require.NoError(h.b, err)
	free := &agentv1.Capacity{Slots: 1}
	polled, err := h.client.Poll(ctx, &agentv1.PollRequest{SessionId: h.session, Free: free, WaitMs: 5000})
	require.NoError(h.b, err)
	leases := polled.GetWork().GetLeases()
	var hops []time.Duration
	for i := range chainLength {
		require.Len(h.b, leases, 1)
		l := leases[0]
		begin := time.Now()
		out, err := h.client.Report(ctx, &agentv1.ReportRequest{SessionId: h.session, Free: free, Reports: []*agentv1.AttemptReport{{
			LeaseId: l.GetId(), RunId: l.GetRunId(), Task: l.GetTask(), Attempt: l.GetAttempt(), Outcome: "succeeded", Started: true, DurationMs: 1,
		}}})
		took := time.Since(begin)
		require.NoError(h.b, err)
		leases = out.GetWork().GetLeases()
		if i < chainLength-1 {
			hops = append(hops, took)
		}
	}
	return hops
}

// commitLatency is C: the median of single-row commits on one connection.
func (h *hop) commitLatency() time.Duration {
	conn, err := pgx.Connect(h.b.Context(), h.db.URL())
	require.NoError(h.b, err)
	defer func() { _ = conn.Close(h.b.Context()) }()
	_, err = conn.Exec(h.b.Context(), `CREATE TABLE public.bench_commit (n bigint)`)
	require.NoError(h.b, err)
	var all []time.Duration
	for i := range 2000 {
		begin := time.Now()
		_, err := conn.Exec(h.b.Context(), `INSERT INTO public.bench_commit VALUES ($1)`, i)
		require.NoError(h.b, err)
		all = append(all, time.Since(begin))
	}
	slices.Sort(all)
	return all[len(all)/2]
}
