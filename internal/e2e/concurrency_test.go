package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

// lined deploys a pipeline of one task whose runs go one after the other.
func (tn *tenant) lined(name, policy, run string) {
	tn.t.Helper()
	tn.apply(fmt.Sprintf("signalbox: v1\nname: %s\nconcurrency: {limit: 1, policy: %s}\ntasks:\n  only:\n    run: %s\n", name, policy, run))
}

// five starts five runs and waits until all have ended; it returns how they
// ended, and the most that ran at once.
func (tn *tenant) five(pipeline string) (states []string, most int) {
	tn.t.Helper()
	ids := make([]string, 5)
	for i := range ids {
		ids[i] = tn.start(pipeline)
	}
	eventually(tn.t, 60*time.Second, "all runs of "+pipeline+" have ended", func() bool {
		list, err := tn.runs.ListRuns(tn.t.Context(), &runv1.ListRunsRequest{Pipeline: pipeline}) // all of one moment
		if err != nil {
			return false
		}
		running, open := 0, false
		states = make([]string, len(ids))
		for _, r := range list.GetRuns() {
			state := r.GetState()
			states[slices.Index(ids, r.GetId())] = state
			goes := state == "running" || state == "canceling" || state == "finalizing"
			open = open || goes || state == "pending"
			if goes {
				running++
			}
		}
		most = max(most, running)
		return !open
	})
	return states, most
}

func TestFiveStartsUnderEachPolicy(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("lena")
		tn.agent("one", 4)
		for policy, want := range map[string]string{
			"queue":          "succeeded succeeded succeeded succeeded succeeded",
			"queue_latest":   "succeeded dropped dropped dropped succeeded",
			"drop_new":       "succeeded dropped dropped dropped dropped",
			"cancel_running": "canceled canceled canceled canceled succeeded",
		} {
			name := strings.ReplaceAll(policy, "_", "-")
			tn.lined(name, policy, "sleep 2")
			states, most := tn.five(name)
			require.Equal(t, want, strings.Join(states, " "), policy)
			require.LessOrEqual(t, most, 1, policy)
		}
		s.doctor()
	})
}

func TestAFailedRunBlocksAStrictLine(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("nora")
		tn.lined("strict", "strict", "exit 1")
		first, second := tn.start("strict"), tn.start("strict")
		require.Equal(t, uint32(1), tn.run(second).GetRun().GetWaiting().GetPosition())
		tn.agent("one", 4)
		require.Equal(t, "failed", tn.finished(first, 30*time.Second).GetRun().GetState())
		eventually(t, 10*time.Second, "the second is blocked", func() bool {
			return tn.run(second).GetRun().GetReason() == "blocked_by("+first+")"
		})
		require.Contains(t, tn.must("run", "get", second), "signalbox run unblock "+first)
		tn.must("run", "unblock", first)
		require.Equal(t, "failed", tn.finished(second, 30*time.Second).GetRun().GetState(), "it had its turn")
		s.doctor()
	})
}

func TestAPausedPipelineAndAKeyThatHadItsRun(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("olga")
		tn.agent("one", 4)
		tn.apply("signalbox: v1\nname: plain\ntasks:\n  only:\n    run: 'true'\n")
		tn.must("pipeline", "pause", "plain")
		waits := tn.start("plain")
		require.Equal(t, "pipeline_paused", tn.run(waits).GetRun().GetReason())
		_, err := tn.pipelines.ResumePipeline(t.Context(), &pipelinev1.ResumePipelineRequest{Pipeline: "plain"})
		require.NoError(t, err)
		require.Equal(t, "succeeded", tn.finished(waits, 30*time.Second).GetRun().GetState())

		tn.must("run", "start", "plain", "--key", "k", "--watch")
		_, err = tn.runs.StartRun(t.Context(), &runv1.StartRunRequest{Pipeline: "plain", IdempotencyKey: "k", IfDone: "failed_only"})
		require.Equal(t, connect.CodeAlreadyExists, connect.CodeOf(err), "HTTP 409")
		_, code := tn.cli("run", "start", "plain", "--key", "k", "--if-done", "reject")
		require.NotZero(t, code)
		tn.must("run", "start", "plain", "--key", "k", "--if-done", "allow", "--watch")
		tn.must("run", "start", "plain", "--at", "1s", "--watch")
		s.doctor()
	})
}
