package engine_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func TestBackoff(t *testing.T) {
	t.Parallel()
	const month = 30 * 24 * 3600 * 1000
	for name, c := range map[string]struct {
		retry plan.Retry
		want  []plan.Millis // for k = 1, 2, …
	}{
		"nothing":     {plan.Retry{}, []plan.Millis{0, 0}},
		"steps":       {plan.Retry{Steps: []plan.Millis{10, 60, 300}}, []plan.Millis{10, 60, 300, 300, 300}},
		"exponential": {plan.Retry{Base: 1000, FactorMilli: 2000, Cap: 5000}, []plan.Millis{1000, 2000, 4000, 5000, 5000}},
		"constant":    {plan.Retry{Base: 1000}, []plan.Millis{1000, 1000}},
		"broken":      {plan.Retry{Base: 10, FactorMilli: 1500}, []plan.Millis{10, 15, 22, 33}},
		"cap wins":    {plan.Retry{Base: 9000, FactorMilli: 2000, Cap: 5000}, []plan.Millis{5000}},
		"no overflow": {plan.Retry{Base: math.MaxInt64 / 2, FactorMilli: 100_000}, []plan.Millis{month, month}},
		"long step":   {plan.Retry{Steps: []plan.Millis{math.MaxInt64}}, []plan.Millis{month}},
	} {
		for i, want := range c.want {
			require.Equal(t, want, engine.Backoff(&c.retry, i+1), "%s, retry %d", name, i+1)
		}
	}
	grown := plan.Retry{Base: 1, FactorMilli: 100_000}
	require.EqualValues(t, month, engine.Backoff(&grown, math.MaxInt32))
}

func TestJitterStaysInItsRange(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := plan.Millis(rapid.Int64Range(0, 1<<40).Draw(t, "d"))
		u := rapid.Uint64().Draw(t, "u")
		require.Equal(t, d, engine.Jitter(d, plan.JitterNone, u))
		equal := engine.Jitter(d, plan.JitterEqual, u)
		require.GreaterOrEqual(t, equal, d/2)
		require.LessOrEqual(t, equal, d)
		full := engine.Jitter(d, plan.JitterFull, u)
		require.GreaterOrEqual(t, full, plan.Millis(0))
		require.LessOrEqual(t, full, d)
	})
	require.Equal(t, plan.Millis(500), engine.Jitter(1000, plan.JitterFull, 1<<63))
	require.Equal(t, plan.Millis(750), engine.Jitter(1000, plan.JitterEqual, 1<<63))
}

// The spread is part of what a journal can be checked by, so its bytes are
// pinned: sha256(run ‖ name ‖ attempt), first eight bytes.
func TestSpreadIsReproducible(t *testing.T) {
	t.Parallel()
	run := id.UUID{1, 2, 3}
	require.Equal(t, uint64(0xb588ff9e09940c75), engine.Spread(run, "train", 1))
	seen := map[uint64]bool{}
	for attempt := range int32(100) {
		for _, r := range []id.UUID{run, {9}} {
			seen[engine.Spread(r, "train", attempt)] = true
		}
	}
	require.Len(t, seen, 200)
}
