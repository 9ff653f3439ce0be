package advance_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/pgtest"
)

// wantIndex says by which index each statement of a batch finds the rows of
// which tables: by the one that names them, never by one that only begins with
// the organization.
var wantIndex = map[string]string{
	"sqlReadStartKeys":      "run_pkey start_key_pkey",
	"sqlLockPipelines":      "pipeline_pkey",
	"sqlLockRuns":           "run_pkey",
	"sqlReadTimers":         "timer_pkey",
	"sqlLockReadyOfRuns":    "ready_pkey",
	"sqlClaimHeads":         "ready_head",
	"sqlLockLeases":         "lease_pkey",
	"sqlLockKnownLeases":    "lease_pkey",
	"sqlLockAllLeases":      "lease_org_id_run_id_task_rank_key lease_pkey",
	"sqlLockSessions":       "organization_pkey pool_pkey session_pkey",
	"sqlListLeases":         "lease_by_holder",
	"sqlLockPools":          "pool_pkey",
	"sqlCountPools":         "lease_by_holder organization_pkey pool_pkey",
	"sqlUpdateRuns":         "run_pkey",
	"sqlUpdatePipelines":    "pipeline_pkey",
	"sqlEndLeases":          "lease_pkey",
	"sqlDeleteReady":        "ready_pkey",
	"sqlStopLeases":         "lease_pkey",
	"sqlTellPhases":         "lease_pkey",
	"sqlDeleteTimers":       "timer_pkey",
	"sqlDeleteTimersOfRuns": "timer_pkey",
	"sqlRenewSessions":      "session_pkey",
	"sqlEndSessions":        "session_pkey",
	"sqlDeleteStartKeys":    "start_key_pkey",
	"sqlEndedLeases":        "journal_pkey",
	"sqlDescribeRuns":       "label_set_pkey run_pkey",
	"sqlFindQueues":         "ready_head",
	"sqlReadSettings":       "pool_pkey",
	"sqlReadLanes":          "lane_pkey",
	"sqlLockLines":          "line_pkey",
	"sqlReadHeld":           "admission_slot",
	"sqlReadWaiting":        "admission_waiting",
	"sqlReadLeavers":        "admission_pkey run_pkey",
	"sqlReadPaused":         "admission_paused",
	"sqlUpdateLines":        "line_pkey",
	"sqlDeleteAdmissions":   "admission_pkey",
	"sqlResumeAdmissions":   "admission_pkey",
	"sqlForgetAdmissions":   "admission_pkey",
	"sqlReadWakes":          "wake_pkey",
	"sqlDeleteWakes":        "wake_pkey",
	"sqlMoveStartKeys":      "start_key_pkey",
	"sqlFindChild":          "run_child",
	"sqlLockLimits":         "named_limit_pkey",
	"sqlCountHolds":         "limit_hold_by_name",
	"sqlDeleteHolds":        "limit_hold_pkey",
}

var (
	scanned = regexp.MustCompile(`(?:Index|Index Only|Bitmap Index) Scan using (\S+) on|Bitmap Index Scan on (\S+)`)
	inFull  = regexp.MustCompile(`Seq Scan on (run|journal\S*|ready|lease|timer|session|usage|start_key|pipeline|pool|agent|wake|line|admission)\b`)
)

// What grows is never read in full, nor an index beyond its key: one
// organization's thousands of rows, of which PostgreSQL has no statistics yet,
// or such as it made at an idle moment.
func TestStatementsFindTheirRowsByKey(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(t *testing.T, conn *pgx.Conn){
		"never analyzed": fill,
		"analyzed while empty": func(t *testing.T, conn *pgx.Conn) {
			t.Helper()
			fill(t, conn)
			for _, table := range []string{"run", "journal", "ready", "lease", "timer", "session", "start_key", "line", "admission", "wake"} {
				_, err := conn.Exec(t.Context(), "DELETE FROM "+table)
				require.NoError(t, err)
				// What is deleted keeps its pages: so many, and no row in them.
				_, err = conn.Exec(t.Context(), "VACUUM (ANALYZE, TRUNCATE false) "+table)
				require.NoError(t, err)
			}
			fill(t, conn)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := pgtest.Super(t, setup(t).db.URL())
			prepare(t, conn)
			checkPlans(t, conn)
		})
	}
}

func checkPlans(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	all, err := pgtest.Statements(".")
	require.NoError(t, err)
	for _, s := range all {
		if s.Name == "sqlPrepareLoop" {
			_, err := conn.Exec(t.Context(), s.SQL)
			require.NoError(t, err)
		}
	}
	seen := 0
	for _, s := range all {
		lines := explain(t, conn, s.SQL)
		require.NotRegexp(t, inFull, lines, s.Name)
		if turned(lines) {
			t.Errorf("%s goes through all keys for each row\n%s", s.Name, lines)
		}
		want, known := wantIndex[s.Name]
		if !known {
			continue
		}
		seen++
		var used []string
		for _, m := range scanned.FindAllStringSubmatch(lines, -1) {
			used = append(used, regexp.MustCompile(`^journal_\d+_`).ReplaceAllString(m[1]+m[2], "journal_"))
		}
		slices.Sort(used)
		if got := strings.Join(slices.Compact(used), " "); got != want {
			t.Errorf("%s goes by %s\n%s", s.Name, got, lines)
		}
	}
	require.Len(t, wantIndex, seen)
}

// turned reports whether a plan goes through all keys of a batch for each row
// that it finds: they must lead, and each find its row.
func turned(plan string) bool {
	var loops []int // how deep the nested loops stand, and how many sides of each were seen
	sides := map[int]int{}
	for line := range strings.Lines(plan) {
		node := strings.TrimLeft(line, " ->")
		depth := len(line) - len(node)
		for len(loops) > 0 && loops[len(loops)-1] >= depth {
			loops = loops[:len(loops)-1]
		}
		if n := len(loops); n > 0 && strings.Contains(line, "-> ") {
			loop := loops[n-1]
			if depth == loop+6 || (loop == 0 && depth == 6) {
				sides[loop]++
				if sides[loop] == 2 && (strings.HasPrefix(node, "Function Scan") || strings.HasPrefix(node, "Materialize")) {
					return true
				}
			}
		}
		if strings.HasPrefix(node, "Nested Loop") {
			loops, sides[depth] = append(loops, depth), 0
		}
	}
	return false
}

// explain is a statement's generic plan.
func explain(t *testing.T, conn *pgx.Conn, sql string) string {
	t.Helper()
	ctx := context.Background()
	named := pgx.NamedArgs{}
	for _, m := range regexp.MustCompile(`@(\w+)`).FindAllStringSubmatch(sql, -1) {
		named[m[1]] = nil
	}
	text, args, err := named.RewriteQuery(ctx, conn, sql, nil)
	require.NoError(t, err)
	_, err = conn.Exec(ctx, "PREPARE x AS "+text, pgx.QueryExecModeSimpleProtocol)
	require.NoError(t, err, sql)
	defer func() {
		_, err := conn.Exec(ctx, "DEALLOCATE x", pgx.QueryExecModeSimpleProtocol)
		require.NoError(t, err)
	}()
	call := "EXECUTE x"
	if len(args) > 0 {
		call += "(" + strings.TrimSuffix(strings.Repeat("NULL,", len(args)), ",") + ")"
	}
	rows, err := conn.Query(ctx, "EXPLAIN "+call, pgx.QueryExecModeSimpleProtocol)
	require.NoError(t, err)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err, sql)
	return strings.Join(lines, "\n")
}

// fill gives one organization rows of everything that grows.
func fill(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	for _, sql := range []string{
		`INSERT INTO run (org_id, id, workspace_id, pipeline_id, digest, number, cause, params, label_set_id, state, seq, tasks_total, created_at)
			SELECT o, gen_random_uuid(), o, o, sha256('x'), n, 'user', '', 1, 'running', 1, 1, now() FROM o, generate_series(1, 4000) n`,
		`INSERT INTO journal (org_id, run_id, seq, v, at, kind) SELECT org_id, o, n, 1, now(), 'run_started'
			FROM o, generate_series(1, 4000) n, LATERAL (SELECT o AS org_id) x`,
		`INSERT INTO ready (org_id, run_id, task, attempt, path, pool_id, class_id, priority, lane, since)
			SELECT o, gen_random_uuid(), n, 1, 'a', o, 1, 0, o, now() FROM o, generate_series(1, 4000) n`,
		`INSERT INTO lease (org_id, id, session_id, agent_id, pool_id, run_id, task, attempt, path, class_id, slots, ready_at, granted_at)
			SELECT o, n, gen_random_uuid(), o, o, gen_random_uuid(), 0, 1, 'a', 1, 1, now(), now() FROM o, generate_series(1, 4000) n`,
		`INSERT INTO timer (org_id, run_id, kind, task, at) SELECT o, gen_random_uuid(), 'retry', n, now() FROM o, generate_series(1, 4000) n`,
		`INSERT INTO session (org_id, id, agent_id, workspace_id, pool_id, expires_at)
			SELECT o, gen_random_uuid(), gen_random_uuid(), o, o, now() FROM o, generate_series(1, 4000) n`,
		`INSERT INTO start_key (org_id, pipeline_id, key, run_id, fingerprint, expires_at)
			SELECT o, o, n::text, o, '', now() FROM o, generate_series(1, 4000) n`,
		`INSERT INTO line (org_id, pipeline_id, key) SELECT o, o, n::text FROM o, generate_series(1, 4000) n`,
		`INSERT INTO admission (org_id, run_id, pipeline_id, key, ticket, slot, slots, paused)
			SELECT o, gen_random_uuid(), o, (n / 4)::text, n, CASE WHEN n % 4 = 0 THEN 1 END, 1, n % 5 = 0 FROM o, generate_series(1, 4000) n`,
		`INSERT INTO wake (org_id, id, at, kind, pipeline_id) SELECT o, gen_random_uuid(), now(), 'resume', o FROM o, generate_series(1, 4000) n`,
	} {
		_, err := conn.Exec(t.Context(), `WITH o AS (SELECT id::uuid AS o FROM (SELECT '01a1f8be-4845-779c-8487-3a83c00c3673') x (id)) `+sql)
		require.NoError(t, err, sql)
	}
}

// A run's row changes with each of its attempts, in place: but for its end no
// column changes that an index holds.
func TestARunsRowChangesInPlace(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	run := b.start(b.deploy(chain("hot", 12)))
	work := w.poll(1, 0)
	for range 12 {
		work = w.report(1, ended(work.Leases[0], engine.OutcomeSucceeded))
	}
	require.Equal(t, "succeeded", b.state(run))
	b.a.Stop() // its backend hands in what it counted
	var updates, hot int
	eventually(t, "the counters are in", func() bool {
		err := b.db.Engine.QueryRow(t.Context(), `SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'run'`).Scan(&updates, &hot)
		return err == nil && updates == 12
	})
	require.Equal(t, 11, hot)
}
