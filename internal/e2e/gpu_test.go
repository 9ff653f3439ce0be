package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	poolv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	usagev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/usage/v1"
)

const twoA100 = `#!/bin/sh
cat <<END
0, GPU-aaaaaaaa-0000-0000-0000-000000000000, NVIDIA A100-SXM4-40GB, 40960, 535.129.03, Disabled
1, GPU-bbbbbbbb-0000-0000-0000-000000000000, NVIDIA A100-SXM4-40GB, 40960, 535.129.03, Disabled
END
`

// gpuPipeline has three tasks that hold a GPU until the test lets them go, one
// without a GPU, and one that wants more than there are.
const gpuPipeline = `signalbox: v1
name: devices
tasks:
%s  without:
    run: echo "${CUDA_VISIBLE_DEVICES-unset}" > %[2]s/without
  much:
    resources: {gpu: 4}
    run: "true"
`

var holders = []string{"one", "two", "three"}

// A step gives up after 20 s, which fails the story.
const gpuTask = `  %s:
    resources: {gpu: 1, gpu_type: [a100]}
    run: |
      test "$CUDA_VISIBLE_DEVICES" = "$NVIDIA_VISIBLE_DEVICES" || exit 3
      echo "$CUDA_VISIBLE_DEVICES" > %[2]s/%[1]s
      for i in $(seq 400); do test -e %[2]s/leave && exit 0; sleep 0.05; done
      exit 4
`

// Two tasks at a time have one GPU each and never the same; a third waits for
// one, and what no agent could ever run waits without harm to the others.
func TestTasksHaveGPUsOfTheirOwn(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		out := t.TempDir()
		tn := s.signUp("hopper")
		tn.agent("box", 4, withGPUs(t))
		var tasks strings.Builder
		for _, task := range holders {
			fmt.Fprintf(&tasks, gpuTask, task, out)
		}
		tn.apply(fmt.Sprintf(gpuPipeline, tasks.String(), out))
		run := tn.start("devices")

		states := func() map[string]string {
			all := map[string]string{}
			for _, x := range tn.run(run).GetTasks() {
				all[x.GetName()] = x.GetState()
			}
			return all
		}
		var devices []string
		eventually(t, 30*time.Second, "two tasks have a GPU each", func() bool {
			devices = nil
			for _, task := range holders {
				if text := written(out, task); text != "" {
					devices = append(devices, text)
				}
			}
			return len(devices) == 2 && states()["without"] == "succeeded"
		})
		require.ElementsMatch(t, []string{"GPU-aaaaaaaa-0000-0000-0000-000000000000", "GPU-bbbbbbbb-0000-0000-0000-000000000000"}, devices)
		agents, err := tn.pools.ListAgents(t.Context(), &poolv1.ListAgentsRequest{})
		require.NoError(t, err)
		box := agents.GetAgents()[0]
		require.Equal(t, []any{uint32(2), uint32(2), "a100"}, []any{box.GetGpus(), box.GetGpusUsed(), box.GetGpuType()})
		require.Contains(t, tn.must("agent", "list"), "0/2 free a100")
		require.Empty(t, written(out, "without"), "a task without a GPU sees none")
		require.NoError(t, os.WriteFile(filepath.Join(out, "leave"), nil, 0o600))
		eventually(t, 30*time.Second, "the third has its turn", func() bool {
			now := states()
			return now["one"] == "succeeded" && now["two"] == "succeeded" && now["three"] == "succeeded"
		})
		require.Equal(t, "ready", states()["much"], "nobody has four")
		require.Empty(t, attempts(tn.run(run), "much"))

		_, err = tn.runs.CancelRun(t.Context(), &runv1.CancelRunRequest{Id: run})
		require.NoError(t, err)
		ended := tn.finished(run, 10*time.Second)
		var billed int64
		for _, task := range holders {
			billed += attempts(ended, task)[0].GetBilledMs()
		}
		require.Equal(t, billed, tn.meteredGPU())
		s.doctor()
	})
}

// withGPUs is what an agent's environment needs for it to find two GPUs.
func withGPUs(t *testing.T) string {
	t.Helper()
	tools := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(tools, "nvidia-smi"), []byte(twoA100), 0o700))
	return "PATH=" + tools + ":" + os.Getenv("PATH")
}

// meteredGPU is what has been metered of GPU time, in milliseconds.
func (tn *tenant) meteredGPU() int64 {
	tn.t.Helper()
	usage, err := tn.usage.GetUsage(tn.t.Context(), &usagev1.GetUsageRequest{})
	require.NoError(tn.t, err)
	var metered int64
	for _, m := range usage.GetTotals() {
		if m.GetMeter() == "gpu_ms" {
			metered = m.GetQuantity()
		}
	}
	require.Positive(tn.t, metered)
	return metered
}

// written is what a task wrote, or nothing.
func written(dir, task string) string {
	text, err := os.ReadFile(filepath.Join(dir, task))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
