package engine_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// resumedMap is a run that takes over all items of a map but the first ten. There
// are more of them than one entry makes.
func resumedMap(t *testing.T) *world {
	t.Helper()
	items := make([]string, engine.Chunk+40)
	for i := range items {
		items[i] = fmt.Sprint("item ", i)
	}
	each := task("each", 0)
	each.ForEach = &plan.ForEach{Items: "${{ tasks.split.outputs.x }}", Type: plan.TypeString, MaxParallel: 2}
	old := newWorld(t, steps(task("split"), each))
	old.quiet = true
	old.answer = func() engine.Answer { return engine.Answer{Yes: true, Count: len(items), Digests: digestsOf(items...)} }
	old.must(engine.Start{Now: old.now})
	var broken []string
	for i := range 10 {
		broken = append(broken, fmt.Sprintf("each[%d]", i))
	}
	old.drive(fails(broken...))
	require.Equal(t, engine.RunFailed, old.s.Run)
	digests := map[int64][]byte{old.asked(): slices.Concat(digestsOf(items...)...)}
	w, _ := resumed(t, old, old.g.Plan, digests, nil)
	w.quiet, w.answer = true, old.answer
	return w
}

// together is how many items of a run's map run at a time at most; all that is
// ready is taken, and items come into being before one of them ends.
func (w *world) together() int {
	most := 0
	for !w.s.Run.Terminal() {
		for _, i := range sortedKeys(w.ready) {
			w.grant(i)
		}
		n := 0
		for _, l := range w.leases {
			if l.Attempt > 0 {
				n++
			}
		}
		most = max(most, n)
		if w.tick() {
			continue
		}
		w.must(w.report(sortedKeys(w.leases)[0], engine.OutcomeSucceeded, 1))
	}
	return most
}

// Items that are taken over leave room for none of those that run.
func TestAResumedMapKeepsToItsLimit(t *testing.T) {
	t.Parallel()
	w := resumedMap(t)
	require.Equal(t, 2, w.together())
	require.Equal(t, engine.RunSucceeded, w.s.Run)
}

// What a release wrote that let too many run is folded as it was decided.
func TestAnOldResumeFoldsAsItWasDecided(t *testing.T) {
	t.Parallel()
	w := resumedMap(t)
	w.together()
	old, now := engine.NewState(w.s.ID), engine.NewState(w.s.ID)
	for _, e := range w.journal {
		if e.Kind == engine.KindTaskExpanded {
			require.EqualValues(t, 2, e.V)
		} else {
			require.EqualValues(t, 1, e.V, e.Kind)
		}
		require.NoError(t, engine.Fold(w.g, now, e))
		e.V = 1
		require.NoError(t, engine.Fold(w.g, old, e))
		if e.Kind == engine.KindTaskExpanded && e.Detail.First > 0 {
			break
		}
	}
	require.Equal(t, 2, openItems(w, now))
	require.Equal(t, 4, openItems(w, old))
}

func openItems(w *world, s *engine.State) int {
	n := 0
	for i := len(w.g.Plan.Tasks); i < len(s.Tasks); i++ {
		if s.Tasks[i].State == engine.TaskOpen {
			n++
		}
	}
	return n
}
