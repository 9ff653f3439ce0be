package e2e_test

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

// states are the tasks of a run by their paths.
func states(r *runv1.GetRunResponse) map[string]string {
	out := map[string]string{}
	for _, task := range r.GetTasks() {
		out[task.GetName()] = task.GetState()
	}
	return out
}

func reasonOf(r *runv1.GetRunResponse, task string) string {
	for _, one := range r.GetTasks() {
		if one.GetName() == task {
			return one.GetReason()
		}
	}
	return ""
}

// A list that a step leaves becomes as many tasks, what they leave a list, and a
// condition on it chooses: real agents decide, count and collect.
func TestAFanOutFromSplitToDecision(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("ada")
		tn.agent("one", 4)
		tn.must("apply", filepath.Join(root(), "examples", "fanout", "pipeline.yaml"))
		tn.must("run", "start", "fanout", "--watch")
		run := tn.finished("@latest", 30*time.Second)
		require.Equal(t, "succeeded", run.GetRun().GetState(), "%v", states(run))
		got := states(run)
		require.Equal(t, "succeeded", got["measure[9]"], "%v", got)
		require.NotContains(t, slices.Collect(maps.Keys(got)), "measure[10]")
		require.Equal(t, "skipped", got["grid[1]"])
		require.Equal(t, "skipped", got["nothing-special"])
		require.Equal(t, "succeeded", got["report"])

		tn.must("run", "start", "fanout", "-p", "words=a bee can fly", "--watch")
		run = tn.finished("@latest", 30*time.Second)
		require.Equal(t, "succeeded", run.GetRun().GetState(), "%v", states(run))
		require.Equal(t, "succeeded", states(run)["nothing-special"])
		require.Equal(t, "condition_false: collect.most (3) >= longest (8)", reasonOf(run, "report"))

		tn.must("run", "start", "fanout", "-p", "words=", "--watch")
		run = tn.finished("@latest", 30*time.Second)
		require.Equal(t, "succeeded", run.GetRun().GetState(), "%v", states(run))
		require.Equal(t, "succeeded", states(run)["measure"])
		require.NotContains(t, slices.Collect(maps.Keys(states(run))), "measure[0]")
	})
}
