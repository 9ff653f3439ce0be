package advance

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPlansFollowTheRows(t *testing.T) {
	t.Parallel()
	var p planner
	now := time.Now()
	var at []int
	for rows := range 100_000 {
		if p.due(now, 1) {
			at = append(at, rows)
		}
	}
	require.Equal(t, []int{0, 500, 2000, 8000, 32000}, at)
	require.False(t, p.due(now.Add(planAtLeast-1), 1))
	require.True(t, p.due(now.Add(planAtLeast), 1), "what other replicas wrote")
	require.False(t, p.due(now.Add(planAtLeast), 1))
}
