package doctor

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
)

// planted is a fault and what doctor must say of it, and nothing else.
type planted struct {
	name string
	sql  string
	want []string // what the lines begin with, and contain after " … "
}

// TestPlantedDifferencesAreFound plants each fault alone, in a transaction that
// is rolled back, and expects it by name: so a check that finds nothing is known
// to work.
func TestPlantedDifferencesAreFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.history()
	b.a.Stop()
	conn := pgtest.Super(t, b.db.URL())
	args := pgx.NamedArgs{
		"org": h.org, "ghost": id.New(), "session": h.session, "pool": h.pool,
		"succeeded": h.succeeded.Run, "retried": h.retried.Run, "canceled": h.canceled.Run,
		"backoff": h.backoff.Run, "queued": h.queued.Run, "leased": h.leased.Run,
	}
	texts := strings.NewReplacer(
		"{ghost}", args["ghost"].(id.UUID).String(),
		"{run ghost}", id.Format(id.Run, args["ghost"].(id.UUID)),
		"{succeeded}", id.Format(id.Run, h.succeeded.Run), "{retried}", id.Format(id.Run, h.retried.Run), "{canceled}", id.Format(id.Run, h.canceled.Run),
		"{backoff}", id.Format(id.Run, h.backoff.Run), "{queued}", id.Format(id.Run, h.queued.Run), "{leased}", id.Format(id.Run, h.leased.Run),
		"{org}", id.Format(id.Org, h.org),
	)
	for _, c := range append(plantedRuns(), plantedElsewhere()...) {
		found := examine(t, conn, c.sql, args)
		require.Len(t, found, len(c.want), "%s: %s", c.name, strings.Join(found, "\n"))
		for i, want := range c.want {
			begin, contains, _ := strings.Cut(texts.Replace(want), " … ")
			require.True(t, strings.HasPrefix(found[i], begin) && strings.Contains(found[i], contains), "%s:\n got %s\nwant %s", c.name, found[i], want)
			require.True(t, strings.HasSuffix(found[i], "."), "%s: a sentence: %s", c.name, found[i])
		}
	}
}

// examine plants a fault and returns what is found.
func examine(t *testing.T, conn *pgx.Conn, sql string, args pgx.NamedArgs) []string {
	t.Helper()
	ctx := t.Context()
	tx, err := conn.Begin(ctx)
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(ctx)) }()
	// Neither triggers nor foreign keys keep a fault out.
	_, err = tx.Exec(ctx, `SET LOCAL session_replication_role = replica`)
	require.NoError(t, err)
	for statement := range strings.SplitSeq(sql, ";") {
		ct, err := tx.Exec(ctx, statement, args)
		require.NoError(t, err, statement)
		require.True(t, ct.RowsAffected() > 0 || !ct.Insert() && !ct.Update() && !ct.Delete(), "nothing planted by %s", statement)
	}
	_, err = tx.Exec(ctx, sqlBeEngine)
	require.NoError(t, err)
	c := newChecker()
	require.NoError(t, c.examine(ctx, tx))
	var lines []string
	for _, d := range c.all() {
		require.Contains(t, Kinds(), d.Kind)
		lines = append(lines, d.String())
	}
	return lines
}

func plantedRuns() []planted {
	return []planted{
		{"nothing", `SELECT 1`, nil},
		{"state and seq", `UPDATE run SET state = 'failed', seq = seq + 1 WHERE id = @succeeded`, []string{
			"run, {org}: the row of {succeeded} is not what its journal folds to: seq 5 instead of 4, state failed instead of succeeded.",
		}},
		{"counts", `UPDATE run SET tasks_done = 2, tasks_failed = 1, tasks_total = 4 WHERE id = @succeeded`, []string{
			"run, {org}: the row of {succeeded} … tasks_total 4 instead of 3, tasks_done 2 instead of 3, tasks_failed 1 instead of 0.",
		}},
		{"outcome and reason", `UPDATE run SET outcome = 'canceled', reason = 'x', generation = 1 WHERE id = @retried`, []string{
			`run, {org}: the row of {retried} … outcome "canceled" instead of "succeeded", reason "x" instead of "", generation 1 instead of 2.`,
		}},
		{"times", `UPDATE run SET started_at = NULL, deadline = NULL WHERE id = @queued`, []string{"run, {org}: the row of {queued} … started_at none instead of 2"}},
		{"end", `UPDATE run SET finished_at = finished_at + interval '1 ms' WHERE id = @canceled`, []string{"run, {org}: the row of {canceled} … finished_at 2"}},
		{"no journal", `DELETE FROM journal WHERE run_id = @canceled`, []string{"journal, {org}: {canceled} has seq 3, but no journal."}},
		{"gap in the journal", `UPDATE journal SET seq = 9 WHERE run_id = @succeeded AND seq = 3`, []string{
			"journal, {org}: the journal of {succeeded} cannot be folded: entry 4 follows entry 2.",
		}},
		{"entry of a newer release", `UPDATE journal SET v = 99 WHERE run_id = @succeeded AND seq = 2`, []string{
			"journal, {org}: the journal of {succeeded} cannot be folded: entry 2 has format 99, newer than 2.",
		}},
		{"billed time", `UPDATE journal SET billed_ms = 1 WHERE run_id = @retried AND seq = 2`, []string{
			"journal, {org}: entry 2 of {retried} bills 1 ms, but its attempt took 1234 ms.",
		}},
		{"billed GPU time", `UPDATE journal SET billed_gpu_ms = 0 WHERE run_id = @succeeded AND seq = 2`, []string{
			"journal, {org}: entry 2 of {succeeded} bills 0 ms of GPU time, but its attempt took 1234 ms.",
		}},
		{"GPU time without a GPU", `UPDATE journal SET billed_gpu_ms = 1 WHERE run_id = @retried AND seq = 1`, []string{
			"journal, {org}: entry 1 of {retried} bills 1 ms of GPU time, but its attempt took 0 ms.",
		}},
		{"GPU time of an entry from before it was noted", `UPDATE journal SET billed_gpu_ms = NULL`, nil},
		{"not in the queue", `DELETE FROM ready WHERE run_id = @queued`, []string{
			`dispatch, {org}: attempt 1 of task "score" of {queued} is open and stands in none of them, instead of one of ready, lease and timer.`,
		}},
		{"another attempt in the queue", `UPDATE ready SET attempt = 7 WHERE run_id = @queued`, []string{
			`dispatch, {org}: task "score" of {queued} stands in ready with attempt 7, but attempt 1 is open.`,
		}},
		{"in two places", `INSERT INTO timer (org_id, run_id, kind, task, attempt, at) VALUES (@org, @queued, 'retry', 1, 1, now())`, []string{
			`dispatch, {org}: attempt 1 of task "score" of {queued} is open and stands in ready and timer`,
		}},
		{"a task that has ended", `UPDATE ready SET task = 0 WHERE run_id = @queued`, []string{
			`dispatch, {org}: attempt 1 of task "score" of {queued} is open and stands in none`,
			`dispatch, {org}: task "train" of {queued} stands in ready, but is succeeded.`,
		}},
		{"no such task", `UPDATE ready SET task = 17 WHERE run_id = @queued`, []string{
			`dispatch, {org}: attempt 1 of task "score"`, `dispatch, {org}: {queued} stands in ready with task 17, but has 3 tasks.`,
		}},
		{"an approval that is none", `INSERT INTO approval (org_id, run_id, task, workspace_id, path, since, required)
			VALUES (@org, @queued, 1, @org, 'score', now(), 1)`, []string{
			`dispatch, {org}: task 1 of {queued} is in the list of open approvals, but is not one.`,
		}},
		{"another attempt leased", `UPDATE lease SET attempt = 2 WHERE run_id = @leased`, []string{
			`dispatch, {org}: task "score" of {leased} stands in lease with attempt 2, but attempt 1 is open.`,
		}},
		{"retry at another time", `UPDATE timer SET at = at + interval '1 hour' WHERE run_id = @backoff AND kind = 'retry'`, []string{
			`dispatch, {org}: attempt 3 of task "train" of {backoff} may be taken from 2`,
		}},
		{"no deadline", `DELETE FROM timer WHERE run_id = @backoff AND kind = 'deadline'`, []string{
			`dispatch, {org}: the deadline timer of {backoff} (task -1), due at … is missing.`,
		}},
		{"queue timer at another time", `UPDATE timer SET at = at + interval '1 hour' WHERE run_id = @queued AND kind = 'queue'`, []string{
			`dispatch, {org}: the queue timer of {queued} (task 1) is set to`,
		}},
		{"left of a run", `INSERT INTO ready (org_id, run_id, task, attempt, path, pool_id, class_id, priority, lane, since) SELECT @org, @succeeded, 0, 1, '', @pool, 1, 0, @pool, now()`, []string{
			`dispatch, {org}: {succeeded} is succeeded, but 1 ready rows, 0 leases and 0 timers are left of it.`,
		}},
	}
}

func plantedElsewhere() []planted {
	return []planted{
		{"lease of no session", `UPDATE lease SET session_id = @ghost WHERE run_id = @leased`, []string{
			`lease, {org}: lease … (task "score" of {leased}) is held by`,
		}},
		{"lease of another agent", `UPDATE session SET agent_id = @ghost WHERE id = @session`, []string{
			"lease, {org}: lease … which is of another agent or pool.",
			"orphan, {org}: rows of session that refer to the agent of the same pool agt_",
		}},
		{"too much usage", `UPDATE usage SET quantity = quantity + 1 WHERE org_id = @org AND meter = 'gpu_ms'
			AND id = (SELECT min(id) FROM usage WHERE org_id = @org AND meter = 'gpu_ms')`, []string{"usage, {org}: gpu_ms in the hour of 2 … but"}},
		{"usage is missing", `DELETE FROM usage WHERE org_id = @org AND meter = 'runs' AND pipeline_id = (SELECT pipeline_id FROM run WHERE id = @retried)`, []string{
			"usage, {org}: runs in the hour of 2 … is 0 in the table, but 1 by the journal.",
		}},
		{"usage of nobody", `INSERT INTO usage (org_id, meter, workspace_id, pool_id, pipeline_id, label_set_id, hour, quantity)
			SELECT @org, 'runs', workspace_id, @ghost, @ghost, 987654321, '2026-01-01', 5 FROM run WHERE id = @retried`, []string{
			"usage, {org}: runs in the hour of 2026-01-01 00:00 … label set 987654321) is 5 in the table, but 0 by the journal.",
			"orphan, {org}: rows of usage that refer to the pipeline pipe_ … which does not exist: 1.",
			"orphan, {org}: rows of usage that refer to the pool pool_",
			"orphan, {org}: rows of usage that refer to the label set 987654321, which does not exist: 1.",
		}},
		{"correction", `INSERT INTO usage (org_id, meter, workspace_id, pool_id, pipeline_id, label_set_id, hour, quantity, kind, reverses)
			SELECT org_id, meter, workspace_id, pool_id, pipeline_id, label_set_id, hour, -quantity, 'correction', id FROM usage`, nil},
		{"correction of nothing", `INSERT INTO usage (org_id, meter, workspace_id, pool_id, pipeline_id, label_set_id, hour, quantity, kind, reverses)
			SELECT org_id, meter, workspace_id, pool_id, pipeline_id, label_set_id, hour, -1, 'correction', 424242 FROM usage WHERE org_id = @org LIMIT 1`, []string{
			"orphan, {org}: rows of usage that refer to the metered row of the same key 424242, which does not exist: 1.",
		}},
		{"next number", `UPDATE pipeline SET next_number = 2 WHERE id = (SELECT pipeline_id FROM run WHERE id = @retried)`, []string{
			`number, {org}: the next run of pipeline "one" (pipe_ … gets number 2, but the last one has 2.`,
		}},
		{"fires", `INSERT INTO schedule (org_id, id, workspace_id, pipeline_id, name, source, spec, cursor, fired, created_at, updated_at)
				SELECT org_id, @ghost, workspace_id, pipeline_id, 'nightly', 'api', '{}', now(), 5, now(), now() FROM run WHERE id = @retried;
			INSERT INTO schedule_fire (org_id, schedule_id, nominal, interval_start, interval_end, state, run_id, created_at)
				VALUES (@org, @ghost, '2026-01-01', '2026-01-01', '2026-01-01', 'started', @ghost, now()),
					(@org, @ghost, '2026-01-02', '2026-01-01', '2026-01-02', 'started', @retried, now());
			UPDATE run SET cause = 'schedule', created_at = '2026-01-01' WHERE id IN (@retried, @canceled)`, []string{
			"schedule, {org}: the fire of sch_ … at 2026-01-01T00:00:00Z has no run.",
			"schedule, {org}: {canceled} was started by a schedule, but no fire names it.",
			"schedule, {org}: sch_ … has fired 5 times by its row, but 2 by its fires.",
		}},
		{"run without its pipeline", `UPDATE run SET pipeline_id = @ghost WHERE id = @canceled; UPDATE pipeline SET next_number = 2 WHERE next_number = 3 AND name = 'one'`, []string{
			"orphan, {org}: {canceled} is of version … which cannot be read: it is not there.",
			"orphan, {org}: rows of run that refer to the pipeline pipe_",
		}},
		{"another plan", `UPDATE version SET plan = '{}' WHERE pipeline_id = (SELECT pipeline_id FROM run WHERE id = @retried);
			DELETE FROM usage WHERE pipeline_id = (SELECT pipeline_id FROM run WHERE id = @retried)`, []string{
			"orphan, {org}: {retried} is of version … which cannot be read: its plan has the digest",
			"orphan, {org}: {canceled} is of version",
		}},
		{"entries without a run", `INSERT INTO journal (org_id, run_id, seq, v, at, kind) SELECT @org, @ghost, n, 1, now(), 'run_started' FROM generate_series(1, 3) n`, []string{
			"orphan, {org}: rows of journal that refer to the run {run ghost}, which does not exist: 3.",
		}},
		{"queued without a run", `UPDATE ready SET run_id = @ghost WHERE run_id = @queued`, []string{
			`dispatch, {org}: attempt 1 of task "score" of {queued} is open and stands in none`,
			"orphan, {org}: rows of ready that refer to the run {run ghost}, which does not exist: 1.",
		}},
		{"leased without a run", `UPDATE lease SET run_id = @ghost WHERE run_id = @leased`, []string{
			`dispatch, {org}: attempt 1 of task "score" of {leased} is open and stands in none`,
			`dispatch, {org}: the queue timer of {leased} (task 1), due at … is missing.`,
			"orphan, {org}: rows of lease that refer to the run {run ghost}, which does not exist: 1.",
		}},
		{"timed without a run", `INSERT INTO timer (org_id, run_id, kind, at) VALUES (@org, @ghost, 'deadline', now())`, []string{
			"orphan, {org}: rows of timer that refer to the run {run ghost}, which does not exist: 1.",
		}},
		{"start key without a run", `UPDATE start_key SET run_id = @ghost`, []string{
			"orphan, {org}: rows of start_key that refer to the run {run ghost}, which does not exist: 1.",
		}},
		{"start key of another pipeline", `UPDATE start_key SET pipeline_id = @ghost`, []string{
			"orphan, {org}: rows of start_key that refer to the run of the same pipeline {succeeded}, which does not exist: 1.",
		}},
		{"a label that the set lacks", `INSERT INTO label_pair (org_id, key, value, label_set_id) SELECT @org, 'cost', 'a', id FROM label_set WHERE org_id = @org`, []string{
			"orphan, {org}: rows of label_set that refer to the same labels in label_pair",
		}},
		{"labels", `DELETE FROM label_set WHERE org_id = @org`, []string{
			"orphan, {org}: rows of run that refer to the label set … which does not exist: 6.",
			"orphan, {org}: rows of label_pair that refer to the label set … which does not exist: 1.",
			"orphan, {org}: rows of usage that refer to the label set",
		}},
		{"audit entry", `UPDATE audit_entry SET action = 'pool.delete' WHERE org_id = @org AND seq = 2`, []string{
			"audit, {org}: the audit log is broken at entry 2 … content",
		}},
		{"audit log cut off", `DELETE FROM audit_entry WHERE org_id = @org AND seq = 3`, []string{
			"audit, {org}: the audit log is broken at entry 3 of 2: it ends at entry 2, but 3 were written.",
		}},
		{"schema", `CREATE TABLE planted (org_id uuid)`, []string{
			"schema: planted: owned by postgres instead of sb_owner.", "schema: planted: table without forced row-level security.",
		}},
		{"rights", `GRANT TRUNCATE ON run TO sb_api`, []string{"schema: sb.run: sb_api has TRUNCATE."}},
	}
}
