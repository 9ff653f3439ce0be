package advance_test

import (
	"context"
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
)

// bundle is one organization with a pool, on a database of its own.
type bundle struct {
	t         testing.TB
	db        *pg.DB
	a         *advance.Advancer
	org       id.UUID
	workspace id.UUID
	pool      id.UUID
	labels    int64
}

func setup(t testing.TB) *bundle {
	t.Helper()
	b := (&bundle{t: t, db: pgtest.DB(t)}).neighbour()
	b.a = b.replica()
	return b
}

// neighbour is another organization on the same database.
func (b *bundle) neighbour() *bundle {
	b.t.Helper()
	b = &bundle{t: b.t, db: b.db, a: b.a, org: id.New(), workspace: id.New()}
	b.exec(`INSERT INTO organization (org_id, slug, name) VALUES (@org, @slug, 'Acme')`, pgx.NamedArgs{"org": b.org, "slug": "acme-" + b.org.String()[24:]})
	b.exec(`INSERT INTO workspace (org_id, id, slug, name) VALUES (@org, @ws, 'default', 'Default')`, pgx.NamedArgs{"org": b.org, "ws": b.workspace})
	b.pool = queryOne[id.UUID](b, `SELECT id FROM pool WHERE org_id = @org`, pgx.NamedArgs{"org": b.org})
	digest := sha256.Sum256([]byte("{}"))
	b.labels = queryOne[int64](b, `INSERT INTO label_set (org_id, digest, labels) VALUES (@org, @digest, '{}') RETURNING id`,
		pgx.NamedArgs{"org": b.org, "digest": digest[:]})
	return b
}

// replica starts another replica of the group commit on the same database.
func (b *bundle) replica() *advance.Advancer {
	b.t.Helper()
	a := advance.New(b.db, slog.New(slog.DiscardHandler), nil)
	require.NoError(b.t, a.Start(b.t.Context()))
	b.t.Cleanup(a.Stop)
	return a
}

func (b *bundle) exec(sql string, args pgx.NamedArgs) {
	b.t.Helper()
	_, err := b.db.Engine.Exec(context.Background(), sql, args)
	require.NoError(b.t, err)
}

func queryOne[T any](b *bundle, sql string, args pgx.NamedArgs) T {
	b.t.Helper()
	var out T
	require.NoError(b.t, b.db.Engine.QueryRow(context.Background(), sql, args).Scan(&out))
	return out
}

// deploy stores a plan as the only version of a new pipeline.
func (b *bundle) deploy(p *plan.Plan) advance.StartRun {
	b.t.Helper()
	p.Format = plan.Format
	for i := range p.Tasks {
		p.Tasks[i].Pool = "default"
		if p.Tasks[i].Run == "" && !engine.Holds(&p.Tasks[i]) {
			p.Tasks[i].Run = "true"
		}
	}
	bytes, err := p.Encode()
	require.NoError(b.t, err)
	digest := plan.DigestOf(bytes)
	pipeline := id.New()
	args := pgx.NamedArgs{"org": b.org, "ws": b.workspace, "id": pipeline, "name": p.Name, "digest": digest[:], "plan": bytes}
	b.exec(`INSERT INTO pipeline (org_id, id, workspace_id, name, deployed) VALUES (@org, @id, @ws, @name, @digest)`, args)
	b.exec(`INSERT INTO version (org_id, pipeline_id, digest, plan, source) VALUES (@org, @id, @digest, @plan, '')`, args)
	return advance.StartRun{
		Org: b.org, Workspace: b.workspace, Pipeline: pipeline, Digest: digest, LabelSet: b.labels, Cause: "user", Actor: "test",
	}
}

// worker is a scripted agent.
type worker struct {
	*bundle

	a       *advance.Advancer
	agent   id.UUID
	session id.UUID
	slots   int32
}

func (b *bundle) worker(slots int32) *worker {
	b.t.Helper()
	w := &worker{bundle: b, a: b.a, agent: id.New(), session: id.New(), slots: slots}
	key := sha256.Sum256(w.agent[:])
	args := pgx.NamedArgs{
		"org": b.org, "ws": b.workspace, "pool": b.pool, "agent": w.agent, "session": w.session, "key": key[:], "slots": slots, "token": id.New(),
	}
	b.exec(`INSERT INTO agent (org_id, id, workspace_id, pool_id, name, public_key, join_token_id)
		VALUES (@org, @agent, @ws, @pool, 'a', @key, @token)`, args)
	b.exec(`INSERT INTO session (org_id, id, agent_id, workspace_id, pool_id, expires_at, slots)
		VALUES (@org, @session, @agent, @ws, @pool, now() + interval '30 seconds', @slots)`, args)
	return w
}

func (w *worker) poll(free int32, wait time.Duration, held ...advance.Held) *advance.Work {
	w.t.Helper()
	work, err := w.a.Poll(w.t.Context(), advance.Poll{
		Org: w.org, Agent: w.agent, Session: w.session, Free: advance.Free{Slots: free}, Wait: wait, ListsLeases: true, Held: held,
	})
	require.NoError(w.t, err)
	return work
}

// await polls until there is a lease, as agents do: an answer without one only
// says to ask again, for instance when the batch that held the poll gave up.
func (w *worker) await() advance.Lease {
	w.t.Helper()
	for {
		if leases := w.poll(1, 20*time.Second).Leases; len(leases) > 0 {
			return leases[0]
		}
	}
}

func ended(l advance.Lease, outcome engine.Outcome) advance.AttemptReport {
	r := advance.AttemptReport{Lease: l.ID, Run: l.Run, Outcome: outcome, Started: true, Duration: 5 * time.Millisecond}
	if outcome == engine.OutcomeFailed {
		r.ExitCode, r.Cause = 1, engine.CauseUser
	}
	return r
}

func (w *worker) report(free int32, reports ...advance.AttemptReport) *advance.Work {
	w.t.Helper()
	work, err := w.a.Report(w.t.Context(), advance.Report{
		Org: w.org, Agent: w.agent, Session: w.session, Reports: reports, Free: advance.Free{Slots: free},
	})
	require.NoError(w.t, err)
	return work
}

// patience is longer than any test waits for what it expects.
const patience = 20 * time.Second

func (b *bundle) start(c advance.StartRun) id.UUID {
	b.t.Helper()
	out, err := b.a.StartRun(b.t.Context(), c)
	require.NoError(b.t, err)
	return out.Run
}

func (b *bundle) state(run id.UUID) string {
	b.t.Helper()
	return queryOne[string](b, `SELECT state FROM run WHERE org_id = @org AND id = @run`, pgx.NamedArgs{"org": b.org, "run": run})
}

func (b *bundle) count(table string) int {
	b.t.Helper()
	return queryOne[int](b, `SELECT count(*) FROM `+pgx.Identifier{table}.Sanitize(), nil)
}

func chain(name string, n int) *plan.Plan {
	p := &plan.Plan{Name: name}
	for i := range n {
		t := plan.Task{Name: "t" + string(rune('a'+i))}
		if i > 0 {
			t.Needs = []int{i - 1}
		}
		p.Tasks = append(p.Tasks, t)
	}
	return p
}

// sealedInput makes a task one that only an agent with the key can run.
var sealedInput = []plan.ArtifactIn{{Name: "in", Task: "ta", Artifact: "out"}}
