package billingdb_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/billing/billingdb"
	"github.com/signalboxhq/signalbox/billing/rating"
	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// bundle is an organization whose usage is made by the group commit itself, as
// a real one's is.
type bundle struct {
	t     *testing.T
	db    *pg.DB
	a     *advance.Advancer
	store *billingdb.Store
	org   id.UUID
	month rating.Period
}

// place is a workspace with an agent of one pool.
type place struct {
	*bundle

	workspace, pool, agent, session id.UUID
}

func setup(t *testing.T) *bundle {
	t.Helper()
	now := time.Now()
	b := &bundle{t: t, db: pgtest.DB(t), org: id.New(), month: rating.MonthOf(now)}
	b.store = billingdb.NewStore(b.db, func() time.Time { return now })
	b.exec(`INSERT INTO organization (org_id, slug, name, created_at) VALUES (@org, 'acme', 'Acme', @at)`, pgx.NamedArgs{"at": b.month.Start})
	b.a = advance.New(b.db, slog.New(slog.DiscardHandler), nil)
	require.NoError(t, b.a.Start(t.Context()))
	t.Cleanup(b.a.Stop)
	return b
}

func (b *bundle) caller() caller.Caller {
	return caller.Caller{Principal: authz.Principal{OrgID: b.org}}
}

func (b *bundle) exec(sql string, args pgx.NamedArgs) {
	b.t.Helper()
	_, err := b.db.Engine.Exec(context.Background(), sql, b.args(args))
	require.NoError(b.t, err)
}

// plant does what no role of the server may: change what is append-only.
func (b *bundle) plant(sql string, args pgx.NamedArgs) {
	b.t.Helper()
	_, err := pgtest.Super(b.t, b.db.URL()).Exec(b.t.Context(), sql, b.args(args))
	require.NoError(b.t, err)
}

func (b *bundle) args(args pgx.NamedArgs) pgx.NamedArgs {
	if args == nil {
		args = pgx.NamedArgs{}
	}
	args["org"] = b.org
	return args
}

func (b *bundle) place(slug string) *place {
	b.t.Helper()
	p := &place{bundle: b, workspace: id.New(), agent: id.New(), session: id.New()}
	key := sha256.Sum256(p.agent[:])
	args := pgx.NamedArgs{"ws": p.workspace, "slug": slug, "agent": p.agent, "session": p.session, "key": key[:]}
	b.exec(`INSERT INTO workspace (org_id, id, slug, name) VALUES (@org, @ws, @slug, @slug)`, args)
	require.NoError(b.t, b.db.Engine.QueryRow(b.t.Context(), `SELECT id FROM pool WHERE workspace_id = $1`, p.workspace).Scan(&p.pool))
	args["pool"] = p.pool
	b.exec(`INSERT INTO agent (org_id, id, workspace_id, pool_id, name, public_key, join_token_id) VALUES (@org, @agent, @ws, @pool, 'a', @key, @agent)`, args)
	b.exec(`INSERT INTO session (org_id, id, agent_id, workspace_id, pool_id, expires_at, slots, gpus)
		VALUES (@org, @session, @agent, @ws, @pool, now() + interval '5 minutes', 9, 9)`, args)
	return p
}

// deploy stores a pipeline of two tasks, of which the first takes two GPUs.
func (p *place) deploy(name string, labels map[string]string) advance.StartRun {
	p.t.Helper()
	return p.deployPlan(name, labels, []plan.Task{
		{Name: "train", Run: "true", Pool: "default", Resources: plan.Resources{GPUs: 2}, Retry: plan.Retry{User: 1, Infra: 3, Steps: []plan.Millis{1}, Jitter: plan.JitterNone}},
		{Name: "score", Run: "true", Pool: "default", Needs: []int{0}},
	})
}

func (p *place) deployPlan(name string, labels map[string]string, tasks []plan.Task) advance.StartRun {
	p.t.Helper()
	made := &plan.Plan{Format: plan.Format, Name: name, Pool: "default", Tasks: tasks}
	bytes, err := made.Encode()
	require.NoError(p.t, err)
	digest := plan.DigestOf(bytes)
	text, err := json.Marshal(labels)
	require.NoError(p.t, err)
	sum := sha256.Sum256(append(text, name...))
	c := advance.StartRun{Org: p.org, Workspace: p.workspace, Pipeline: id.New(), Digest: digest, Labels: labels, Cause: "user", Actor: "test"}
	args := pgx.NamedArgs{"ws": p.workspace, "id": c.Pipeline, "name": name, "digest": digest[:], "plan": bytes, "labels": text, "sum": sum[:]}
	p.exec(`INSERT INTO pipeline (org_id, id, workspace_id, name, deployed) VALUES (@org, @id, @ws, @name, @digest)`, args)
	p.exec(`INSERT INTO version (org_id, pipeline_id, digest, plan, source) VALUES (@org, @id, @digest, @plan, '')`, args)
	require.NoError(p.t, p.db.Engine.QueryRow(p.t.Context(),
		`INSERT INTO label_set (org_id, digest, labels) VALUES (@org, @sum, @labels) RETURNING id`, p.args(args)).Scan(&c.LabelSet))
	return c
}

func (p *place) start(c advance.StartRun) id.UUID {
	p.t.Helper()
	out, err := p.a.StartRun(p.t.Context(), c)
	require.NoError(p.t, err)
	return out.Run
}

// take gets the one lease that is to be had, granted so long ago that a step
// may say it ran for minutes.
func (p *place) take() advance.Lease {
	p.t.Helper()
	work, err := p.a.Poll(p.t.Context(), advance.Poll{Org: p.org, Agent: p.agent, Session: p.session, Free: advance.Free{Slots: 1, GPUs: 2}})
	require.NoError(p.t, err)
	require.Len(p.t, work.Leases, 1)
	p.exec(`UPDATE lease SET granted_at = granted_at - interval '10 minutes'`, nil)
	return work.Leases[0]
}

// end takes a lease and reports how it ended, after so many milliseconds; 0 for
// a step that never began.
func (p *place) end(outcome engine.Outcome, ms int64) {
	p.t.Helper()
	l := p.take()
	r := advance.AttemptReport{Lease: l.ID, Run: l.Run, Outcome: outcome, Started: ms > 0, Duration: time.Duration(ms) * time.Millisecond}
	if outcome == engine.OutcomeFailed {
		r.ExitCode, r.Cause = 1, engine.CauseUser
	}
	work, err := p.a.Report(p.t.Context(), advance.Report{Org: p.org, Agent: p.agent, Session: p.session, Reports: []advance.AttemptReport{r}})
	require.NoError(p.t, err)
	require.Equal(p.t, []advance.ReportStatus{advance.ReportAccepted}, work.Status)
}

// history is what happened to an organization with two workspaces, which both
// have a pipeline "digits".
type history struct {
	production, research *place

	retried, lost, rejected, canceled, other id.UUID
}

func (b *bundle) history() history {
	b.t.Helper()
	h := history{production: b.place("production"), research: b.place("research")}
	p := h.production
	digits, nightly := p.deploy("digits", map[string]string{"team": "vision"}), p.deploy("nightly", nil)

	h.retried = p.start(digits)
	p.end(engine.OutcomeFailed, 1_500)
	retry := advance.Due{RunKey: advance.RunKey{Org: b.org, Run: h.retried}, Kind: "retry", Task: 0, Attempt: 2}
	require.NoError(b.t, b.a.Fire(b.t.Context(), retry))
	p.end(engine.OutcomeSucceeded, 60_000)
	p.end(engine.OutcomeSucceeded, 61_001)

	// A step that began and was never heard of again: the run counts, it does not.
	h.lost = p.start(nightly)
	l := p.take()
	held := advance.Held{Lease: l.ID, Phase: "running", Started: true, Since: time.Second}
	_, err := b.a.Poll(b.t.Context(), advance.Poll{Org: b.org, Agent: p.agent, Session: p.session, ListsLeases: true, Held: []advance.Held{held}})
	require.NoError(b.t, err)
	require.NoError(b.t, b.a.Lose(b.t.Context(), advance.Lose{RunKey: advance.RunKey{Org: b.org, Run: h.lost}, Lease: l.ID, Session: p.session}))
	require.NoError(b.t, b.a.CancelRun(b.t.Context(), advance.CancelRun{RunKey: advance.RunKey{Org: b.org, Run: h.lost}}))

	h.canceled = p.start(nightly)
	require.NoError(b.t, b.a.CancelRun(b.t.Context(), advance.CancelRun{RunKey: advance.RunKey{Org: b.org, Run: h.canceled}}))

	h.other = h.research.start(h.research.deploy("digits", map[string]string{"team": "search"}))
	h.research.end(engine.OutcomeSucceeded, 2_000)
	h.research.end(engine.OutcomeSkipped, 3)

	// Handed back, then done in no time by an agent that it does not avoid.
	h.rejected = p.start(digits)
	p.end(engine.OutcomeRejected, 0)
	b.exec(`UPDATE ready SET avoid_until = NULL, avoid_agent = NULL`, nil)
	p.end(engine.OutcomeSucceeded, 7)
	return h
}
