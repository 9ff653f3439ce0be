package advance_test

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/doctor"
	"github.com/signalboxhq/signalbox/internal/pg"
)

// drain waits until all runs have ended. Answers that were lost in the storm are
// made old, so that they are sent again.
func (s *storm) drain() {
	s.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		var open int
		require.NoError(s.t, s.super.QueryRow(context.Background(), `SELECT count(*) FROM run WHERE finished_at IS NULL`).Scan(&open))
		if open == 0 {
			break
		}
		if time.Now().After(deadline) {
			s.stuck()
			s.t.Fatalf("%d runs never end", open)
		}
		s.exec(s.t.Context(), `UPDATE lease SET granted_at = granted_at - interval '1 minute' WHERE granted_at > now() - interval '10 seconds' AND granted_at < now() - interval '200 milliseconds'`)
		s.release()
		s.exec(s.t.Context(), `UPDATE ready SET avoid_until = now() WHERE avoid_until > now()`)
		s.open()
		pause(s.t.Context(), 20*time.Millisecond)
	}
	s.tenants[0].settled()
	s.drained.Store(true)
	s.agents.Wait()
	for _, r := range s.replicas {
		r.a.Stop()
	}
}

// open lets all go that wait for a person: paused pipelines, lines that a
// failed run holds up.
func (s *storm) open() {
	s.exec(s.t.Context(), `WITH p AS (UPDATE pipeline SET paused = false WHERE paused RETURNING org_id, id)
		INSERT INTO wake (org_id, id, at, kind, pipeline_id) SELECT org_id, gen_random_uuid(), now(), 'resume', id FROM p`)
	rows, err := s.super.Query(context.Background(), `SELECT DISTINCT org_id, pipeline_id, key FROM admission WHERE blocking`)
	require.NoError(s.t, err)
	lines, err := pgx.CollectRows(rows, pgx.RowToStructByPos[advance.UnblockLine])
	require.NoError(s.t, err)
	for _, l := range lines {
		s.expect(s.replicas[0].a.UnblockLine(context.Background(), l))
	}
}

// stuck tells of the runs that do not end.
func (s *storm) stuck() {
	rows, err := s.super.Query(context.Background(), `
		SELECT r.id::text, r.state, r.seq,
			(SELECT coalesce(string_agg(concat(q.task, '/', q.attempt, ' avoids ', q.avoid_agent), ', '), '') FROM ready q WHERE q.run_id = r.id),
			(SELECT coalesce(string_agg(concat(l.id, ': ', l.task, '/', l.attempt, ' of ', l.session_id, ' ', s.ended, ' ', s.expires_at), ', '), '')
				FROM lease l LEFT JOIN session s ON s.id = l.session_id WHERE l.run_id = r.id),
			(SELECT coalesce(string_agg(concat(m.kind, ' ', m.task, '/', m.attempt, ' at ', m.at), ', '), '') FROM timer m WHERE m.run_id = r.id)
		FROM run r WHERE r.finished_at IS NULL LIMIT 10`)
	if err != nil {
		return
	}
	defer rows.Close()
	for rows.Next() {
		var run, state, ready, leases, timers string
		var seq int64
		if rows.Scan(&run, &state, &seq, &ready, &leases, &timers) == nil {
			s.t.Logf("run %s %s at %d: ready [%s], leased [%s], timers [%s]", run, state, seq, ready, leases, timers)
		}
	}
}

// visit has the doctor look while the storm rages.
func (s *storm) visit(ctx context.Context) {
	db, err := pg.Open(ctx, pg.Config{URL: s.tenants[0].db.URL(), APIConns: 1, EngineConns: 2, AuthConns: 1})
	if err != nil {
		s.expect(err)
		return
	}
	defer db.Close()
	for ctx.Err() == nil {
		s.examine(ctx, db)
		pause(ctx, 300*time.Millisecond)
	}
}

// examine has the doctor recount everything that the database says twice.
func (s *storm) examine(ctx context.Context, db *pg.DB) {
	found, err := doctor.Check(ctx, db)
	s.expect(err)
	for _, d := range found {
		if d.Kind != doctor.KindSchema && d.Kind != doctor.KindAudit {
			s.t.Errorf("the doctor found: %s", d)
		}
	}
	if err == nil {
		s.done.visits++
	}
}

// check compares what was answered with what is written.
func (s *storm) check() {
	s.t.Helper()
	s.examine(context.Background(), s.tenants[0].db)
	require.NotZero(s.t, s.done.visits)
	for _, line := range s.faults.lines {
		s.t.Errorf("logged: %s", line)
	}
	for _, table := range []string{"ready", "lease", "timer", "approval"} {
		require.Zero(s.t, s.tenants[0].count(table), table)
	}
	require.Zero(s.t, queryOne[int](s.tenants[0], `SELECT count(*) FROM admission WHERE NOT blocking`, nil), "places of runs that ended")
	var gaps, twice, numbers int
	require.NoError(s.t, s.super.QueryRow(context.Background(), `
		SELECT (SELECT count(*) FROM (SELECT 1 FROM journal GROUP BY run_id HAVING count(*) <> max(seq)) g),
			(SELECT count(*) FROM (SELECT 1 FROM journal WHERE lease <> 0 GROUP BY lease HAVING count(*) > 1) l),
			(SELECT count(*) FROM (SELECT 1 FROM run GROUP BY pipeline_id HAVING count(*) <> max(number)) n)`).Scan(&gaps, &twice, &numbers))
	require.Zero(s.t, gaps, "journals with gaps")
	require.Zero(s.t, twice, "leases that ended twice")
	require.Zero(s.t, numbers, "pipelines whose runs have gaps in their numbers")
	for _, key := range s.runs {
		require.Equal(s.t, 1, queryOne[int](s.tenants[0], `SELECT count(*) FROM run WHERE org_id = @org AND id = @run`, pgx.NamedArgs{"org": key.Org, "run": key.Run}))
	}
	s.checkAnswers()
	s.checkSignals()
}

// checkAnswers: an accepted report is in the journal, once, as its agent's; one
// that was refused is not.
func (s *storm) checkAnswers() {
	s.t.Helper()
	type end struct {
		Lease  int64
		Lost   bool
		Forced bool
	}
	rows, err := s.super.Query(context.Background(), `
		SELECT j.lease, j.outcome = 'lost' AND j.reason = 'the agent was lost', EXISTS (
			SELECT 1 FROM journal f WHERE f.run_id = j.run_id AND f.kind = 'run_forced' AND f.seq < j.seq AND f.at = j.at)
		FROM journal j WHERE j.lease <> 0`)
	require.NoError(s.t, err)
	ends := map[int64]end{}
	var e end
	for rows.Next() {
		require.NoError(s.t, rows.Scan(&e.Lease, &e.Lost, &e.Forced))
		ends[e.Lease] = e
	}
	require.NoError(s.t, rows.Err())
	for lease, a := range s.answers {
		e, there := ends[lease]
		switch {
		case a.accepted > 0 && a.stale > 0:
			s.t.Errorf("the reports of lease %d were accepted %d times and refused %d times", lease, a.accepted, a.stale)
		case a.accepted > 0 && (!there || e.Lost || e.Forced):
			s.t.Errorf("the report of lease %d was accepted, and is not in the journal: %+v", lease, e)
		case a.stale > 0 && there && !e.Lost && !e.Forced:
			s.t.Errorf("the report of lease %d was refused, and is in the journal: %+v", lease, e)
		}
	}
}
