package billingdb_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/billing/billingdb"
	"github.com/signalboxhq/signalbox/billing/rating"
	"github.com/signalboxhq/signalbox/billing/usage"
	"github.com/signalboxhq/signalbox/proto/id"
)

// runs reads all pages, of so many runs each.
func (b *bundle) runs(month rating.Period, meter usage.Meter, limit int) []billingdb.RunUsage {
	b.t.Helper()
	var all []billingdb.RunUsage
	q := billingdb.RunsQuery{Month: month, Meter: meter, Limit: limit}
	for {
		page, err := b.store.Runs(b.t.Context(), b.caller(), q)
		require.NoError(b.t, err)
		require.LessOrEqual(b.t, len(page), limit)
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		q.Before = page[len(page)-1].ID
	}
}

// TestALineOpensToItsRunsAndARunToItsAttempts: at each step the quantities add
// up to the one above.
func TestALineOpensToItsRunsAndARunToItsAttempts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.history()
	total, err := b.store.Usage(t.Context(), b.caller(), b.month, billingdb.Dimension{})
	require.NoError(t, err)
	for _, meter := range usage.Meters() {
		runs := b.runs(b.month, meter, 10)
		require.Equal(t, runs, b.runs(b.month, meter, 1), "pages of one")
		var sum int64
		for i, r := range runs {
			require.Positive(t, r.Quantity)
			sum += r.Quantity
			if i > 0 {
				require.Negative(t, id.Compare(r.ID, runs[i-1].ID), "newest first")
			}
			b.requireAttempts(r, meter)
		}
		require.Equal(t, total.Totals[meter], sum, meter)
	}
}

func (b *bundle) requireAttempts(r billingdb.RunUsage, meter usage.Meter) {
	b.t.Helper()
	attempts, err := b.store.Attempts(b.t.Context(), b.caller(), r.ID, &b.month)
	require.NoError(b.t, err)
	sums := billingdb.Quantities{usage.MeterRuns: 1}
	for _, a := range attempts {
		sums[usage.MeterTaskAttempts]++
		sums[usage.MeterTaskMS] += a.TaskMS
		sums[usage.MeterGPUMS] += a.GPUMS
	}
	require.Equal(b.t, sums[meter], r.Quantity, meter)
}

func TestRunsAndAttemptsAreNamed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.history()
	runs := b.runs(b.month, usage.MeterTaskMS, 10)
	require.Len(t, runs, 3)
	require.Equal(t, []id.UUID{h.rejected, h.other, h.retried}, []id.UUID{runs[0].ID, runs[1].ID, runs[2].ID})
	r := runs[1]
	require.Equal(t, "digits", r.Pipeline)
	require.Equal(t, "research", r.Workspace)
	require.EqualValues(t, 1, r.Number)
	require.NotNil(t, r.StartedAt)

	attempts, err := b.store.Attempts(t.Context(), b.caller(), h.retried, nil)
	require.NoError(t, err)
	for i := range attempts {
		took := attempts[i].FinishedAt.Sub(attempts[i].StartedAt)
		require.Equal(t, attempts[i].TaskMS, took.Milliseconds())
		attempts[i].StartedAt, attempts[i].FinishedAt = time.Time{}, time.Time{}
	}
	require.Equal(t, []billingdb.AttemptUsage{
		{Task: "train", Attempt: 1, Outcome: "failed", TaskMS: 1_500, GPUMS: 3_000},
		{Task: "train", Attempt: 2, Outcome: "succeeded", TaskMS: 60_000, GPUMS: 120_000},
		{Task: "score", Attempt: 1, Outcome: "succeeded", TaskMS: 61_001},
	}, attempts)

	for run, what := range map[id.UUID]string{h.lost: "lost", h.canceled: "canceled"} {
		attempts, err := b.store.Attempts(t.Context(), b.caller(), run, nil)
		require.NoError(t, err)
		require.Empty(t, attempts, what)
	}
}

// TestARunOfTwoMonthsIsInBoth moves one attempt of a run that goes on to the
// month before, and the run's number with it.
func TestARunOfTwoMonthsIsInBoth(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.history()
	// As if it had begun a month ago: ids carry their time.
	old := id.NewAt(b.month.Start.AddDate(0, 0, -3), zeros{})
	args := pgx.NamedArgs{"run": h.retried, "old": old, "at": b.month.Start.AddDate(0, 0, -2)}
	b.plant(`UPDATE run SET id = @old WHERE id = @run`, args)
	b.plant(`UPDATE journal SET run_id = @old WHERE run_id = @run`, args)
	b.plant(`UPDATE journal SET started = @at::timestamptz, finished = @at::timestamptz + interval '1500 ms' WHERE run_id = @old AND attempt = 1 AND path = 'train'`, args)
	before := rating.MonthOf(b.month.Start.Add(-time.Hour))

	quantity := func(month rating.Period, meter usage.Meter) int64 {
		var found int64
		for _, r := range b.runs(month, meter, 1) {
			if r.ID == old {
				found += r.Quantity
			}
		}
		return found
	}
	for _, state := range []string{"ended", "open"} {
		require.EqualValues(t, 1, quantity(before, usage.MeterRuns), state)
		require.EqualValues(t, 0, quantity(b.month, usage.MeterRuns), state)
		require.EqualValues(t, 1_500, quantity(before, usage.MeterTaskMS), state)
		require.EqualValues(t, 121_001, quantity(b.month, usage.MeterTaskMS), state)
		require.EqualValues(t, 3_000, quantity(before, usage.MeterGPUMS), state)
		require.EqualValues(t, 120_000, quantity(b.month, usage.MeterGPUMS), state)
		b.plant(`UPDATE run SET finished_at = NULL, state = 'running' WHERE id = @old`, args)
	}
	attempts, err := b.store.Attempts(t.Context(), b.caller(), old, &before)
	require.NoError(t, err)
	require.Len(t, attempts, 1)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
