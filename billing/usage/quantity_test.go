package usage_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/billing/usage"
	"github.com/signalboxhq/signalbox/proto/id"
)

var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

// measured is what Measure says, without the keys that are the same.
func measured(a usage.Attempt) map[usage.Meter]int64 {
	out := map[usage.Meter]int64{}
	for _, q := range usage.Measure(a) {
		out[q.Meter] = q.Value
	}
	return out
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	ran := usage.Attempt{Started: noon, Finished: noon.Add(61_234 * time.Millisecond), Billable: true}
	type want = map[usage.Meter]int64
	for name, c := range map[string]struct {
		change func(a *usage.Attempt)
		want   want
	}{
		"an attempt":      {func(*usage.Attempt) {}, want{"task_attempts": 1, "task_ms": 61_234}},
		"with GPUs":       {func(a *usage.Attempt) { a.GPUs = 8 }, want{"task_attempts": 1, "task_ms": 61_234, "gpu_ms": 489_872}},
		"the run's first": {func(a *usage.Attempt) { a.FirstOfRun = true }, want{"runs": 1, "task_attempts": 1, "task_ms": 61_234}},
		"not billable":    {func(a *usage.Attempt) { a.Billable, a.GPUs = false, 8 }, want{}},
		"first, but lost": {func(a *usage.Attempt) { a.Billable, a.FirstOfRun = false, true }, want{"runs": 1}},
		"never started":   {func(a *usage.Attempt) { a.Started, a.FirstOfRun = time.Time{}, true }, want{}},
		"clocks crossed":  {func(a *usage.Attempt) { a.Finished = noon.Add(-time.Second) }, want{"task_attempts": 1}},
		"below 1 ms":      {func(a *usage.Attempt) { a.Finished = noon.Add(999 * time.Microsecond) }, want{"task_attempts": 1}},
	} {
		a := ran
		c.change(&a)
		require.Equal(t, c.want, measured(a), name)
	}
}

// An attempt counts in the hour it ended in, the run in the one it began in,
// whenever the report came.
func TestHours(t *testing.T) {
	t.Parallel()
	berlin := time.FixedZone("CET", 3600)
	a := usage.Attempt{
		Started: noon.Add(-time.Minute).In(berlin), Finished: noon.Add(time.Minute).In(berlin),
		Recorded: noon.Add(5 * time.Hour), Billable: true, FirstOfRun: true,
	}
	hours := map[usage.Meter]time.Time{}
	for _, q := range usage.Measure(a) {
		hours[q.Meter] = q.Hour
	}
	require.Equal(t, map[usage.Meter]time.Time{
		usage.MeterRuns: noon.Add(-time.Hour), usage.MeterTaskAttempts: noon, usage.MeterTaskMS: noon,
	}, hours)
	a.Finished, a.FirstOfRun = time.Time{}, false
	require.Equal(t, noon.Add(5*time.Hour), usage.Measure(a)[0].Hour)
}

func TestBillable(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[string]bool{
		"succeeded": true, "failed": true, "timed_out": true, "canceled": true, "preempted": true, "skipped": true,
		"suspended": true, "lost": false, "rejected": false, "refused": false, "": false, "cached": false,
	} {
		require.Equal(t, want, usage.Billable(outcome, true), outcome)
		require.False(t, usage.Billable(outcome, false), outcome)
	}
}

func drawAttempt(t *rapid.T) usage.Attempt {
	draw := func(what string, most int) int { return rapid.IntRange(0, most).Draw(t, what) }
	a := usage.Attempt{
		Org: id.UUID{byte(draw("org", 1))}, Workspace: id.UUID{byte(draw("workspace", 1))},
		Pool: id.UUID{byte(draw("pool", 1))}, Pipeline: id.UUID{byte(draw("pipeline", 1))},
		LabelSet: int64(draw("labels", 1)), GPUs: int32(draw("gpus", 2)),
		Billable: draw("billable", 3) > 0, FirstOfRun: draw("first", 3) == 0,
		Started: noon.Add(time.Duration(draw("start", 7_200_000)) * time.Millisecond),
	}
	a.Finished = a.Started.Add(time.Duration(draw("lasts", 7_200_000)) * time.Millisecond)
	a.Recorded = a.Finished.Add(time.Second)
	return a
}

// However the attempts are cut into batches and in whatever order they come, the
// sums of the batches add up to the attempts.
func TestSumOfWindowsIsSumOfAttempts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		attempts := rapid.SliceOfN(rapid.Custom(drawAttempt), 0, 30).Draw(t, "attempts")

		stored := map[usage.Key]int64{}
		rest := rapid.Permutation(attempts).Draw(t, "order")
		for len(rest) > 0 {
			n := rapid.IntRange(1, len(rest)).Draw(t, "batch")
			for _, q := range usage.Sum(rest[:n]) {
				stored[q.Key] += q.Value
			}
			rest = rest[n:]
		}
		whole := usage.Sum(attempts)
		require.Len(t, whole, len(stored))
		totals := map[usage.Meter]int64{}
		for _, q := range whole {
			require.Equal(t, stored[q.Key], q.Value)
			require.Positive(t, q.Value)
			require.Zero(t, q.Hour.Sub(q.Hour.Truncate(time.Hour)))
			totals[q.Meter] += q.Value
		}

		want := map[usage.Meter]int64{}
		for _, a := range attempts {
			if a.FirstOfRun {
				want[usage.MeterRuns]++
			}
			if a.Billable {
				ms := a.Finished.Sub(a.Started).Milliseconds()
				want[usage.MeterTaskAttempts]++
				want[usage.MeterTaskMS] += ms
				want[usage.MeterGPUMS] += ms * int64(a.GPUs)
			}
		}
		for _, m := range usage.Meters() {
			require.Equal(t, want[m], totals[m], m)
		}
	})
}

// The rows of a batch come in one order, whatever the order of its attempts.
func TestSumIsOrdered(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		attempts := rapid.SliceOfN(rapid.Custom(drawAttempt), 0, 20).Draw(t, "attempts")
		want := usage.Sum(attempts)
		slices.Reverse(attempts)
		require.Equal(t, want, usage.Sum(attempts))
	})
}
