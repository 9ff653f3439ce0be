package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/proto/plan"
)

func TestRuleColumnsExcludeEachOther(t *testing.T) {
	t.Parallel()
	const most = 5
	for r := range rules {
		for n := 1; n <= most; n++ {
			for s := range n + 1 {
				for f := range n - s + 1 {
					for k := range n - s - f + 1 {
						for u := range n - s - f - k + 1 {
							c := counts{n: n, s: s, f: f, u: u, k: k, d: s + f + u + k, q: plan.Quorum{Milli: 600}}
							var hold int
							for _, column := range []test{rules[r].run, rules[r].upstream, rules[r].skip} {
								if column(c) {
									hold++
								}
							}
							require.LessOrEqual(t, hold, 1, "%s %+v", Rule(r), c)
						}
					}
				}
			}
		}
	}
}

func TestTablesFitTheirBounds(t *testing.T) {
	t.Parallel()
	require.LessOrEqual(t, len(RunStates()), maxStates)
	require.LessOrEqual(t, len(TaskStates()), maxStates)
	require.LessOrEqual(t, len(RunEvents()), maxEvents)
	require.LessOrEqual(t, len(TaskEvents()), maxEvents)
	require.Len(t, rules, len(Rules()))
	require.Len(t, ends, len(Outcomes()))
	require.Len(t, arrivals, len(TaskStates()))
}
