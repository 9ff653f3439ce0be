package plan_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/proto/plan"
)

func TestRuleCheck(t *testing.T) {
	t.Parallel()
	require.Len(t, plan.Rules(), 12)
	for _, r := range append(plan.Rules(), "", "quorum(0.8)", "quorum(1)", "quorum(0.667, early)") {
		require.NoError(t, r.Check(), r)
	}
	for _, r := range []plan.Rule{"any_success", "quorum", "quorum(0)", "quorum(0.0)", "quorum(1.2)", "quorum(80%)", "quorum(0.12345)"} {
		require.Error(t, r.Check(), r)
	}
}

func TestQuorumNeed(t *testing.T) {
	t.Parallel()
	q, ok := plan.Rule("quorum(0.667)").Quorum()
	require.True(t, ok)
	require.Equal(t, plan.Quorum{Milli: 667}, q)
	for n, want := range map[int]int{0: 1, 1: 1, 2: 2, 3: 3, 10: 7, 1000: 667} {
		require.Equal(t, want, q.Need(n), n)
	}
	q, ok = plan.Rule("quorum(0.5,early)").Quorum()
	require.True(t, ok)
	require.Equal(t, plan.Quorum{Milli: 500, Early: true}, q)
}
