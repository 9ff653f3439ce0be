package rating_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/billing/rating"
	"github.com/signalboxhq/signalbox/billing/usage"
)

// What a run costs beyond what is included, whatever was used before it.
func TestBeyondWhatIsIncluded(t *testing.T) {
	t.Parallel()
	card := teamCard()
	nano, cents, err := card.Beyond(map[usage.Meter]int64{usage.MeterRuns: 1, usage.MeterTaskMS: minute + minute/2, usage.MeterTaskAttempts: 7})
	require.NoError(t, err)
	require.Equal(t, rating.NanoUSD(20_600_000), nano)
	require.Equal(t, int64(2), cents)
	free := freeCard()
	nano, cents, err = free.Beyond(map[usage.Meter]int64{usage.MeterRuns: 1_000_000})
	require.NoError(t, err)
	require.Zero(t, nano)
	require.Zero(t, cents)
}
