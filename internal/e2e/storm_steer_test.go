package e2e_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pgtest"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1/runv1connect"
	"github.com/signalboxhq/signalbox/proto/id"
)

// steer pauses and suspends runs, and resumes each a while later.
func (s *ragingStack) steer(ctx context.Context, tn *tenant) {
	r := rand.New(rand.NewPCG(s.seed, 200))
	for ctx.Err() == nil {
		wait(ctx, time.Duration(200+r.IntN(1200))*time.Millisecond)
		run, suspend := s.anyRun(r), r.IntN(2) == 0
		if run == "" {
			continue
		}
		what := "pause"
		if suspend {
			what = "suspend"
		}
		err := s.insist(ctx, what, func(ctx context.Context) error {
			_, err := tn.runs.PauseRun(ctx, &runv1.PauseRunRequest{Id: run, Suspend: suspend})
			return err
		})
		if err != nil {
			continue // it has ended
		}
		wait(ctx, time.Duration(200+r.IntN(3000))*time.Millisecond)
		_ = s.insist(ctx, "resume", func(ctx context.Context) error { return resume(ctx, tn, run) })
	}
}

func resume(ctx context.Context, tn *tenant, run string) error {
	_, err := tn.runs.ResumeRun(ctx, &runv1.ResumeRunRequest{Id: run})
	return err
}

// vote approves and rejects what waits for it, and leaves some to time out.
func (s *ragingStack) vote(ctx context.Context, tn *tenant) {
	r := rand.New(rand.NewPCG(s.seed, 201))
	approvals := runv1connect.NewApprovalServiceClient(tn.http, tn.url)
	for ctx.Err() == nil {
		wait(ctx, time.Duration(300+r.IntN(1500))*time.Millisecond)
		var open []*runv1.Approval
		err := s.insist(ctx, "list approvals", func(ctx context.Context) error {
			res, err := approvals.ListApprovals(ctx, &runv1.ListApprovalsRequest{})
			open = res.GetApprovals()
			return err
		})
		// Those of tasks called late are left alone: their time runs out.
		open = slices.DeleteFunc(open, func(a *runv1.Approval) bool { return a.GetTask() == "late" })
		if err != nil || len(open) == 0 {
			continue
		}
		one, reject := open[r.IntN(len(open))], r.IntN(4) == 0
		what := "approve"
		if reject {
			what = "reject"
		}
		_ = s.insist(ctx, what, func(ctx context.Context) error {
			_, err := approvals.DecideApproval(ctx, &runv1.DecideApprovalRequest{RunId: one.GetRunId(), Task: one.GetTask(), Reject: reject})
			return err
		})
	}
}

// insist repeats a request until somebody answers it, and counts the answers.
func (s *ragingStack) insist(ctx context.Context, what string, ask func(context.Context) error) error {
	for ctx.Err() == nil {
		call, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := ask(call)
		cancel()
		if err == nil {
			s.mu.Lock()
			s.answered[what]++
			s.mu.Unlock()
			return nil
		}
		s.excuse(what, err)
		if connect.CodeOf(err) == connect.CodeFailedPrecondition {
			return err
		}
		wait(ctx, 300*time.Millisecond)
	}
	return errors.New("the storm is over")
}

// resumeAll lets go on whatever stands still: a pause that was delayed may be
// carried out after the resume that followed it.
func (s *ragingStack) resumeAll(ctx context.Context, tn *tenant) {
	conn, err := s.pg.super(ctx)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, `SELECT id FROM run WHERE state = 'paused'`)
	if err != nil {
		return
	}
	paused, err := pgx.CollectRows(rows, pgx.RowTo[id.UUID])
	if err != nil {
		return
	}
	for _, run := range paused {
		call, cancel := context.WithTimeout(ctx, 10*time.Second)
		s.excuse("resume", resume(call, tn, id.Format(id.Run, run)))
		cancel()
	}
}

// What no look may find, whatever happens meanwhile.
var never = map[string]string{
	"limits that gave more than they have": `SELECT count(*) FROM (
		SELECT 1 FROM limit_hold h JOIN named_limit n USING (org_id, workspace_id, name)
		GROUP BY n.org_id, n.workspace_id, n.name, n.max_units HAVING sum(h.units) > n.max_units) l`,
	"lines with more runs than places": `SELECT count(*) FROM (
		SELECT 1 FROM admission WHERE slot IS NOT NULL GROUP BY org_id, pipeline_id, key, slots HAVING count(*) > min(slots)) a`,
	"more runs of a line going on than two": `SELECT greatest(count(*) - 2, 0) FROM run r
		JOIN pipeline p ON p.org_id = r.org_id AND p.id = r.pipeline_id
		WHERE p.name = 'lined' AND r.state IN ('running', 'canceling', 'finalizing')`,
}

// What is gone once every run has ended.
var gone = map[string]string{
	"open approvals":       `SELECT count(*) FROM approval`,
	"units of limits held": `SELECT count(*) FROM limit_hold`,
	"runs in lines":        `SELECT count(*) FROM admission`,
	"wakes":                `SELECT count(*) FROM wake`,
}

// What no run that nobody retried or canceled may look like at its end.
var rolledUp = map[string]string{
	"children that outlived their parents": `SELECT count(*) FROM run c JOIN run p ON p.org_id = c.org_id AND p.id = c.parent_run
		WHERE p.generation = 1 AND p.outcome <> 'canceled' AND c.finished_at > p.finished_at`,
	"tasks with two children": `SELECT count(*) FROM (SELECT 1 FROM run WHERE parent_run IS NOT NULL
		GROUP BY parent_run, parent_task, parent_attempt HAVING count(*) > 1) c`,
	"parents that succeeded though a child did not": `SELECT count(*) FROM run p JOIN pipeline l ON l.org_id = p.org_id AND l.id = p.pipeline_id
		WHERE l.name = 'nest' AND p.outcome = 'succeeded' AND p.generation = 1
		AND (SELECT count(*) FROM run c WHERE c.parent_run = p.id AND c.outcome = 'succeeded') <> 3`,
}

// look asks for what may never be.
func (s *ragingStack) look(ctx context.Context) {
	for what, query := range never {
		var n int
		if !s.ask(ctx, &n, query) {
			continue // PostgreSQL is away
		}
		s.mu.Lock()
		s.looks[what]++
		s.mu.Unlock()
		if n != 0 {
			s.t.Errorf("%d %s", n, what)
		}
	}
}

// settled asks for what a storm with nested runs and approvals leaves.
func (s *ragingStack) settled(ctx context.Context) {
	s.t.Helper()
	for what, query := range gone {
		var n int
		eventually(s.t, time.Minute, "no "+what, func() bool { return s.ask(ctx, &n, query) && n == 0 })
	}
	for what, query := range rolledUp {
		var n int
		eventually(s.t, 20*time.Second, "ask for "+what, func() bool { return s.ask(ctx, &n, query) })
		require.Zero(s.t, n, what)
	}
}

// kinds tells how many runs of each pipeline ended how, and how many requests
// of people were answered.
func (s *ragingStack) kinds(ctx context.Context) {
	for _, query := range []string{
		`SELECT coalesce(string_agg(l, ', ' ORDER BY l), '') FROM (SELECT p.name || ' ' || r.outcome || ' ' || count(*) AS l
			FROM run r JOIN pipeline p ON p.org_id = r.org_id AND p.id = r.pipeline_id GROUP BY p.name, r.outcome) k`,
		`SELECT coalesce(string_agg(l, ', ' ORDER BY l), '') FROM (SELECT kind || ' ' || count(*) AS l FROM journal GROUP BY kind) k`,
	} {
		conn, err := s.pg.super(ctx)
		if err != nil {
			return
		}
		var line string
		if conn.QueryRow(ctx, query).Scan(&line) == nil {
			s.tell("%s", line)
		}
		_ = conn.Close(ctx)
	}
	s.tell("answered: %v", s.answered)
}

// A look that could find nothing would never be missed in a storm.
func TestLooksOfTheStormFindWhatMayNotBe(t *testing.T) {
	t.Parallel()
	conn := pgtest.Super(t, pgtest.URL(t))
	const plant = `
		SET search_path = sb;
		SET session_replication_role = replica; -- no foreign keys
		DROP INDEX admission_slot;
		INSERT INTO named_limit (org_id, workspace_id, name, max_units) SELECT o, o, 'track', 2 FROM o;
		INSERT INTO limit_hold (org_id, run_id, task, workspace_id, name, units) SELECT o, gen_random_uuid(), 0, o, 'track', 1 FROM o, generate_series(1, @n);
		INSERT INTO admission (org_id, run_id, pipeline_id, key, slot, slots) SELECT o, gen_random_uuid(), o, 'k', 2, 2 FROM o, generate_series(1, @n);
		INSERT INTO pipeline (org_id, id, workspace_id, name) SELECT o, o, o, 'lined' FROM o;
		INSERT INTO run (org_id, id, workspace_id, pipeline_id, digest, number, cause, params, label_set_id, state, seq, tasks_total, created_at)
			SELECT o, gen_random_uuid(), o, o, sha256('x'), n, 'user', '', 1, 'running', 1, 1, now() FROM o, generate_series(1, @n) n`
	for _, n := range []int{2, 3} {
		_, err := conn.Exec(t.Context(), "BEGIN; CREATE TEMP VIEW o AS SELECT '01a1f8be-4845-779c-8487-3a83c00c3673'::uuid AS o;"+strings.ReplaceAll(plant, "@n", strconv.Itoa(n)))
		require.NoError(t, err)
		for what, query := range never {
			var found int
			require.NoError(t, conn.QueryRow(t.Context(), query).Scan(&found), what)
			require.Equal(t, n-2, found, what)
		}
		_, err = conn.Exec(t.Context(), "ROLLBACK")
		require.NoError(t, err)
	}
}
