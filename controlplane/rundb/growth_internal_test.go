package rundb

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// What there is while work goes on: sixty open runs with a journal, queues,
// leases and timers of theirs.
const seedPresent = `
	WITH o AS (
		INSERT INTO organization (org_id, slug, name) VALUES (@org, 'acme', 'Acme')
	), w AS (
		INSERT INTO workspace (org_id, id, slug, name) VALUES (@org, @ws, 'default', 'Default')
	), p AS (
		INSERT INTO pipeline (org_id, id, workspace_id, name) VALUES (@org, @pipe, @ws, 'train')
	), l AS (
		INSERT INTO label_set (org_id, id, digest, labels) OVERRIDING SYSTEM VALUE SELECT @org, n, sha256(n::text::bytea), '{}' FROM generate_series(1, 20) n
	), r AS (
		INSERT INTO run (org_id, id, workspace_id, pipeline_id, digest, number, cause, params, label_set_id, state, seq, tasks_total, created_at)
		SELECT @org, k.id, @ws, @pipe, sha256(''), 1000000 + k.n, 'user', '', 1 + k.n % 20, 'running', 3, 2, now()
		FROM unnest(@ids::uuid[]) WITH ORDINALITY k (id, n)
	), j AS (
		INSERT INTO journal (org_id, run_id, seq, v, at, kind)
		SELECT @org, k.id, s, 1, now(), 'run_started' FROM unnest(@ids::uuid[]) k (id), generate_series(1, 3) s
	), q AS (
		INSERT INTO ready (org_id, run_id, task, attempt, path, pool_id, class_id, priority, lane, since)
		SELECT @org, k.id, 1, 1, 'a', @pipe, 1, 0, @ws, now() FROM unnest(@ids::uuid[]) k (id)
	), t AS (
		INSERT INTO timer (org_id, run_id, kind, task, at) SELECT @org, k.id, 'deadline', -1, now() - interval '1 s' FROM unnest(@ids::uuid[]) k (id)
	)
	INSERT INTO lease (org_id, id, session_id, agent_id, pool_id, run_id, task, attempt, path, class_id, slots, ready_at, granted_at)
	SELECT @org, k.n, @ws, @ws, @pipe, k.id, 0, 1, 'a', 1, 1, now(), now() FROM unnest(@ids::uuid[]) WITH ORDINALITY k (id, n)`

// A hundred thousand runs of the last year, each with two entries, and the dead
// rows that their tasks left in the queue.
var seedPast = []string{
	`SELECT make_journal_partition(timestamptz '2026-01-15' + make_interval(months => m)) FROM generate_series(0, 9) m`,
	`INSERT INTO run (org_id, id, workspace_id, pipeline_id, digest, number, cause, params, label_set_id, state, outcome, seq, tasks_total, created_at, finished_at)
		SELECT @org, old.id, @ws, @pipe, sha256(''), old.n, 'user', '', 1 + old.n % 20, 'succeeded', 'succeeded', 2, 2, now(), now() FROM old`,
	`INSERT INTO journal (org_id, run_id, seq, v, at, kind) SELECT @org, old.id, s, 1, now(), 'run_started' FROM old, generate_series(1, 2) s`,
	`INSERT INTO usage (org_id, meter, workspace_id, pool_id, pipeline_id, label_set_id, hour, quantity)
		SELECT @org, 'runs', @ws, @pipe, @pipe, 1, now(), 1 FROM old`,
	`INSERT INTO ready (org_id, run_id, task, attempt, path, pool_id, class_id, priority, lane, since)
		SELECT @org, old.id, 1, 1, 'a', @pipe, 1, 0, @ws, now() FROM old WHERE old.n <= 20000`,
	`DELETE FROM ready r USING run WHERE run.id = r.run_id AND run.finished_at IS NOT NULL`,
}

const withOld = `WITH old AS (
	SELECT n, (substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id
	FROM generate_series(1, 100000) n,
		LATERAL (SELECT lpad(to_hex((extract(epoch FROM timestamptz '2026-01-02')::bigint + n * 250) * 1000), 12, '0') AS h) x
) `

// buffers is how many pages a statement touched. It is rolled back.
func buffers(t *testing.T, conn *pgx.Conn, role, sql string, args pgx.NamedArgs) int {
	t.Helper()
	ctx := t.Context()
	tx, err := conn.Begin(ctx)
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(ctx)) }()
	_, err = tx.Exec(ctx, `SET LOCAL ROLE `+role)
	require.NoError(t, err)
	_, err = tx.Exec(ctx, `SELECT set_config('app.org_id', $1, true)`, args["org_id"].(id.UUID).String())
	require.NoError(t, err)
	var pages int
	for range 2 { // the first fills the catalog's caches, and sets hint bits
		var text []byte
		row := tx.QueryRow(ctx, "EXPLAIN (ANALYZE, BUFFERS, TIMING off, FORMAT JSON) "+sql, pgx.QueryExecModeCacheDescribe, args)
		require.NoError(t, row.Scan(&text), sql)
		var plans []struct{ Plan explained }
		require.NoError(t, json.Unmarshal(text, &plans))
		pages = plans[0].Plan.Hit + plans[0].Plan.Read
	}
	return pages
}

// TestHistoryCostsTheLivingNothing counts the pages that are read to list, show
// and watch runs, to find due timers and the heads of queues: in a database with
// nothing but work, and in one with 100,000 runs of the past beside it.
func TestHistoryCostsTheLivingNothing(t *testing.T) {
	t.Parallel()
	conn := pgtest.Super(t, pgtest.URL(t))
	by := caller.Caller{Principal: authz.Principal{OrgID: id.New(), WorkspaceID: id.New()}}
	pipe := id.New()
	ids := make([]id.UUID, 60)
	for i := range ids {
		ids[i] = id.New()
	}
	seed := pgx.NamedArgs{"org": by.OrgID, "ws": by.WorkspaceID, "pipe": pipe, "ids": ids}
	_, err := conn.Exec(t.Context(), seedPresent, seed)
	require.NoError(t, err)

	statements := map[string]string{}
	for _, dir := range []string{".", "../advance", "../timer", "../watch", "../journal", "../replay"} {
		all, err := pgtest.Statements(dir)
		require.NoError(t, err)
		for _, s := range all {
			if _, twice := statements[s.Name]; !twice {
				statements[s.Name] = s.SQL
			}
		}
	}
	list := func(f Filter) (string, pgx.NamedArgs) {
		sql, args, err := f.query(by)
		require.NoError(t, err)
		return sql, pgx.NamedArgs(args)
	}
	measured := func() map[string]int {
		_, err := conn.Exec(t.Context(), `VACUUM ANALYZE`)
		require.NoError(t, err)
		out := map[string]int{}
		for name, f := range map[string]Filter{
			"list": {}, "list open": {States: []string{"running"}}, "list failed": {States: []string{"failed"}},
		} {
			sql, args := list(f)
			out[name] = buffers(t, conn, "sb_api", sql, args)
		}
		common := pgx.NamedArgs{
			"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "id": ids[7], "run_id": ids[7], "after": int64(0), "limit": 50,
			"orgs": []id.UUID{by.OrgID}, "ids": []id.UUID{ids[7]}, "runs": []id.UUID{ids[7]},
			"pools": []id.UUID{pipe}, "priorities": []int32{0}, "lanes": []id.UUID{by.WorkspaceID}, "classes": []int64{1}, "limits": []int32{10},
			"agents": []id.UUID{id.Nil}, "froms": []time.Time{{}}, "most": 10,
			"at": time.Time{}, "kind": "", "task": 0, "pipeline": "train", "number": 1_000_007,
		}
		for name, role := range map[string]string{
			"sqlRunByID": "sb_api", "sqlRunByNumber": "sb_api", "sqlLatestRun": "sb_api", "sqlReadLeases": "sb_api", "sqlReadEntries": "sb_api",
			"sqlReadRow": "sb_api", "sqlReadReady": "sb_api", "sqlReadEntriesPage": "sb_api",
			"sqlReadNoted": "sb_api", "sqlReadMarks": "sb_engine", "sqlDueTimers": "sb_engine", "sqlFindQueues": "sb_engine", "sqlClaimHeads": "sb_engine",
		} {
			require.NotEmpty(t, statements[name], name)
			out[name] = buffers(t, conn, role, statements[name], common)
		}
		return out
	}
	before := measured()
	for _, sql := range seedPast {
		_, err := conn.Exec(t.Context(), withOld+sql, seed)
		require.NoError(t, err, sql)
	}
	after := measured()
	for name, pages := range before {
		t.Logf("%s: %d pages, with 100,000 runs of the past %d", name, pages, after[name])
		// An index of more rows is a level deeper: one page more each time that it
		// is descended, in statements that touch only a few.
		const deeper = 6
		require.LessOrEqual(t, float64(after[name]), max(1.3*float64(pages), float64(pages+deeper)), name)
	}
}
