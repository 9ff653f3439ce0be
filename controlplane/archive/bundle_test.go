package archive_test

import (
	"crypto/sha256"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/archive"
	"github.com/signalboxhq/signalbox/controlplane/doctor"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// bundle is a database with runs that the group commit made, and an archive.
type bundle struct {
	t       *testing.T
	db      *pg.DB
	super   *pgx.Conn
	a       *advance.Advancer
	archive *archive.Archive
	dir     string

	org, workspace, pool, agent, session id.UUID
	start                                advance.StartRun
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{
		t: t, db: pgtest.DB(t), dir: t.TempDir(),
		org: id.New(), workspace: id.New(), agent: id.New(), session: id.New(),
	}
	b.super = pgtest.Super(t, b.db.URL())
	b.archive = archive.New(b.db, slog.New(slog.DiscardHandler))
	b.a = advance.New(b.db, slog.New(slog.DiscardHandler), nil)
	require.NoError(t, b.a.Start(t.Context()))
	t.Cleanup(b.a.Stop)
	key := sha256.Sum256(b.agent[:])
	args := pgx.NamedArgs{"org": b.org, "ws": b.workspace, "agent": b.agent, "session": b.session, "key": key[:]}
	b.exec(`INSERT INTO organization (org_id, slug, name) VALUES (@org, 'acme', 'Acme')`, args)
	b.exec(`INSERT INTO workspace (org_id, id, slug, name) VALUES (@org, @ws, 'default', 'Default')`, args)
	b.pool = queryOne[id.UUID](b, `SELECT id FROM pool`)
	args["pool"] = b.pool
	b.exec(`INSERT INTO agent (org_id, id, workspace_id, pool_id, name, public_key, join_token_id) VALUES (@org, @agent, @ws, @pool, 'a', @key, @agent)`, args)
	b.exec(`INSERT INTO session (org_id, id, agent_id, workspace_id, pool_id, expires_at, slots, gpus)
		VALUES (@org, @session, @agent, @ws, @pool, now() + interval '5 minutes', 9, 9)`, args)
	b.start = b.deploy()
	return b
}

func (b *bundle) exec(sql string, args pgx.NamedArgs) {
	b.t.Helper()
	_, err := b.super.Exec(b.t.Context(), sql, args)
	require.NoError(b.t, err, sql)
}

func queryOne[T any](b *bundle, sql string) T {
	b.t.Helper()
	var out T
	require.NoError(b.t, b.super.QueryRow(b.t.Context(), sql).Scan(&out))
	return out
}

func (b *bundle) deploy() advance.StartRun {
	b.t.Helper()
	p := &plan.Plan{Format: plan.Format, Name: "one", Pool: "default", Tasks: []plan.Task{
		{Name: "a", Pool: "default", Run: "true", Resources: plan.Resources{GPUs: 2}}, {Name: "b", Pool: "default", Run: "true", Needs: []int{0}},
	}}
	bytes, err := p.Encode()
	require.NoError(b.t, err)
	c := advance.StartRun{Org: b.org, Workspace: b.workspace, Pipeline: id.New(), Digest: plan.DigestOf(bytes), Cause: "user", Actor: "test"}
	args := pgx.NamedArgs{"org": b.org, "ws": b.workspace, "id": c.Pipeline, "digest": c.Digest[:], "plan": bytes}
	b.exec(`INSERT INTO pipeline (org_id, id, workspace_id, name, deployed) VALUES (@org, @id, @ws, 'one', @digest)`, args)
	b.exec(`INSERT INTO version (org_id, pipeline_id, digest, plan, source) VALUES (@org, @id, @digest, @plan, '')`, args)
	b.exec(`INSERT INTO label_set (org_id, digest, labels) VALUES (@org, @digest, '{}')`, args)
	c.LabelSet = queryOne[int64](b, `SELECT id FROM label_set`)
	return c
}

// run starts a run and ends its tasks so.
func (b *bundle) run(outcomes ...engine.Outcome) id.UUID {
	b.t.Helper()
	out, err := b.a.StartRun(b.t.Context(), b.start)
	require.NoError(b.t, err)
	for _, o := range outcomes {
		b.end(o)
	}
	return out.Run
}

func (b *bundle) end(o engine.Outcome) {
	b.t.Helper()
	work, err := b.a.Poll(b.t.Context(), advance.Poll{Org: b.org, Agent: b.agent, Session: b.session, Free: advance.Free{Slots: 1, GPUs: 2}})
	require.NoError(b.t, err)
	require.Len(b.t, work.Leases, 1)
	l := work.Leases[0]
	b.exec(`UPDATE lease SET granted_at = granted_at - interval '1 minute'`, nil)
	r := advance.AttemptReport{Lease: l.ID, Run: l.Run, Outcome: o, Started: true, Duration: 1_234 * time.Millisecond, Body: []byte("left")}
	if o == engine.OutcomeFailed {
		r.Cause, r.ExitCode = engine.CauseUser, 1
	}
	_, err = b.a.Report(b.t.Context(), advance.Report{Org: b.org, Agent: b.agent, Session: b.session, Reports: []advance.AttemptReport{r}})
	require.NoError(b.t, err)
}

// old makes everything 600 days older, so that its partition is due. The group
// commit starts anew: it knows the runs by other ids.
func (b *bundle) old() {
	b.t.Helper()
	b.a.Stop()
	b.exec(`SELECT make_journal_partition(now() - interval '600 days'), make_journal_partition(now() - interval '601 days')`, nil)
	shift := `(left(lpad(to_hex(('x' || replace(left(ID::text, 13), '-', ''))::bit(48)::bigint - 600::bigint * 86400000), 12, '0'), 8)
		|| '-' || right(lpad(to_hex(('x' || replace(left(ID::text, 13), '-', ''))::bit(48)::bigint - 600::bigint * 86400000), 12, '0'), 4)
		|| substr(ID::text, 14))::uuid`
	for _, sql := range []string{
		`UPDATE journal SET run_id = ` + strings.ReplaceAll(shift, "ID", "run_id") + `, at = at - interval '600 days', granted = granted - interval '600 days',
			started = started - interval '600 days', finished = finished - interval '600 days', retry_at = retry_at - interval '600 days'`,
		`UPDATE run SET id = ` + strings.ReplaceAll(shift, "ID", "id") + `, created_at = created_at - interval '600 days', started_at = started_at - interval '600 days',
			finished_at = finished_at - interval '600 days'`,
		`UPDATE usage SET hour = hour - interval '600 days'`,
	} {
		b.exec(sql, nil)
	}
	b.a = advance.New(b.db, slog.New(slog.DiscardHandler), nil)
	require.NoError(b.t, b.a.Start(b.t.Context()))
	b.t.Cleanup(b.a.Stop)
}

func (b *bundle) clean() {
	b.t.Helper()
	found, err := doctor.Check(b.t.Context(), b.db)
	require.NoError(b.t, err)
	require.Empty(b.t, found)
}
