package measure_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/loadtest/measure"
)

func TestHistogram(t *testing.T) {
	t.Parallel()
	h := measure.NewHistogram()
	for i := range 1000 {
		h.Record(time.Duration(i+1) * time.Millisecond)
	}
	l := h.Latency()
	require.Equal(t, int64(1000), l.Count)
	require.InEpsilon(t, 500_000, l.P50, 0.002)
	require.InEpsilon(t, 990_000, l.P99, 0.002)
	require.InEpsilon(t, 999_000, l.P999, 0.002)
	require.InEpsilon(t, 1_000_000, l.Max, 0.002)
}

func TestHistogramDropsNothing(t *testing.T) {
	t.Parallel()
	h := measure.NewHistogram()
	h.Record(-time.Second)
	h.Record(24 * time.Hour)
	l := h.Latency()
	require.Equal(t, int64(2), l.Count)
	require.InEpsilon(t, (10 * time.Minute).Microseconds(), l.Max, 0.01)
}

func TestOwnCPUIsCounted(t *testing.T) {
	t.Parallel()
	before, _, err := measure.Alone(os.Getpid())
	require.NoError(t, err)
	for begin := time.Now(); time.Since(begin) < 50*time.Millisecond; {
		_ = begin
	}
	after, memory, err := measure.Alone(os.Getpid())
	require.NoError(t, err)
	require.Greater(t, after, before)
	require.Positive(t, memory)
	tree, _, err := measure.Tree(os.Getpid())
	require.NoError(t, err)
	require.GreaterOrEqual(t, tree, after)
	machine, err := measure.Machine()
	require.NoError(t, err)
	require.Greater(t, machine, after)
}

func TestCountersSinceBefore(t *testing.T) {
	t.Parallel()
	before := measure.Counters{
		Rows: map[string]measure.Rows{"run": {Inserted: 5, Updated: 7}, "lease": {Deleted: 1}}, Transactions: 10, Writes: 4, WAL: 100,
		Scans: map[string]int64{"run": 3},
	}
	after := measure.Counters{
		Rows: map[string]measure.Rows{"run": {Inserted: 6, Updated: 9, Hot: 2}, "lease": {Deleted: 1}, "journal": {Inserted: 3}}, Transactions: 30, Writes: 5, WAL: 164,
		Scans: map[string]int64{"run": 3, "lease": 2},
	}
	d := after.Less(before)
	require.Equal(t, measure.Counters{
		Rows: map[string]measure.Rows{"run": {Inserted: 1, Updated: 2, Hot: 2}, "journal": {Inserted: 3}}, Transactions: 20, Writes: 1, WAL: 64,
		Scans: map[string]int64{"lease": 2},
	}, d)
	require.Equal(t, int64(6), d.Written())
}
