package firing_test

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
	"github.com/signalboxhq/signalbox/controlplane/firing"
	"github.com/signalboxhq/signalbox/controlplane/runapi"
	"github.com/signalboxhq/signalbox/controlplane/scheduledb"
	"github.com/signalboxhq/signalbox/controlplane/watch"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// bundle is a workspace with one pipeline that nobody works on: its runs stay as
// they are until a test ends them.
type bundle struct {
	t        *testing.T
	db       *pg.DB
	advancer *advance.Advancer
	starter  *runapi.Handler
	store    *scheduledb.Store
	by       caller.Caller
	pipeline id.UUID
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t, db: pgtest.DB(t), pipeline: id.New()}
	b.by = caller.Caller{Principal: authz.Principal{OrgID: id.New(), WorkspaceID: id.New()}}
	log := slog.New(slog.DiscardHandler)
	b.advancer = advance.New(b.db, log, nil)
	require.NoError(t, b.advancer.Start(t.Context()))
	t.Cleanup(b.advancer.Stop)
	b.starter = runapi.New(b.db, b.advancer, watch.New(b.db.Engine, log))
	b.store = scheduledb.NewStore(b.db, rand.Reader, time.Now)
	args := pgx.NamedArgs{"org": b.by.OrgID, "ws": b.by.WorkspaceID, "id": b.pipeline}
	b.exec(`INSERT INTO organization (org_id, slug, name) VALUES (@org, 'acme', 'Acme')`, args)
	b.exec(`INSERT INTO workspace (org_id, id, slug, name) VALUES (@org, @ws, 'default', 'Default')`, args)
	p := &plan.Plan{
		Format: plan.Format, Name: "nightly", Pool: "default", Tasks: []plan.Task{{Name: "train", Pool: "default", Run: "true"}},
		Params: []plan.Param{{Name: "depth", Type: plan.TypeInt, Open: true, Default: []byte("1")}},
	}
	text, err := p.Encode()
	require.NoError(t, err)
	digest := sha256.Sum256(text)
	args["digest"], args["plan"] = digest[:], text
	b.exec(`INSERT INTO pipeline (org_id, id, workspace_id, name, deployed) VALUES (@org, @id, @ws, 'nightly', @digest)`, args)
	b.exec(`INSERT INTO version (org_id, pipeline_id, digest, plan, source) VALUES (@org, @id, @digest, @plan, '')`, args)
	return b
}

func (b *bundle) firing() *firing.Firing {
	return firing.New(b.db.Engine, b.starter, b.advancer, slog.New(slog.DiscardHandler))
}

func (b *bundle) exec(sql string, args pgx.NamedArgs) {
	b.t.Helper()
	_, err := b.db.Engine.Exec(context.Background(), sql, args)
	require.NoError(b.t, err)
}

func one[T any](b *bundle, sql string, args ...any) T {
	b.t.Helper()
	var out T
	require.NoError(b.t, b.db.Engine.QueryRow(context.Background(), sql, args...).Scan(&out))
	return out
}

// hourly makes a schedule of every hour that was last looked at so many hours ago.
func (b *bundle) hourly(name string, hours int, change func(*plan.Schedule)) scheduledb.Schedule {
	b.t.Helper()
	spec := plan.Schedule{Every: 3_600_000, Catchup: "all"}
	change(&spec)
	made, err := b.store.Create(b.t.Context(), b.by, scheduledb.Create{Name: name, Pipeline: "nightly", Spec: spec})
	require.NoError(b.t, err)
	b.outage(name, hours)
	return made
}

// outage makes it so many hours since the schedule was looked at.
func (b *bundle) outage(name string, hours int) {
	b.t.Helper()
	b.exec(`UPDATE schedule SET cursor = clock_timestamp() - @hours * interval '1 hour', next_at = clock_timestamp() WHERE name = @name`,
		pgx.NamedArgs{"name": name, "hours": hours})
}

// look looks until nothing is due, time passing between the looks.
func (b *bundle) look(f *firing.Firing) {
	b.t.Helper()
	for range 100 {
		require.NoError(b.t, f.Look(b.t.Context()))
		if one[int](b, `SELECT count(*) FROM schedule WHERE next_at <= clock_timestamp()`) == 0 {
			return
		}
	}
	b.t.Fatal("something is due for ever")
}

// again is the next look of a schedule that waits for something.
func (b *bundle) again(f *firing.Firing) {
	b.t.Helper()
	b.exec(`UPDATE schedule SET next_at = clock_timestamp() WHERE next_at < clock_timestamp() + interval '1 minute'`, nil)
	b.look(f)
}

// fires spells the states of a schedule's fires, oldest first: waiting, starting
// sTarting, Started, Dropped, Refused.
func (b *bundle) fires(name string) string {
	b.t.Helper()
	return one[string](b, `SELECT coalesce(string_agg(CASE f.state WHEN 'started' THEN 'S' WHEN 'starting' THEN 't' WHEN 'waiting' THEN 'w'
			WHEN 'dropped' THEN 'D' ELSE 'R' END, '' ORDER BY f.nominal), '')
		FROM schedule_fire f JOIN schedule s ON s.org_id = f.org_id AND s.id = f.schedule_id WHERE s.name = $1`, name)
}

// end ends all runs that have not ended.
func (b *bundle) end() {
	b.t.Helper()
	rows, _ := b.db.Engine.Query(b.t.Context(), `SELECT id FROM run WHERE finished_at IS NULL`)
	runs, err := pgx.CollectRows(rows, pgx.RowTo[id.UUID])
	require.NoError(b.t, err)
	for _, run := range runs {
		require.NoError(b.t, b.advancer.CancelRun(b.t.Context(), advance.CancelRun{RunKey: advance.RunKey{Org: b.by.OrgID, Run: run}, Actor: "test"}))
	}
}
