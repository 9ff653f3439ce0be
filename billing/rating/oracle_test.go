package rating_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/billing/rating"
	"github.com/signalboxhq/signalbox/billing/usage"
)

// TestTheWorkedExample is that of the design: an organization goes from Free to
// Team at day 10.5 of a month of 30 days.
func TestTheWorkedExample(t *testing.T) {
	t.Parallel()
	change := november.Start.Add(10*24*time.Hour + 12*time.Hour)
	parts := []rating.Part{
		{
			Period: rating.Period{Start: november.Start, End: change}, Card: freeCard(),
			Used: map[usage.Meter]int64{usage.MeterRuns: 480, usage.MeterTaskMS: 4_900 * minute},
		},
		{
			Period: rating.Period{Start: change, End: november.End}, Card: teamCard(),
			Used: map[usage.Meter]int64{usage.MeterRuns: 1_500, usage.MeterTaskMS: 130_000 * minute, usage.MeterTaskAttempts: 9, usage.MeterGPUMS: hour},
		},
	}
	lines, err := rating.Rate(november, parts)
	require.NoError(t, err)
	require.Equal(t, []rating.Line{
		{ID: "base", Text: "Free plan until 2026-11-11 12:00 UTC"},
		{ID: "runs", Meter: "runs", Text: "Runs, no charge (Free)", Quantity: 480, Included: 500},
		{ID: "task_ms", Meter: "task_ms", Text: "Task-minutes, no charge (Free)", Quantity: 4_900 * minute, Included: 5_000 * minute},
		{ID: "task_attempts", Meter: "task_attempts", Text: "Task attempts, no charge (Free)"},
		{ID: "gpu_ms", Meter: "gpu_ms", Text: "GPU-hours, no charge (Free)"},
		{ID: "base.2", Text: "Team plan from 2026-11-11 12:00 UTC", Unit: 99_000_000_000, Amount: 64_350_000_000, Cents: 64_35},
		{ID: "runs.2", Meter: "runs", Text: "Runs at $0.02 (Team)", Quantity: 1_500, Included: 1_000, Unit: 20_000_000, Amount: 10_000_000_000, Cents: 10_00},
		{
			ID: "task_ms.2", Meter: "task_ms", Text: "Task-minutes at $0.0004 (Team)", Quantity: 130_000 * minute, Included: 100_000 * minute,
			Unit: 400_000, Amount: 12_000_000_000, Cents: 12_00,
		},
		{ID: "task_attempts.2", Meter: "task_attempts", Text: "Task attempts, no charge (Team)", Quantity: 9},
		{ID: "gpu_ms.2", Meter: "gpu_ms", Text: "GPU-hours, no charge (Team)", Quantity: hour},
	}, lines)
	// The example's grant of $20 is not of this release: $66.35 with it.
	require.EqualValues(t, 86_35, rating.Total(lines))
}

// TestALateTaskCostsNothingYetIsListed is the example's last line: one task of
// 61 s beyond what is included.
func TestALateTaskCostsNothingYetIsListed(t *testing.T) {
	t.Parallel()
	card := teamCard()
	card.Base = 0
	card.Prices[1].Tiers[0].From = 0
	lines, err := rating.Rate(november, whole(card, map[usage.Meter]int64{usage.MeterTaskMS: 61_000}))
	require.NoError(t, err)
	require.EqualValues(t, 406_667, line(lines, "task_ms").Amount)
	require.Zero(t, line(lines, "task_ms").Cents)
	require.Zero(t, rating.Total(lines))
}

func TestPlansOfVersionOne(t *testing.T) {
	t.Parallel()
	type used = map[usage.Meter]int64
	for name, c := range map[string]struct {
		card   rating.Card
		used   used
		cents  int64
		id     string
		text   string
		unit   rating.NanoUSD
		amount rating.NanoUSD
	}{
		"free, beyond what is included": {freeCard(), used{usage.MeterRuns: 600}, 0, "runs", "Runs, no charge", 0, 0},
		"team, nothing used":            {teamCard(), nil, 99_00, "task_ms", "Task-minutes at $0.0004", 400_000, 0},
		"team, the last included run":   {teamCard(), used{usage.MeterRuns: 1_000}, 99_00, "runs", "Runs at $0.02", 20_000_000, 0},
		"team, the next run":            {teamCard(), used{usage.MeterRuns: 1_001}, 99_02, "runs", "Runs at $0.02", 20_000_000, 20_000_000},
		"business, first tier": {
			businessCard(),
			used{usage.MeterTaskMS: 10_000_000 * minute},
			499_00 + 2_700_00,
			"task_ms", "Task-minutes at $0.0003, from 10,000,000 $0.0002", 300_000, 2_700_000_000_000,
		},
		"business, both tiers": {
			businessCard(),
			used{usage.MeterTaskMS: 11_000_000 * minute},
			499_00 + 2_900_00,
			"task_ms", "Task-minutes at $0.0003, from 10,000,000 $0.0002", 0, 2_900_000_000_000,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines, err := rating.Rate(november, whole(c.card, c.used))
			require.NoError(t, err)
			require.Equal(t, c.cents, rating.Total(lines))
			l := line(lines, c.id)
			require.Equal(t, c.text, l.Text)
			require.Equal(t, c.unit, l.Unit)
			require.Equal(t, c.amount, l.Amount)
		})
	}
}

// TestLinesAreRoundedHalfToEvenOnce uses a run that costs half a cent.
func TestLinesAreRoundedHalfToEvenOnce(t *testing.T) {
	t.Parallel()
	card := teamCard()
	card.Base = 0
	card.Prices[0].Tiers = []rating.Tier{{From: 0, Nano: 5_000_000}}
	for used, cents := range map[int64]int64{0: 0, 1: 0, 2: 1, 3: 2, 4: 2, 5: 2, 6: 3, 7: 4} {
		lines, err := rating.Rate(november, whole(card, map[usage.Meter]int64{usage.MeterRuns: used}))
		require.NoError(t, err)
		require.Equal(t, cents, rating.Total(lines), "%d runs", used)
	}
}
