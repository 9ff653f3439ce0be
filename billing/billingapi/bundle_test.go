package billingapi_test

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/billing/billingapi"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// now is the middle of the month that the tests play in.
var now = time.Date(2026, 11, 15, 12, 0, 0, 0, time.UTC)

// bundle is the service on a database of its own, with one organization whose
// rows are inserted by hand: what the group commit writes is billingdb's test.
type bundle struct {
	t        *testing.T
	db       *pg.DB
	h        *billingapi.Handler
	ctx      context.Context //nolint:containedctx // of the organization's billing contact
	org      id.UUID
	pipeline id.UUID
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t, db: pgtest.DB(t), org: id.New(), pipeline: id.New()}
	b.h = billingapi.New(b.db, func() time.Time { return now })
	b.ctx = caller.With(t.Context(), caller.Caller{Principal: authz.Principal{
		Kind: authz.KindUser, UserID: id.New(), OrgID: b.org, OrgState: authz.StateActive, OrgRole: authz.OrgBilling,
	}})
	plan := []byte(`{"tasks":[{"name":"train","resources":{"gpus":4}}]}`)
	digest := sha256.Sum256(plan)
	args := pgx.NamedArgs{"ws": id.New(), "digest": digest[:], "plan": plan, "founded": now.AddDate(0, -3, 0)}
	b.exec(`INSERT INTO organization (org_id, slug, name, plan, created_at) VALUES (@org, 'acme', 'Acme', 'team', @founded)`, args)
	b.exec(`INSERT INTO workspace (org_id, id, slug, name) VALUES (@org, @ws, 'research', 'Research')`, args)
	b.exec(`INSERT INTO pipeline (org_id, id, workspace_id, name) VALUES (@org, @pipeline, @ws, 'digits')`, args)
	b.exec(`INSERT INTO version (org_id, pipeline_id, digest, plan, source) VALUES (@org, @pipeline, @digest, @plan, '')`, args)
	b.exec(`INSERT INTO label_set (org_id, digest, labels) VALUES (@org, @digest, '{"team": "vision"}')`, args)
	return b
}

func (b *bundle) exec(sql string, args pgx.NamedArgs) {
	b.t.Helper()
	if args == nil {
		args = pgx.NamedArgs{}
	}
	args["org"], args["pipeline"] = b.org, b.pipeline
	_, err := b.db.Engine.Exec(b.t.Context(), sql, args)
	require.NoError(b.t, err)
}

// ran records a run of one attempt that ended at a moment, after so many
// milliseconds.
func (b *bundle) ran(number int64, ended time.Time, ms int64) id.UUID {
	b.t.Helper()
	run := id.NewAt(ended.Add(-time.Hour), zeros{byte(number)})
	args := pgx.NamedArgs{
		"run": run, "number": number, "ended": ended, "ms": ms, "began": ended.Add(-time.Duration(ms) * time.Millisecond), "hour": ended.Truncate(time.Hour),
	}
	b.exec(`INSERT INTO run (org_id, id, workspace_id, pipeline_id, digest, number, cause, params, label_set_id, state, outcome, seq, tasks_total, created_at, started_at, finished_at)
		SELECT p.org_id, @run, p.workspace_id, p.id, v.digest, @number, 'user', '', l.id, 'succeeded', 'succeeded', 2, 1, @began, @began, @ended
		FROM pipeline p JOIN version v ON v.pipeline_id = p.id JOIN label_set l ON l.org_id = p.org_id`, args)
	b.exec(`INSERT INTO journal (org_id, run_id, seq, v, at, kind, task, path, attempt, started, finished, outcome, billed_ms, billed_gpu_ms)
		VALUES (@org, @run, 2, 1, @ended, 'attempt_ended', 0, 'train', 1, @began, @ended, 'succeeded', @ms, @ms::bigint * 4)`, args)
	b.exec(`INSERT INTO usage (org_id, meter, workspace_id, pool_id, pipeline_id, label_set_id, hour, quantity, recorded_at)
		SELECT r.org_id, m.meter, r.workspace_id, l.id, r.pipeline_id, r.label_set_id, @hour, m.quantity, @ended
		FROM run r
		JOIN pool l ON l.workspace_id = r.workspace_id
		CROSS JOIN (VALUES ('runs', 1), ('task_attempts', 1), ('task_ms', @ms::bigint), ('gpu_ms', @ms::bigint * 4)) AS m (meter, quantity)
		WHERE r.id = @run`, args)
	return run
}

// zeros is the randomness of ids that are told apart by one byte.
type zeros [1]byte

func (z zeros) Read(p []byte) (int, error) {
	p[len(p)-1] = z[0]
	return len(p), nil
}
