package billingdb_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/billing/rating"
	"github.com/signalboxhq/signalbox/billing/usage"
	"github.com/signalboxhq/signalbox/proto/id"
)

// november is a month of 30 days in which the worked example plays.
var november = rating.MonthOf(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))

// used inserts usage by hand, for quantities that no test can wait for.
func (b *bundle) used(meter usage.Meter, quantity int64, hour, recorded time.Time) (row int64) {
	b.t.Helper()
	args := b.args(pgx.NamedArgs{"meter": meter, "id": id.New(), "hour": hour, "quantity": quantity, "at": recorded})
	require.NoError(b.t, b.db.Engine.QueryRow(b.t.Context(), `
		INSERT INTO usage (org_id, meter, workspace_id, pool_id, pipeline_id, label_set_id, hour, quantity, recorded_at)
		VALUES (@org, @meter, @id, @id, @id, 1, @hour, @quantity, @at) RETURNING id`, args).Scan(&row))
	return row
}

// subscribed replaces the organization's subscriptions: free, then team from a
// moment on.
func (b *bundle) subscribed(free, team time.Time) {
	b.t.Helper()
	b.plant(`DELETE FROM subscription`, nil)
	b.exec(`INSERT INTO subscription (org_id, plan, price_book, starts_at, ends_at) VALUES (@org, 'free', 1, @free, @team), (@org, 'team', 1, @team, NULL)`,
		pgx.NamedArgs{"free": free, "team": team})
}

func (b *bundle) preview(month rating.Period) (cents map[string]int64, total int64) {
	b.t.Helper()
	got, err := b.store.Preview(b.t.Context(), b.caller(), month)
	require.NoError(b.t, err)
	cents = map[string]int64{}
	for _, l := range got.Lines {
		cents[l.ID] = l.Cents
	}
	return cents, got.Cents
}

// TestTheWorkedExampleFromTheTables is that of billing/rating, read from rows:
// an upgrade at day 10.5.
func TestTheWorkedExampleFromTheTables(t *testing.T) {
	t.Parallel()
	b := setup(t)
	upgrade := november.Start.Add(10*24*time.Hour + 12*time.Hour + 30*time.Minute)
	b.subscribed(november.Start.AddDate(-1, 0, 0), upgrade)
	hour := upgrade.Truncate(time.Hour)
	b.used(usage.MeterRuns, 400, november.Start, november.Start)
	b.used(usage.MeterRuns, 80, hour, upgrade.Add(-time.Microsecond)) // in the upgrade's very hour
	b.used(usage.MeterRuns, 1_500, hour, upgrade)
	b.used(usage.MeterTaskMS, 130_000*60_000, november.End.Add(-time.Hour), november.End.Add(2*time.Hour)) // reported late
	b.used(usage.MeterTaskMS, 1<<40, november.End, november.End)                                           // the next month's

	got, err := b.store.Preview(t.Context(), b.caller(), november)
	require.NoError(t, err)
	require.Equal(t, "team", got.Plan)
	require.EqualValues(t, 1, got.Book)
	require.Len(t, got.Lines, 10)
	require.EqualValues(t, 480, got.Lines[1].Quantity)
	require.EqualValues(t, 1_500, got.Lines[6].Quantity)
	cents, total := b.preview(november)
	// 99 × (19.5 days − 30 minutes) / 30 days.
	require.EqualValues(t, 64_28, cents["base.2"])
	require.EqualValues(t, 10_00, cents["runs.2"])
	require.EqualValues(t, 12_00, cents["task_ms.2"])
	require.EqualValues(t, 86_28, total)
	require.Equal(t, total, got.Cents)
}

// TestTheOpenMonthHasItsWholeFee: the preview is the invoice as it would be if
// nothing more were used.
func TestTheOpenMonthHasItsWholeFee(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.subscribed(b.month.Start.AddDate(-1, 0, 0), b.month.Start)
	b.history()
	got, err := b.store.Preview(t.Context(), b.caller(), b.month)
	require.NoError(t, err)
	require.Len(t, got.Lines, 5)
	require.EqualValues(t, 99_00, got.Cents)
	totals := map[usage.Meter]int64{}
	for _, l := range got.Lines[1:] {
		totals[l.Meter] = l.Quantity
	}
	require.Equal(t, map[usage.Meter]int64{
		usage.MeterRuns: 4, usage.MeterTaskAttempts: 6, usage.MeterTaskMS: 124_511, usage.MeterGPUMS: 127_014,
	}, totals)
}

func TestACorrectionFollowsWhatItReverses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	upgrade := november.Start.Add(72*time.Hour + 30*time.Minute)
	b.subscribed(november.Start.AddDate(-1, 0, 0), upgrade)
	row := b.used(usage.MeterRuns, 300, upgrade.Truncate(time.Hour), upgrade.Add(-time.Minute))
	b.exec(`INSERT INTO usage (org_id, meter, workspace_id, pool_id, pipeline_id, label_set_id, hour, quantity, kind, reverses, recorded_at)
		SELECT org_id, meter, workspace_id, pool_id, pipeline_id, label_set_id, hour, -200, 'correction', id, hour + interval '40 days' FROM usage WHERE id = @row`,
		pgx.NamedArgs{"row": row})
	got, err := b.store.Preview(t.Context(), b.caller(), november)
	require.NoError(t, err)
	require.EqualValues(t, 100, got.Lines[1].Quantity)
	require.Equal(t, "Runs, no charge (Free)", got.Lines[1].Text)
}

func TestUsageFromBeforeTheFirstSubscriptionIsRatedByIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.subscribed(november.Start.Add(24*time.Hour), november.Start.Add(48*time.Hour))
	b.used(usage.MeterRuns, 3, november.Start, november.Start)
	got, err := b.store.Preview(t.Context(), b.caller(), november)
	require.NoError(t, err)
	require.EqualValues(t, 3, got.Lines[1].Quantity)

	b.plant(`DELETE FROM subscription`, nil)
	_, err = b.store.Preview(t.Context(), b.caller(), november)
	require.ErrorContains(t, err, "without a subscription")
}

func TestAMonthBeforeTheFoundingIsEmpty(t *testing.T) {
	t.Parallel()
	b := setup(t)
	cents, total := b.preview(rating.MonthOf(b.month.Start.AddDate(0, -2, 0)))
	require.Empty(t, cents)
	require.Zero(t, total)
}
