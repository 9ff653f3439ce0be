package relay_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"connectrpc.com/connect"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/relay"
	"github.com/signalboxhq/signalbox/controlplane/replica"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/internal/rpc"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1/relayv1connect"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/seal"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// kid is the workspace's sealing key in all tests.
const kid = "0123456789abcdef"

// bundle is an organization with a workspace and a run, on a database of its
// own.
type bundle struct {
	t                   *testing.T
	db                  *pg.DB
	org, workspace, run id.UUID
	grantKey            ed25519.PrivateKey
	log                 *lockedBuffer
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t, db: pgtest.DB(t), log: &lockedBuffer{}}
	var err error
	_, b.grantKey, err = ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	b.org, b.workspace, b.run = b.tenant("acme")
	return b
}

// tenant makes an organization with a workspace and a run.
func (b *bundle) tenant(slug string) (org, workspace, run id.UUID) {
	b.t.Helper()
	org = id.New()
	b.exec(`INSERT INTO organization (org_id, slug, name) VALUES (@org, @slug, @slug)`, pgx.NamedArgs{"org": org, "slug": slug})
	workspace = b.addWorkspace(org, "default")
	return org, workspace, b.addRun(org, workspace)
}

func (b *bundle) addWorkspace(org id.UUID, slug string) id.UUID {
	b.t.Helper()
	workspace := id.New()
	b.exec(`INSERT INTO workspace (org_id, id, slug, name, sealing_kid, sealing_public) VALUES (@org, @ws, @slug, @slug, @kid, @public)`,
		pgx.NamedArgs{"org": org, "ws": workspace, "slug": slug, "kid": kid, "public": make([]byte, 32)})
	return workspace
}

func (b *bundle) addRun(org, workspace id.UUID) id.UUID {
	b.t.Helper()
	run := id.New()
	b.exec(`INSERT INTO run (org_id, id, workspace_id, pipeline_id, digest, number, cause, params, label_set_id, state, seq, tasks_total, created_at)
		VALUES (@org, @run, @ws, @pipeline, @digest, 1, 'user', '', 1, 'running', 1, 1, now())`,
		pgx.NamedArgs{"org": org, "run": run, "ws": workspace, "pipeline": id.New(), "digest": make([]byte, 32)})
	return run
}

func (b *bundle) exec(sql string, args pgx.NamedArgs) {
	b.t.Helper()
	_, err := b.db.Engine.Exec(context.Background(), sql, args)
	require.NoError(b.t, err)
}

// addAgent makes an agent without a session.
func (b *bundle) addAgent(name string) id.UUID {
	b.t.Helper()
	agent := id.New()
	key := sha256.Sum256(agent[:])
	b.exec(`INSERT INTO agent (org_id, id, workspace_id, pool_id, name, public_key, join_token_id)
		SELECT @org, @agent, @ws, id, @name, @key, @agent FROM pool WHERE org_id = @org AND workspace_id = @ws`,
		pgx.NamedArgs{"org": b.org, "agent": agent, "ws": b.workspace, "name": name, "key": key[:]})
	return agent
}

// connect opens a session of an agent.
func (b *bundle) connect(agent id.UUID, draining bool, kids ...string) id.UUID {
	b.t.Helper()
	session := id.New()
	b.exec(`INSERT INTO session (org_id, id, agent_id, workspace_id, pool_id, expires_at, draining, sealing_kids)
		SELECT org_id, @session, id, workspace_id, pool_id, now() + interval '30 seconds', @draining, @kids FROM agent WHERE id = @agent`,
		pgx.NamedArgs{"session": session, "agent": agent, "draining": draining, "kids": append([]string{}, kids...)})
	return session
}

// disconnect ends a session that was last renewed at the given time, as the
// reaper does.
func (b *bundle) disconnect(session id.UUID, expired string) {
	b.t.Helper()
	b.exec(`UPDATE session SET ended = true, expires_at = @at::timestamptz WHERE id = @session`, pgx.NamedArgs{"session": session, "at": expired})
	b.exec(`DELETE FROM session WHERE id = @session`, pgx.NamedArgs{"session": session})
}

// lease has an agent work on an attempt, endAttempt has it done.
func (b *bundle) lease(agent id.UUID, task string, attempt int) {
	b.t.Helper()
	b.exec(`INSERT INTO lease (org_id, id, session_id, agent_id, pool_id, run_id, task, attempt, path, class_id, slots, ready_at, granted_at)
		VALUES (@org, nextval('lease_id'), @agent, @agent, @agent, @run, 0, @attempt, @task, 1, 1, now(), now())`,
		pgx.NamedArgs{"org": b.org, "agent": agent, "run": b.run, "task": task, "attempt": attempt})
}

func (b *bundle) endAttempt(agent id.UUID, task string, attempt int) {
	b.t.Helper()
	b.exec(`INSERT INTO journal (org_id, run_id, seq, v, at, kind, task, path, attempt, agent_id)
		VALUES (@org, @run, (SELECT count(*) + 1 FROM journal WHERE run_id = @run), 1, now(), 'attempt_ended', 0, @task, @attempt, @agent)`,
		pgx.NamedArgs{"org": b.org, "agent": agent, "run": b.run, "task": task, "attempt": attempt})
}

// node is one replica: relay, internal listener, and the server for readers.
type node struct {
	*bundle

	replica *replica.Replica
	relay   *relay.Relay
}

func (b *bundle) node(limits relay.Limits) *node {
	b.t.Helper()
	n := &node{bundle: b}
	log := slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	n.replica = replica.New(replica.Config{Engine: b.db.Engine, Log: log})
	n.relay = relay.New(relay.Config{DB: b.db, Replica: n.replica, GrantKey: b.grantKey, Limits: limits, Log: log})
	require.NoError(b.t, n.replica.Start(b.t.Context()))
	b.t.Cleanup(n.replica.Stop)
	require.NoError(b.t, n.relay.Start(b.t.Context()))
	b.t.Cleanup(n.relay.Stop)
	return n
}

type admitAll struct{}

func (admitAll) Authorize(ctx context.Context, _ rpc.Call) (context.Context, error) { return ctx, nil }

// client is how a caller reaches the node.
func (n *node) client(c caller.Caller) relayv1connect.RelayServiceClient {
	n.t.Helper()
	rules, err := rpc.LoadRules(relayv1connect.RelayServiceName)
	require.NoError(n.t, err)
	mux := http.NewServeMux()
	mux.Handle(n.relay.Handler(rpc.Options(slog.New(slog.NewTextHandler(n.log, nil)), rules, admitAll{})))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(w, r.WithContext(caller.With(r.Context(), c)))
	}))
	n.t.Cleanup(server.Close)
	n.t.Cleanup(n.relay.Stop) // Before the server, which waits for its streams.
	return relayv1connect.NewRelayServiceClient(server.Client(), server.URL)
}

// user is a person in the bundle's workspace.
func (b *bundle) user() caller.Caller {
	return caller.Caller{Principal: authz.Principal{Kind: authz.KindUser, UserID: id.UUID{1}, OrgID: b.org, WorkspaceID: b.workspace}}
}

// reading is a stream at its reader.
type reading struct {
	t      *testing.T
	stream *connect.ServerStreamForClient[relayv1.OpenDataStreamResponse]
	key    *seal.ReaderKey
	opened *relayv1.Opened
}

// read opens a stream and returns once it is open.
func (n *node) read(ctx context.Context, req *relayv1.OpenDataStreamRequest) *reading {
	n.t.Helper()
	r, err := n.tryRead(ctx, n.user(), req)
	require.NoError(n.t, err)
	return r
}

func (n *node) tryRead(ctx context.Context, c caller.Caller, req *relayv1.OpenDataStreamRequest) (*reading, error) {
	n.t.Helper()
	r := &reading{t: n.t}
	var err error
	r.key, err = seal.NewReaderKey(rand.Reader)
	require.NoError(n.t, err)
	if req.PublicKey == nil {
		req.PublicKey = r.key.Public()
	}
	r.stream, err = n.client(c).OpenDataStream(ctx, req)
	require.NoError(n.t, err)
	n.t.Cleanup(func() { _ = r.stream.Close() })
	if !r.stream.Receive() {
		return nil, r.stream.Err()
	}
	r.opened = r.stream.Msg().GetOpened()
	require.NotNil(n.t, r.opened)
	return r, nil
}

// frame returns the next frame, nil at the end.
func (r *reading) frame() *relayv1.Frame {
	r.t.Helper()
	if !r.stream.Receive() {
		return nil
	}
	require.NotNil(r.t, r.stream.Msg().GetFrame())
	return r.stream.Msg().GetFrame()
}

func (b *bundle) logsOf(task string, attempt uint32) *relayv1.OpenDataStreamRequest {
	return &relayv1.OpenDataStreamRequest{
		RunId: id.Format(id.Run, b.run), Kind: relayv1.DataKind_DATA_KIND_LOGS, Task: task, Attempt: attempt,
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
