package runapi_test

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
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/runapi"
	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/controlplane/watch"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// bundle is the service with a group commit and a watcher, on a database of its
// own, and one organization.
type bundle struct {
	t   *testing.T
	db  *pg.DB
	a   *advance.Advancer
	w   *watch.Watcher
	h   *runapi.Handler
	by  caller.Caller
	key *seal.WorkspaceKey

	store   *rundb.Store
	readers map[string]*rundb.Reader
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t, db: pgtest.DB(t), readers: map[string]*rundb.Reader{}}
	b.store = rundb.NewStore(b.db)
	b.a = advance.New(b.db, slog.New(slog.DiscardHandler), nil)
	require.NoError(t, b.a.Start(t.Context()))
	t.Cleanup(b.a.Stop)
	b.w = watch.New(b.db.Engine, slog.New(slog.DiscardHandler))
	require.NoError(t, b.w.Start(t.Context()))
	t.Cleanup(b.w.Stop)
	b.h = runapi.New(b.db, b.a, b.w)
	b.by = caller.From(b.tenant("acme"))
	var err error
	b.key, err = seal.Generate(rand.Reader)
	require.NoError(t, err)
	b.exec(`UPDATE workspace SET sealing_kid = @kid, sealing_public = @public WHERE id = @ws`,
		pgx.NamedArgs{"kid": b.key.KID().String(), "public": b.key.Public().Bytes(), "ws": b.by.WorkspaceID})
	return b
}

// ctx is that of the owner's requests.
func (b *bundle) ctx() context.Context { return caller.With(b.t.Context(), b.by) }

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

// tenant makes an organization with a workspace and a person, and returns the
// context of their requests.
func (b *bundle) tenant(slug string) context.Context {
	b.t.Helper()
	c := caller.Caller{Principal: authz.Principal{
		Kind: authz.KindUser, UserID: id.New(), Email: slug + "@example.com", Name: "Mara",
		OrgID: id.New(), WorkspaceID: id.New(), OrgState: authz.StateActive, OrgRole: authz.OrgOwner,
	}}
	args := pgx.NamedArgs{"org": c.OrgID, "ws": c.WorkspaceID, "user": c.UserID, "slug": slug, "email": c.Email, "m": id.New()}
	b.exec(`INSERT INTO organization (org_id, slug, name) VALUES (@org, @slug, @slug)`, args)
	b.exec(`INSERT INTO workspace (org_id, id, slug, name) VALUES (@org, @ws, 'default', 'Default')`, args)
	b.exec(`INSERT INTO membership (org_id, id, user_id, role, created_at) VALUES (@org, @m, @user, 'owner', now())`, args)
	_, err := b.db.Auth.Exec(b.t.Context(), `INSERT INTO users (id, email, email_key, name, verified_at) VALUES (@user, @email, @email, 'Mara', now())`, args)
	require.NoError(b.t, err)
	return caller.With(b.t.Context(), c)
}

// neighbour is the same person in another workspace of the organization.
func (b *bundle) neighbour() context.Context {
	b.t.Helper()
	c := b.by
	c.WorkspaceID = id.New()
	b.exec(`INSERT INTO workspace (org_id, id, slug, name) VALUES (@org, @ws, 'other', 'Other')`, pgx.NamedArgs{"org": c.OrgID, "ws": c.WorkspaceID})
	return caller.With(b.ctx(), c)
}

// deploy stores a plan as the deployed version of a pipeline.
func (b *bundle) deploy(p *plan.Plan) {
	b.t.Helper()
	p.Format = plan.Format
	for i := range p.Tasks {
		p.Tasks[i].Pool = "default"
		if !engine.Holds(&p.Tasks[i]) {
			p.Tasks[i].Run = "true"
		}
	}
	bytes, err := p.Encode()
	require.NoError(b.t, err)
	digest := plan.DigestOf(bytes)
	args := pgx.NamedArgs{"org": b.by.OrgID, "ws": b.by.WorkspaceID, "id": id.New(), "name": p.Name, "digest": digest[:], "plan": bytes}
	b.exec(`INSERT INTO pipeline (org_id, id, workspace_id, name, deployed) VALUES (@org, @id, @ws, @name, @digest)
		ON CONFLICT (org_id, workspace_id, name) DO UPDATE SET deployed = @digest`, args)
	b.exec(`INSERT INTO version (org_id, pipeline_id, digest, plan, source)
		SELECT p.org_id, p.id, @digest, @plan, '' FROM pipeline p WHERE p.org_id = @org AND p.name = @name`, args)
}

func (b *bundle) start(pipeline string, params ...*runv1.Value) *runv1.Run {
	b.t.Helper()
	res, err := b.h.StartRun(b.ctx(), &runv1.StartRunRequest{Pipeline: pipeline, Params: params})
	require.NoError(b.t, err)
	return res.GetRun()
}

// get returns a run and its tasks by name. It also holds what a reader says that
// reads only what is new against one that reads everything.
func (b *bundle) get(run string) (*runv1.Run, map[string]*runv1.Task) {
	b.t.Helper()
	res, err := b.h.GetRun(b.ctx(), &runv1.GetRunRequest{Id: run})
	require.NoError(b.t, err)
	ref, err := rundb.ParseRef(run)
	require.NoError(b.t, err)
	if b.readers[run] == nil {
		b.readers[run] = b.store.Reader(b.by, ref)
	}
	again, err := b.readers[run].Read(b.ctx())
	require.NoError(b.t, err)
	whole, err := b.store.View(b.ctx(), b.by, ref)
	require.NoError(b.t, err)
	require.Equal(b.t, whole, again)
	tasks := map[string]*runv1.Task{}
	for _, t := range res.GetTasks() {
		tasks[t.GetName()] = t
	}
	return res.GetRun(), tasks
}

func open(name, json string) *runv1.Value {
	return &runv1.Value{Name: name, Content: &runv1.Value_OpenJson{OpenJson: []byte(json)}}
}

// sealTo seals a param as a client does.
func (b *bundle) sealTo(key *seal.WorkspaceKey, name, json string) *runv1.Value {
	b.t.Helper()
	binding := seal.Binding{Org: b.by.OrgID, Workspace: b.by.WorkspaceID, Name: seal.ParamName(name)}
	envelope, err := seal.NewSender(key.Public(), time.Now, rand.Reader).Seal(binding, []byte(json))
	require.NoError(b.t, err)
	return &runv1.Value{Name: name, Content: &runv1.Value_Sealed{Sealed: envelope}}
}

// worker is a scripted agent.
type worker struct {
	*bundle

	agent, session id.UUID
}

func (b *bundle) worker(name string) *worker {
	b.t.Helper()
	w := &worker{bundle: b, agent: id.New(), session: id.New()}
	key := sha256.Sum256(w.agent[:])
	args := pgx.NamedArgs{
		"org": b.by.OrgID, "ws": b.by.WorkspaceID, "agent": w.agent, "session": w.session, "key": key[:], "token": id.New(), "name": name,
		"kids": []string{b.key.KID().String()},
		"pool": queryOne[id.UUID](b, `SELECT id FROM pool WHERE workspace_id = @ws`, pgx.NamedArgs{"ws": b.by.WorkspaceID}),
	}
	b.exec(`INSERT INTO agent (org_id, id, workspace_id, pool_id, name, public_key, join_token_id)
		VALUES (@org, @agent, @ws, @pool, @name, @key, @token)`, args)
	b.exec(`INSERT INTO session (org_id, id, agent_id, workspace_id, pool_id, expires_at, slots, sealing_kids)
		VALUES (@org, @session, @agent, @ws, @pool, now() + interval '32 seconds', 8, @kids)`, args)
	return w
}

func (w *worker) poll(free int32, held ...advance.Held) *advance.Work {
	w.t.Helper()
	work, err := w.a.Poll(w.t.Context(), advance.Poll{
		Org: w.by.OrgID, Agent: w.agent, Session: w.session, Free: advance.Free{Slots: free, Decisions: free}, ListsLeases: true, Held: held,
	})
	require.NoError(w.t, err)
	return work
}

// answer reports that what a task asks before it begins holds.
func (w *worker) answer(l advance.Lease, body []byte) {
	w.t.Helper()
	work, err := w.a.Report(w.t.Context(), advance.Report{
		Org: w.by.OrgID, Agent: w.agent, Session: w.session,
		Reports: []advance.AttemptReport{{
			Lease: l.ID, Run: l.Run, Outcome: engine.OutcomeSucceeded, Body: body, Answer: &engine.Answer{Yes: true},
		}},
	})
	require.NoError(w.t, err)
	require.Equal(w.t, []advance.ReportStatus{advance.ReportAccepted}, work.Status)
}

// end reports the end of an attempt with what it left.
func (w *worker) end(l advance.Lease, outcome engine.Outcome, exit int32, body []byte) {
	w.t.Helper()
	work, err := w.a.Report(w.t.Context(), advance.Report{
		Org: w.by.OrgID, Agent: w.agent, Session: w.session,
		Reports: []advance.AttemptReport{{
			Lease: l.ID, Run: l.Run, Outcome: outcome, ExitCode: exit, Started: true, Duration: 5 * time.Millisecond, Body: body,
		}},
	})
	require.NoError(w.t, err)
	require.Equal(w.t, []advance.ReportStatus{advance.ReportAccepted}, work.Status)
}
