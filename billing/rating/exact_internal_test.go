package rating

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func drawPrice(t *rapid.T) *Price {
	p := &Price{Meter: "drawn", Per: rapid.Int64Range(1, 3_600_000).Draw(t, "per")}
	from := rapid.Int64Range(0, 1e6).Draw(t, "included")
	for range rapid.IntRange(1, 5).Draw(t, "tiers") {
		p.Tiers = append(p.Tiers, Tier{From: from, Nano: NanoUSD(rapid.Int64Range(0, 1e12).Draw(t, "price"))})
		from += rapid.Int64Range(1, 1e6).Draw(t, "step")
	}
	return p
}

// TestTheTierWalkIsAdditive: what is used in several steps costs exactly what
// it costs at once.
func TestTheTierWalkIsAdditive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPrice(t)
		sum, at := new(big.Int), int64(0)
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			next := at + rapid.Int64Range(0, 2e6).Draw(t, "used")
			sum.Add(sum, p.between(at, next).nano)
			at = next
		}
		require.Zero(t, sum.Cmp(p.between(0, at).nano))
	})
}

// TestTheTierWalkIsThatOfEachUnit compares with the definition: every unit
// costs what its own tier says.
func TestTheTierWalkIsThatOfEachUnit(t *testing.T) {
	t.Parallel()
	p := &Price{Per: 1, Tiers: []Tier{{From: 3, Nano: 10}, {From: 5, Nano: 4}, {From: 9, Nano: 0}, {From: 11, Nano: 7}}}
	var sum int64
	for n := range int64(20) {
		require.Equal(t, sum, p.between(0, n).nano.Int64(), "%d units", n)
		switch {
		case n >= 11:
			sum += 7
		case n >= 9:
		case n >= 5:
			sum += 4
		case n >= 3:
			sum += 10
		}
	}
}

func TestHalfEven(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ a, b, want int64 }{
		{0, 10, 0},
		{4, 10, 0},
		{5, 10, 0},
		{6, 10, 1},
		{14, 10, 1},
		{15, 10, 2},
		{25, 10, 2},
		{35, 10, 4},
		{-5, 10, 0},
		{-6, 10, -1},
		{-15, 10, -2},
		{-25, 10, -2},
		{7, 3, 2},
		{8, 3, 3},
		{math.MaxInt64, 2, 4611686018427387904}, // …903.5
	} {
		require.Equal(t, c.want, halfEven(big.NewInt(c.a), big.NewInt(c.b)).Int64(), "%d / %d", c.a, c.b)
	}
}

func TestAmountsThatDoNotFitAreRefused(t *testing.T) {
	t.Parallel()
	p := &Price{Per: 1, Tiers: []Tier{{From: 0, Nano: 20_000_000}}}
	nano, cents, err := p.between(0, math.MaxInt64/20_000_000).round()
	require.NoError(t, err)
	require.Positive(t, nano)
	require.EqualValues(t, 922_337_203_684, cents)
	_, _, err = p.between(0, math.MaxInt64).round()
	require.ErrorIs(t, err, ErrTooLarge)
}
