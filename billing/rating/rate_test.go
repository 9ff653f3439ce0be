package rating_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/billing/rating"
	"github.com/signalboxhq/signalbox/billing/usage"
)

func TestRateRefusesWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	change := november.Start.Add(time.Hour)
	period := func(from, to time.Time) rating.Period { return rating.Period{Start: from, End: to} }
	broken := func(change func(*rating.Card)) []rating.Part {
		card := teamCard()
		change(&card)
		return whole(card, nil)
	}
	for want, parts := range map[string][]rating.Part{
		"does not lie in month 2026-11":         {{Period: period(november.Start, november.End.Add(1)), Card: teamCard()}},
		"has ended":                             {{Period: november, Card: teamCard()}, {Period: period(change, november.End), Card: teamCard()}},
		"quantity of runs is negative":          whole(teamCard(), map[usage.Meter]int64{usage.MeterRuns: -1}),
		"the amount is too large":               whole(teamCard(), map[usage.Meter]int64{usage.MeterRuns: 1 << 62}),
		"base fee of plan team is negative":     broken(func(c *rating.Card) { c.Base = -1 }),
		"plan team has no price for gpu_ms":     broken(func(c *rating.Card) { c.Prices = c.Prices[:3] }),
		"plan team has two prices for runs":     broken(func(c *rating.Card) { c.Prices[1].Meter = usage.MeterRuns }),
		"runs: the price is quoted for 0 units": broken(func(c *rating.Card) { c.Prices[0].Per = 0 }),
		"runs: the first of 0 tiers":            broken(func(c *rating.Card) { c.Prices[0].Tiers = nil }),
		"runs: tier 1 has a negative price":     broken(func(c *rating.Card) { c.Prices[0].Tiers[0].Nano = -1 }),
		"tier 2 does not begin above":           broken(func(c *rating.Card) { c.Prices[0].Tiers = []rating.Tier{{From: 5}, {From: 5}} }),
	} {
		_, err := rating.Rate(november, parts)
		require.ErrorContains(t, err, want)
	}
	_, _, err := rating.Prorate(1, 1, 0)
	require.Error(t, err)
}

func TestNothingSubscribedIsNoInvoice(t *testing.T) {
	t.Parallel()
	lines, err := rating.Rate(november, nil)
	require.NoError(t, err)
	require.Empty(t, lines)
	require.Zero(t, rating.Total(lines))
}

func TestMonthsAreThoseOfUTC(t *testing.T) {
	t.Parallel()
	west := time.FixedZone("west", -8*3600)
	month := rating.MonthOf(time.Date(2026, 12, 31, 20, 0, 0, 0, west))
	require.Equal(t, "2027-01", month.String())
	require.Equal(t, time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC), month.End)
}

func TestPricesAreSpelledAsTheyAreQuoted(t *testing.T) {
	t.Parallel()
	for n, want := range map[rating.NanoUSD]string{
		0: "$0", 1: "$0.000000001", 400_000: "$0.0004", 20_000_000: "$0.02", 99_000_000_000: "$99", 100_000_000_000: "$100", -1_500_000_000: "-$1.5",
	} {
		require.Equal(t, want, n.String())
	}
}

// TestNoFloats reads the package's own source: money must not pass through a
// floating-point number, and quantities neither.
func TestNoFloats(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				require.NotContains(t, []string{"float32", "float64", "Float", "Float32", "Float64"}, n.Name, f.Name())
			case *ast.BasicLit:
				require.NotEqual(t, token.FLOAT, n.Kind, "%s: %s", f.Name(), n.Value)
			}
			return true
		})
	}
}
