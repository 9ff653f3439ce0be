package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func TestAPlanThatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	fold := task("fold")
	fold.Group, fold.ForEach = true, &plan.ForEach{Count: 100_000, Type: plan.TypeInt}
	p := steps(fold, task("fold/a"), task("fold/b", 1), task("fold/c"), task("fold/d"), task("fold/e"))
	p.Tasks[0].Run = ""
	for i := 1; i < len(p.Tasks); i++ {
		p.Tasks[i].In = 1
	}
	_, err := engine.NewGraph(p)
	require.EqualError(t, err, `prepare plan: task "fold" may become 500001 tasks, at most 500000`)
	p.Tasks[0].ForEach.Count = 1000
	_, err = engine.NewGraph(p)
	require.NoError(t, err)
}

// Maps in maps are stopped where they would grow without end, and the run ends.
func TestARunDoesNotGrowWithoutEnd(t *testing.T) {
	t.Parallel()
	outer, inner := task("outer"), task("outer/inner")
	outer.Group, outer.ForEach = true, &plan.ForEach{Count: 10, Type: plan.TypeInt}
	inner.In, inner.ForEach = 1, &plan.ForEach{Items: "${{ params.x }}", Type: plan.TypeInt, Max: plan.MaxItems}
	p := steps(outer, inner)
	p.Tasks[0].Run = ""
	w := newWorld(t, p)
	w.quiet = true
	w.answer = func() engine.Answer { return engine.Answer{Yes: true, Count: plan.MaxItems} }
	w.must(engine.Start{Now: w.now})
	for _, i := range sortedKeys(w.ready) {
		w.grant(i)
		w.must(w.report(i, engine.OutcomeSucceeded, 0))
	}
	for !w.s.Run.Terminal() {
		require.True(t, w.tick())
	}
	require.Equal(t, engine.RunFailed, w.s.Run)
	require.LessOrEqual(t, len(w.s.Tasks), engine.MaxTasks)
	require.Greater(t, len(w.s.Tasks), engine.MaxTasks-2*engine.Chunk)
	require.Contains(t, w.journal[len(w.journal)-2].Reason, "run_too_large: ")
}
