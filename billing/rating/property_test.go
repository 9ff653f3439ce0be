package rating_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/billing/rating"
	"github.com/signalboxhq/signalbox/billing/usage"
)

func drawCard(t *rapid.T) rating.Card {
	card := rating.Card{Plan: "drawn", Title: "Drawn", Base: rating.NanoUSD(rapid.Int64Range(0, 1e13).Draw(t, "base"))}
	for _, m := range usage.Meters() {
		p := rating.Price{Meter: m, Per: rapid.SampledFrom([]int64{1, 7, minute, hour}).Draw(t, "per")}
		from := rapid.Int64Range(0, 1e9).Draw(t, "included")
		for range rapid.IntRange(1, 4).Draw(t, "tiers") {
			p.Tiers = append(p.Tiers, rating.Tier{From: from, Nano: rating.NanoUSD(rapid.Int64Range(0, 1e8).Draw(t, "price"))})
			from += rapid.Int64Range(1, 1e10).Draw(t, "step")
		}
		card.Prices = append(card.Prices, p)
	}
	return card
}

func drawUsed(t *rapid.T) map[usage.Meter]int64 {
	used := map[usage.Meter]int64{}
	for _, m := range usage.Meters() {
		used[m] = rapid.Int64Range(0, 1e10).Draw(t, "used")
	}
	return used
}

func mustRate(t *rapid.T, parts ...rating.Part) []rating.Line {
	lines, err := rating.Rate(november, parts)
	require.NoError(t, err)
	return lines
}

func TestMoreNeverCostsLess(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		card, used := drawCard(t), drawUsed(t)
		before := mustRate(t, whole(card, used)...)
		more := rapid.SampledFrom(usage.Meters()).Draw(t, "meter")
		used[more] += rapid.Int64Range(0, 1e10).Draw(t, "more")
		after := mustRate(t, whole(card, used)...)
		for i := range before {
			require.GreaterOrEqual(t, after[i].Amount, before[i].Amount)
			require.GreaterOrEqual(t, after[i].Cents, before[i].Cents)
			if before[i].Meter != more {
				require.Equal(t, before[i], after[i], "a meter costs what it costs alone")
			}
		}
	})
}

func TestTheTotalIsTheSumOfTheLines(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines := mustRate(t, whole(drawCard(t), drawUsed(t))...)
		require.Len(t, lines, 1+len(usage.Meters()))
		var cents int64
		seen := map[string]bool{}
		for _, l := range lines {
			cents += l.Cents
			require.False(t, seen[l.ID], "two lines are called %s", l.ID)
			seen[l.ID] = true
			const half = 5_000_000 // nano-dollars; and half of one, by which Amount itself was rounded
			require.InDelta(t, int64(l.Amount), l.Cents*10_000_000, half+1, "a line is rounded by half a cent at most")
		}
		require.Equal(t, cents, rating.Total(lines))
	})
}

// TestSharesOfAFeeAddUp: wherever a month is cut, the shares are the fee, up to
// the rounding of each.
func TestSharesOfAFeeAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		card := drawCard(t)
		length := november.End.Sub(november.Start)
		var parts []rating.Part
		from := november.Start
		for range rapid.IntRange(0, 4).Draw(t, "cuts") {
			to := from.Add(time.Duration(rapid.Int64Range(0, int64(length)/5).Draw(t, "share")))
			parts = append(parts, rating.Part{Period: rating.Period{Start: from, End: to}, Card: card})
			from = to
		}
		parts = append(parts, rating.Part{Period: rating.Period{Start: from, End: november.End}, Card: card})
		fee := line(mustRate(t, whole(card, nil)...), "base")
		require.InDelta(t, fee.Cents, rating.Total(mustRate(t, parts...)), float64(len(parts))/2+0.5)
	})
}
