package e2e_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	usagev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/usage/v1"
)

// apply deploys a pipeline given as text.
func (tn *tenant) apply(source string) {
	tn.t.Helper()
	_, err := tn.pipelines.ApplyPipeline(tn.t.Context(), &pipelinev1.ApplyPipelineRequest{Source: []byte(source), Filename: "pipeline.yaml"})
	require.NoError(tn.t, err)
}

func (tn *tenant) start(pipeline string) string {
	tn.t.Helper()
	out, err := tn.runs.StartRun(tn.t.Context(), &runv1.StartRunRequest{Pipeline: pipeline})
	require.NoError(tn.t, err)
	return out.GetRun().GetId()
}

// run returns a run as it is now, or nil while the server is away.
func (tn *tenant) run(id string) *runv1.GetRunResponse {
	out, err := tn.runs.GetRun(tn.t.Context(), &runv1.GetRunRequest{Id: id})
	if err != nil {
		return nil
	}
	return out
}

func terminal(r *runv1.GetRunResponse) bool {
	switch r.GetRun().GetState() {
	case "succeeded", "failed", "canceled", "dropped":
		return true
	}
	return false
}

// finished waits for the end of a run.
func (tn *tenant) finished(id string, within time.Duration) *runv1.GetRunResponse {
	tn.t.Helper()
	var last *runv1.GetRunResponse
	eventually(tn.t, within, "run "+id+" has ended", func() bool {
		last = tn.run(id)
		return last != nil && terminal(last)
	})
	return last
}

// running waits until a task's attempt runs on an agent.
func (tn *tenant) running(id, task string) {
	tn.t.Helper()
	eventually(tn.t, 20*time.Second, task+" runs", func() bool {
		for _, x := range tn.run(id).GetTasks() {
			if x.GetName() == task && len(x.GetAttempts()) > 0 && x.GetAttempts()[len(x.GetAttempts())-1].GetState() == "running" {
				return true
			}
		}
		return false
	})
}

func attempts(r *runv1.GetRunResponse, task string) []*runv1.Attempt {
	for _, x := range r.GetTasks() {
		if x.GetName() == task {
			return x.GetAttempts()
		}
	}
	return nil
}

func TestFromSignUpToABilledRun(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("ada")
		tn.agent("one", 4)
		example := filepath.Join(root(), "examples", "hello", "pipeline.yaml")
		_, err := os.Stat(example)
		require.NoError(t, err)
		tn.must("apply", example)
		tn.must("run", "start", "hello", "--watch")

		latest := tn.run("@latest")
		require.Equal(t, "succeeded", latest.GetRun().GetState())
		for _, task := range latest.GetTasks() {
			require.Len(t, task.GetAttempts(), 1, task.GetName())
		}
		require.NotEmpty(t, tn.must("run", "logs", "@latest"))

		usage, err := tn.usage.GetUsage(t.Context(), &usagev1.GetUsageRequest{})
		require.NoError(t, err)
		meters := map[string]int64{}
		for _, m := range usage.GetTotals() {
			meters[m.GetMeter()] = m.GetQuantity()
		}
		require.EqualValues(t, 1, meters["runs"])
		require.EqualValues(t, len(latest.GetTasks()), meters["task_attempts"])
		var billed int64
		for _, task := range latest.GetTasks() {
			billed += task.GetAttempts()[0].GetBilledMs()
		}
		require.Equal(t, billed, meters["task_ms"])
		s.doctor()
	})
}

func TestFiftyStartsWithOneKeyAreOneRun(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("grace")
		tn.apply("signalbox: v1\nname: once\ntasks:\n  only:\n    run: 'true'\n")
		ids := make([]string, 50)
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() {
				out, err := tn.runs.StartRun(t.Context(), &runv1.StartRunRequest{Pipeline: "once", IdempotencyKey: "the-key"})
				if err == nil {
					ids[i] = out.GetRun().GetId()
				}
			})
		}
		wg.Wait()
		for _, id := range ids {
			require.Equal(t, ids[0], id)
		}
		list, err := tn.runs.ListRuns(t.Context(), &runv1.ListRunsRequest{})
		require.NoError(t, err)
		require.Len(t, list.GetRuns(), 1)
	})
}
