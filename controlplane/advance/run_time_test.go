package advance_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func TestALimitFollowsFromWhatEarlierRunsTook(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	p := &plan.Plan{Name: "auto", Tasks: []plan.Task{{Name: "a", Timeouts: plan.Timeouts{RunAutoMilli: 1500}}, {Name: "b", Needs: []int{0}}}}
	start := b.deploy(p)
	next := func() plan.Millis {
		b.start(start)
		l := w.await()
		require.Equal(t, "a", l.Task)
		limit := l.RunLimit
		l = w.report(1, ended(l, engine.OutcomeSucceeded)).Leases[0]
		require.Equal(t, "b", l.Task)
		require.Zero(t, l.RunLimit, "it asks for none")
		w.report(0, ended(l, engine.OutcomeSucceeded))
		return limit
	}
	for range 2 {
		require.Zero(t, next(), "too few have succeeded")
	}
	b.start(start)
	w.report(0, ended(w.await(), engine.OutcomeFailed))
	for range 3 {
		require.Zero(t, next(), "a failure does not count")
	}
	require.Equal(t, plan.Millis(1000), next(), "a second is the least")
	eventually(t, "six are remembered", func() bool { return queryOne[int](b, `SELECT cardinality(took) FROM run_time`, nil) == 6 })
	require.Equal(t, 1, b.count("run_time"))

	// What was learned is the other replicas' too, and outlives this one.
	remember := func(took string) { b.exec(`UPDATE run_time SET took = @took::bigint[]`, pgx.NamedArgs{"took": took}) }
	remember("{9000,2000,1000,4000,3000}")
	w.a = b.replica()
	b.start(start)
	l := w.await()
	require.Equal(t, plan.Millis(4500), l.RunLimit)

	// A lease that its agent does not list is sent again, with its limit.
	b.exec(`UPDATE lease SET granted_at = granted_at - interval '1 minute'`, nil)
	again := w.poll(0, 0).Leases
	require.Len(t, again, 1)
	require.Equal(t, l.RunLimit, again[0].RunLimit)
	l = w.report(1, ended(l, engine.OutcomeSucceeded)).Leases[0]
	w.report(0, ended(l, engine.OutcomeSucceeded))

	remember("{9000,2000,1000,5000,3000,4000}")
	require.Equal(t, plan.Millis(5250), next(), "between the two in the middle")

	// Only the newest count.
	for range 20 {
		next()
	}
	require.Equal(t, plan.Millis(1000), next())
	require.Equal(t, 15, queryOne[int](b, `SELECT cardinality(took) FROM run_time`, nil))
}

func TestAScheduledRunsStepsKnowItsTime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	start := b.deploy(&plan.Plan{Name: "nightly", Tasks: []plan.Task{{Name: "a"}}})
	fire := advance.Fire{Nominal: time.Date(2026, 7, 1, 2, 0, 0, 0, time.UTC), IntervalStart: time.Date(2026, 6, 30, 2, 0, 0, 0, time.UTC)}
	start.Fire = &fire
	run := b.start(start)
	l := w.await()
	require.Equal(t, &fire, l.Fire)

	// Also by a replica that did not start it.
	w.a = b.replica()
	b.exec(`UPDATE lease SET granted_at = granted_at - interval '1 minute'`, nil)
	require.Equal(t, &fire, w.poll(0, 0).Leases[0].Fire)
	w.report(0, ended(l, engine.OutcomeFailed))
	require.NoError(t, w.a.RetryRun(t.Context(), advance.RetryRun{RunKey: b.key(run)}))
	require.Equal(t, &fire, w.await().Fire)
}
