package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

// A step may run one and a half times as long as it usually does.
func TestAnUnusuallyLongStepIsCut(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("ada")
		tn.agent("one", 1)
		file := func(script string) string {
			return "signalbox: v1\nname: usual\ntasks:\n  nap:\n    run: " + script + "\n    timeouts: {run: auto(1.5x)}\n"
		}
		tn.apply(file("'true'"))
		// One more than are needed: the newest may not be written yet.
		for range 6 {
			run := tn.finished(tn.start("usual"), 30*time.Second)
			require.Equal(t, "succeeded", run.GetRun().GetState())
		}
		tn.apply(file("sleep 300")) // another version of the same task
		run := tn.finished(tn.start("usual"), 60*time.Second)
		require.Equal(t, "failed", run.GetRun().GetState())
		require.Regexp(t, `^run timeout of [0-9.]+s$`, reasonOf(run, "nap"))
		task, err := tn.runs.GetTask(t.Context(), &runv1.GetTaskRequest{RunId: run.GetRun().GetId(), Task: "nap"})
		require.NoError(t, err)
		attempt := task.GetTask().GetAttempts()[0]
		ran := attempt.GetFinishedAt().AsTime().Sub(attempt.GetStartedAt().AsTime())
		require.Greater(t, ran, 900*time.Millisecond)
		s.doctor()
	})
}

// A step of a scheduled run knows the time that the run stands for.
func TestAStepKnowsItsNominalTime(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("ada")
		tn.agent("one", 1)
		tn.apply(`signalbox: v1
name: hourly
tasks:
  a:
    run: echo "$SB_NOMINAL $SB_INTERVAL_START $SB_INTERVAL_END" > "$SB_OUTPUTS/times"
    outputs: {times: {type: string, open: true}}
`)
		tn.must("schedule", "create", "second", "--pipeline", "hourly", "--every", "1s")
		eventually(t, 30*time.Second, "a run has ended", func() bool {
			runs := tn.scheduledRuns("second")
			return len(runs) > 0 && runs[len(runs)-1].GetState() == "succeeded"
		})
		tn.must("schedule", "pause", "second")
		runs := tn.scheduledRuns("second")
		first := runs[len(runs)-1]
		at := first.GetNominal().AsTime()
		want := at.Format(time.RFC3339) + " " + at.Add(-time.Second).Format(time.RFC3339) + " " + at.Format(time.RFC3339)
		require.Contains(t, tn.must("run", "values", first.GetId(), "-o", "json"), want)
	})
}
