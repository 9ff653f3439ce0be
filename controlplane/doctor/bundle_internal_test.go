package doctor

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
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/audit"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

// bundle is a database whose runs are made by the group commit itself.
type bundle struct {
	t  *testing.T
	db *pg.DB
	a  *advance.Advancer
}

// tenant is an organization with one pool and a scripted agent.
type tenant struct {
	*bundle

	org, workspace, pool, agent, session id.UUID
	labels                               int64
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t, db: pgtest.DB(t)}
	b.a = advance.New(b.db, slog.New(slog.DiscardHandler), nil)
	require.NoError(t, b.a.Start(t.Context()))
	t.Cleanup(b.a.Stop)
	return b
}

func (b *bundle) exec(sql string, args pgx.NamedArgs) {
	b.t.Helper()
	_, err := b.db.Engine.Exec(context.Background(), sql, args)
	require.NoError(b.t, err)
}

func (b *bundle) tenant(slug string) *tenant {
	b.t.Helper()
	n := &tenant{bundle: b, org: id.New(), workspace: id.New(), agent: id.New(), session: id.New()}
	key := sha256.Sum256(n.agent[:])
	args := pgx.NamedArgs{"org": n.org, "ws": n.workspace, "slug": slug, "agent": n.agent, "session": n.session, "key": key[:]}
	b.exec(`INSERT INTO organization (org_id, slug, name) VALUES (@org, @slug, @slug)`, args)
	b.exec(`INSERT INTO workspace (org_id, id, slug, name) VALUES (@org, @ws, 'default', 'Default')`, args)
	require.NoError(b.t, b.db.Engine.QueryRow(b.t.Context(), `SELECT id FROM pool WHERE org_id = $1`, n.org).Scan(&n.pool))
	args["pool"] = n.pool
	b.exec(`INSERT INTO agent (org_id, id, workspace_id, pool_id, name, public_key, join_token_id) VALUES (@org, @agent, @ws, @pool, 'a', @key, @agent)`, args)
	b.exec(`INSERT INTO session (org_id, id, agent_id, workspace_id, pool_id, expires_at, slots, gpus)
		VALUES (@org, @session, @agent, @ws, @pool, now() + interval '5 minutes', 9, 9)`, args)
	require.NoError(b.t, b.db.Engine.QueryRow(b.t.Context(),
		`INSERT INTO label_set (org_id, digest, labels) VALUES ($1, $2, '{"team": "ml"}') RETURNING id`, n.org, key[:]).Scan(&n.labels))
	b.exec(`INSERT INTO label_pair (org_id, key, value, label_set_id) VALUES (@org, 'team', 'ml', @set)`, pgx.NamedArgs{"org": n.org, "set": n.labels})
	for range 3 {
		n.audited()
	}
	return n
}

func (n *tenant) audited() {
	n.t.Helper()
	event := audit.Event{
		At: time.Now(), OrgID: n.org, Actor: audit.Actor{Type: audit.ActorSystem}, Action: "pool.create", Outcome: audit.OutcomeDone,
		Personal: audit.Personal{ActorName: "ada@example.com"},
	}
	require.NoError(n.t, pg.InTenant(n.t.Context(), n.db.API, n.org, func(tx pgx.Tx) error {
		_, err := tenancydb.AppendAudit(n.t.Context(), tx, event, rand.Reader)
		return err
	}))
}

// deploy stores a plan as the only version of a new pipeline.
func (n *tenant) deploy(p *plan.Plan) advance.StartRun {
	n.t.Helper()
	p.Format, p.Pool = plan.Format, "default"
	for i := range p.Tasks {
		p.Tasks[i].Pool, p.Tasks[i].Run = "default", "true"
	}
	bytes, err := p.Encode()
	require.NoError(n.t, err)
	c := advance.StartRun{
		Org: n.org, Workspace: n.workspace, Pipeline: id.New(), Digest: plan.DigestOf(bytes), LabelSet: n.labels, Cause: "user", Actor: "test",
	}
	args := pgx.NamedArgs{"org": n.org, "ws": n.workspace, "id": c.Pipeline, "name": p.Name, "digest": c.Digest[:], "plan": bytes}
	n.exec(`INSERT INTO pipeline (org_id, id, workspace_id, name, deployed) VALUES (@org, @id, @ws, @name, @digest)`, args)
	n.exec(`INSERT INTO version (org_id, pipeline_id, digest, plan, source) VALUES (@org, @id, @digest, @plan, '')`, args)
	return c
}

func (n *tenant) start(c advance.StartRun) advance.RunKey {
	n.t.Helper()
	out, err := n.a.StartRun(n.t.Context(), c)
	require.NoError(n.t, err)
	return advance.RunKey{Org: n.org, Run: out.Run}
}

func (n *tenant) take() advance.Lease {
	n.t.Helper()
	work, err := n.a.Poll(n.t.Context(), advance.Poll{Org: n.org, Agent: n.agent, Session: n.session, Free: advance.Free{Slots: 1, GPUs: 1}})
	require.NoError(n.t, err)
	require.Len(n.t, work.Leases, 1)
	return work.Leases[0]
}

func (n *tenant) end(l advance.Lease, outcome engine.Outcome) {
	n.t.Helper()
	// As if it had been granted a minute ago, so that the step may have run.
	n.exec(`UPDATE lease SET granted_at = granted_at - interval '1 minute' WHERE id = @id`, pgx.NamedArgs{"id": l.ID})
	r := advance.AttemptReport{Lease: l.ID, Run: l.Run, Outcome: outcome, Started: true, Duration: 1_234 * time.Millisecond}
	if outcome == engine.OutcomeFailed {
		r.ExitCode, r.Cause = 1, engine.CauseUser
	}
	work, err := n.a.Report(n.t.Context(), advance.Report{Org: n.org, Agent: n.agent, Session: n.session, Reports: []advance.AttemptReport{r}})
	require.NoError(n.t, err)
	require.Equal(n.t, []advance.ReportStatus{advance.ReportAccepted}, work.Status)
}

// history leaves runs in every state that they can be left in.
type history struct {
	*tenant

	succeeded, retried, canceled, backoff, queued, leased advance.RunKey
}

func (b *bundle) history() history {
	b.t.Helper()
	h := history{tenant: b.tenant("acme")}
	ctx := b.t.Context()
	two := h.deploy(&plan.Plan{Name: "two", Deadline: 3_600_000, Tasks: []plan.Task{
		{Name: "train", Resources: plan.Resources{GPUs: 1}, Retry: plan.Retry{User: 1, Infra: 3, Steps: []plan.Millis{3_600_000}, Jitter: plan.JitterNone}},
		{Name: "score", Needs: []int{0}, Timeouts: plan.Timeouts{Queue: 3_600_000}},
		{Name: "tidy", Exit: plan.ExitAlways},
	}})
	two.Key, two.Fingerprint = "once", [32]byte{1}
	h.succeeded = h.start(two)
	h.end(h.take(), engine.OutcomeSucceeded)
	h.end(h.take(), engine.OutcomeSucceeded)
	h.end(h.take(), engine.OutcomeSucceeded)
	two.Key = ""

	one := h.deploy(&plan.Plan{Name: "one", Tasks: []plan.Task{{Name: "only"}}})
	h.retried = h.start(one)
	h.end(h.take(), engine.OutcomeFailed)
	require.NoError(b.t, b.a.RetryRun(ctx, advance.RetryRun{RunKey: h.retried, Actor: "test"}))
	h.end(h.take(), engine.OutcomeSucceeded)

	h.canceled = h.start(one)
	require.NoError(b.t, b.a.CancelRun(ctx, advance.CancelRun{RunKey: h.canceled, Actor: "test"}))

	h.backoff = h.start(two)
	lost := h.take()
	require.NoError(b.t, b.a.Lose(ctx, advance.Lose{RunKey: h.backoff, Lease: lost.ID, Session: h.session}))
	h.exec(`UPDATE ready SET avoid_agent = NULL`, nil)
	h.end(h.take(), engine.OutcomeFailed)

	h.leased = h.start(two)
	h.end(h.take(), engine.OutcomeSucceeded)
	h.take()
	h.queued = h.start(two)
	h.end(h.take(), engine.OutcomeSucceeded)

	other := b.tenant("other")
	other.start(other.deploy(&plan.Plan{Name: "one", Tasks: []plan.Task{{Name: "only"}}}))
	other.end(other.take(), engine.OutcomeSucceeded)
	return h
}
