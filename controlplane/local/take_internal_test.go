package local

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// order is in which order tasks that became ready one after the other begin, the
// last of them being of a higher priority.
func order(t *testing.T, shuffle *rand.Rand) []int32 {
	t.Helper()
	const n = 20
	b := &plan.Plan{Format: plan.Format, Name: "wide", Pool: "default"}
	for i := range n {
		b.Tasks = append(b.Tasks, plan.Task{Name: fmt.Sprintf("t%02d", i), Pool: "default", Run: "true"})
	}
	b.Tasks[n-1].Priority = 5
	g, err := engine.NewGraph(b)
	require.NoError(t, err)
	p := &Plane{config: Config{Shuffle: shuffle}}
	r := &run{version: &version{graph: g}, state: engine.NewState(id.New()), opened: map[int32]*opened{}}
	for i := range int32(n) {
		r.opened[i] = &opened{Opening: engine.Opening{Task: i, At: time.Unix(int64(i), 0)}}
		p.enqueue(r, i, r.opened[i])
	}
	heads, _ := p.heads()
	out := make([]int32, len(heads))
	for i := range heads {
		out[i] = heads[i].task
	}
	return out
}

func TestWhatIsReadyBeginsByAgeOrInAnOrderOfChance(t *testing.T) {
	t.Parallel()
	byAge := order(t, nil)
	require.True(t, slices.IsSorted(byAge[1:]), "%v", byAge)
	of := func(seed uint64) []int32 { return order(t, rand.New(rand.NewPCG(seed, 0))) }
	require.Equal(t, of(1), of(1), "a seed is an order")
	require.NotEqual(t, of(1), of(2))
	require.NotEqual(t, byAge, of(1))
	for _, o := range [][]int32{byAge, of(1), of(2)} {
		require.Equal(t, int32(19), o[0], "a priority is not shuffled")
	}
	require.ElementsMatch(t, byAge, of(2))
}
