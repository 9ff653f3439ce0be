package advance_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/timer"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// lined deploys a pipeline of one task whose runs stand in one line.
func (b *bundle) lined(name string, limit int, policy plan.ConcurrencyPolicy) advance.StartRun {
	b.t.Helper()
	p := chain(name, 1)
	p.Concurrency = &plan.Concurrency{Limit: limit, Policy: policy}
	c := b.deploy(p)
	key := ""
	c.Line = &key
	return c
}

// five starts five runs, one after the other.
func (b *bundle) five(c advance.StartRun) []id.UUID {
	b.t.Helper()
	runs := make([]id.UUID, 5)
	for i := range runs {
		runs[i] = b.start(c)
	}
	return runs
}

func (b *bundle) states(runs []id.UUID) []string {
	b.t.Helper()
	out := make([]string, len(runs))
	for i, run := range runs {
		out[i] = b.state(run)
	}
	return out
}

func (b *bundle) reason(run id.UUID) string {
	b.t.Helper()
	return queryOne[string](b, `SELECT reason FROM run WHERE id = @run`, pgx.NamedArgs{"run": run})
}

// settled waits until nobody has anything to tell another.
func (b *bundle) settled() {
	b.t.Helper()
	eventually(b.t, "all wakes are served", func() bool { return b.count("wake") == 0 })
}

// orderly checks the rows of lines against each other.
func (b *bundle) orderly() {
	b.t.Helper()
	b.settled()
	require.Zero(b.t, queryOne[int](b, `SELECT count(*) FROM line l WHERE
		l.held <> (SELECT count(*) FROM admission a WHERE a.pipeline_id = l.pipeline_id AND a.key = l.key AND a.slot IS NOT NULL)
		OR l.waiting <> (SELECT count(*) FROM admission a WHERE a.pipeline_id = l.pipeline_id AND a.key = l.key AND a.slot IS NULL)`, nil))
}

func TestRunsQueueInTheirLine(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	runs := b.five(b.lined("busy", 1, ""))
	require.Equal(t, []string{"running", "pending", "pending", "pending", "pending"}, b.states(runs))
	require.Equal(t, engine.HoldConcurrency, b.reason(runs[1]))
	for _, run := range runs {
		l := w.await()
		require.Equal(t, run, l.Run, "first come, first served")
		require.Equal(t, 1, queryOne[int](b, `SELECT count(*) FROM run WHERE state = 'running'`, nil))
		w.report(0, ended(l, engine.OutcomeSucceeded))
	}
	b.orderly()
	require.Zero(t, b.count("admission"))
	require.Equal(t, "", b.reason(runs[1]))
}

func TestPoliciesOfALine(t *testing.T) {
	t.Parallel()
	for policy, want := range map[plan.ConcurrencyPolicy][]string{
		plan.PolicyQueueLatest: {"running", "dropped", "dropped", "dropped", "pending"},
		plan.PolicyQueueFirst:  {"running", "pending", "dropped", "dropped", "dropped"},
		plan.PolicyDropNew:     {"running", "dropped", "dropped", "dropped", "dropped"},
	} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			w := b.worker(1)
			runs := b.five(b.lined("busy", 1, policy))
			b.settled()
			require.Equal(t, want, b.states(runs))
			for slices.ContainsFunc(b.states(runs), func(s string) bool { return s == "running" || s == "pending" }) {
				w.report(0, ended(w.await(), engine.OutcomeSucceeded))
			}
			b.orderly()
			require.Zero(t, b.count("admission"))
		})
	}
}

func TestTheNewestRunTakesThePlaceOfTheOldest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	c := b.lined("busy", 1, plan.PolicyCancel)
	first := b.start(c)
	l := w.await()
	rest := b.five(c)
	eventually(t, "the first is to stop", func() bool { return b.state(first) == "canceling" })
	eventually(t, "those between are canceled", func() bool {
		return slices.Equal(b.states(rest), []string{"canceled", "canceled", "canceled", "canceled", "pending"})
	})
	require.Contains(t, b.reason(rest[0]), "superseded by run "+id.Format(id.Run, rest[1]))
	w.report(0, ended(l, engine.OutcomeCanceled))
	l = w.await()
	require.Equal(t, rest[4], l.Run)
	w.report(0, ended(l, engine.OutcomeSucceeded))
	b.orderly()
	require.Equal(t, "canceled", b.state(first))
	require.Equal(t, "succeeded", b.state(rest[4]))
}

func TestAFailedRunHoldsAStrictLineUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	c := b.lined("busy", 1, plan.PolicyStrict)
	runs := []id.UUID{b.start(c), b.start(c), b.start(c)}
	w.report(0, ended(w.await(), engine.OutcomeFailed))
	b.orderly()
	late := b.start(c)
	require.Equal(t, engine.HoldBlocked, b.reason(late))
	require.Equal(t, []string{"failed", "pending", "pending"}, b.states(runs))

	// A retry with success lets the next one go.
	require.NoError(t, b.a.RetryRun(t.Context(), advance.RetryRun{RunKey: advance.RunKey{Org: b.org, Run: runs[0]}, Actor: "test"}))
	w.report(0, ended(w.await(), engine.OutcomeSucceeded))
	l := w.await()
	require.Equal(t, runs[1], l.Run)

	// So does somebody's word.
	w.report(0, ended(l, engine.OutcomeFailed))
	b.orderly()
	require.Equal(t, "pending", b.state(runs[2]))
	for range 2 {
		require.NoError(t, b.a.UnblockLine(t.Context(), advance.UnblockLine{Org: b.org, Pipeline: c.Pipeline}))
	}
	for _, run := range []id.UUID{runs[2], late} {
		l := w.await()
		require.Equal(t, run, l.Run)
		w.report(0, ended(l, engine.OutcomeSucceeded))
	}
	b.orderly()
	require.Zero(t, b.count("admission"))
}

// A run that has ended does not come back beside those that go on.
func TestARetryNeedsItsPlace(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	c := b.lined("busy", 1, "")
	first := b.start(c)
	w.report(0, ended(w.await(), engine.OutcomeFailed))
	second := b.start(c)
	eventually(t, "the second goes on", func() bool { return b.state(second) == "running" })
	retry := advance.RetryRun{RunKey: advance.RunKey{Org: b.org, Run: first}, Actor: "test"}
	requireReason(t, b.a.RetryRun(t.Context(), retry), "CONCURRENCY_LIMIT")
	w.report(0, ended(w.await(), engine.OutcomeSucceeded))
	eventually(t, "its place is free", func() bool { return b.a.RetryRun(t.Context(), retry) == nil })
	third := b.start(c)
	require.Equal(t, "pending", b.state(third))
	w.report(0, ended(w.await(), engine.OutcomeSucceeded))
	require.Equal(t, third, w.await().Run)
}

func TestAWaitingRunIsCanceled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	runs := b.five(b.lined("busy", 1, ""))
	require.NoError(t, b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: advance.RunKey{Org: b.org, Run: runs[1]}, Actor: "test"}))
	b.orderly()
	w.report(0, ended(w.await(), engine.OutcomeSucceeded))
	require.Equal(t, runs[2], w.await().Run)
}

// What a replica wrote and did not live to serve is found by whoever ticks.
func TestAWakeOutlivesItsReplica(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.lined("busy", 1, "")
	runs := b.five(c)
	b.exec(`UPDATE run SET finished_at = now(), state = 'succeeded' WHERE id = @run`, pgx.NamedArgs{"run": runs[0]})
	lost := advance.Wake{Org: b.org, ID: id.New(), Kind: advance.WakeRelease, Run: runs[0], Pipeline: c.Pipeline}
	require.NoError(t, b.a.Wake(t.Context(), lost), "its row is not there")
	require.Equal(t, "pending", b.state(runs[1]))
	b.exec(`INSERT INTO wake (org_id, id, at, kind, run_id, pipeline_id, key) VALUES (@org, @id, now(), 'release', @run, @pipeline, '')`,
		pgx.NamedArgs{"org": b.org, "id": lost.ID, "run": runs[0], "pipeline": c.Pipeline})
	for range 2 {
		require.NoError(t, b.a.Wake(t.Context(), lost))
	}
	eventually(t, "the next one goes on", func() bool { return b.state(runs[1]) == "running" })
	require.Equal(t, "pending", b.state(runs[2]), "one alone")
}

func TestARunStartsLater(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.ticker()
	w := b.worker(1)
	c := b.deploy(chain("later", 1))
	c.At = time.Now().Add(3 * time.Second)
	run := b.start(c)
	require.Equal(t, "pending", b.state(run))
	require.Equal(t, engine.HoldStartAt, b.reason(run))
	l := w.await()
	require.Equal(t, run, l.Run)
	require.False(t, time.Now().Before(c.At))
	c.At = time.Now().Add(time.Hour)
	second := b.start(c)
	require.NoError(t, b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: advance.RunKey{Org: b.org, Run: second}, Actor: "test"}))
	require.Equal(t, "canceled", b.state(second))
}

func TestAPausedPipelineStartsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	for _, c := range []advance.StartRun{b.deploy(chain("plain", 1)), b.lined("busy", 1, "")} {
		b.exec(`UPDATE pipeline SET paused = true WHERE id = @id`, pgx.NamedArgs{"id": c.Pipeline})
		first, second := b.start(c), b.start(c)
		require.Equal(t, engine.HoldPaused, b.reason(first))
		require.NoError(t, b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: advance.RunKey{Org: b.org, Run: first}, Actor: "test"}))
		b.settled()
		require.Equal(t, []string{"canceled", "pending"}, b.states([]id.UUID{first, second}))
		require.Equal(t, 1, b.count("admission"))
		resume := advance.Wake{Org: b.org, ID: id.New(), Kind: advance.WakeResume, Pipeline: c.Pipeline}
		b.exec(`UPDATE pipeline SET paused = false WHERE id = @id`, pgx.NamedArgs{"id": c.Pipeline})
		b.exec(`INSERT INTO wake (org_id, id, at, kind, pipeline_id) VALUES (@org, @id, now(), 'resume', @pipeline)`,
			pgx.NamedArgs{"org": b.org, "id": resume.ID, "pipeline": c.Pipeline})
		require.NoError(t, b.a.Wake(t.Context(), resume))
		l := w.await()
		require.Equal(t, second, l.Run)
		w.report(0, ended(l, engine.OutcomeSucceeded))
		b.orderly()
		require.Zero(t, b.count("admission"))
	}
}

// A run whose time comes, and that is canceled in the same batch, does not wait
// for its pipeline any more.
func TestARunIsCanceledAsItArrives(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.deploy(chain("later", 1))
	c.At = time.Now().Add(time.Hour)
	run := b.start(c)
	b.exec(`UPDATE pipeline SET paused = true WHERE id = @id`, pgx.NamedArgs{"id": c.Pipeline})
	arrive := advance.Wake{Org: b.org, Kind: advance.WakeArrive, Run: run, Pipeline: c.Pipeline}
	arrive.ID = queryOne[id.UUID](b, `SELECT id FROM wake WHERE run_id = @run`, pgx.NamedArgs{"run": run})
	var served, canceled error
	b.together(
		func() { served = b.a.Wake(context.Background(), arrive) },
		func() {
			canceled = b.a.CancelRun(context.Background(), advance.CancelRun{RunKey: b.key(run), Actor: "test"})
		},
	)
	require.NoError(t, served)
	require.NoError(t, canceled)
	require.Equal(t, "canceled", b.state(run))
	require.Zero(t, b.count("admission"))
	b.orderly()
}

// ticker serves timers and wakes that nobody served.
func (b *bundle) ticker() {
	b.t.Helper()
	t := timer.New(b.db.Engine, b.a, slog.New(slog.DiscardHandler))
	require.NoError(b.t, t.Start(b.t.Context()))
	b.t.Cleanup(t.Stop)
}

func requireReason(t *testing.T, err error, want fault.Reason) {
	t.Helper()
	require.Equal(t, want, fault.ReasonOf(err), "%v", err)
}
