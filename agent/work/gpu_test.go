package work_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/gpu"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func a100(ids ...string) gpu.Found {
	found := gpu.Found{Type: "a100"}
	for _, id := range ids {
		found.Devices = append(found.Devices, gpu.Device{ID: id, Type: "a100"})
	}
	return found
}

// seen is a script that writes down the devices that it sees.
func seen(path string) string {
	return "echo \"${CUDA_VISIBLE_DEVICES-unset} ${NVIDIA_VISIBLE_DEVICES-unset}\" > " + path
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return strings.TrimSpace(string(text))
}

func TestAttemptsHaveDevicesOfTheirOwn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.slots, b.gpus = 4, a100("GPU-a", "GPU-b", "GPU-c")
	b.start(t)
	capacity := b.plane.Opened(1)[0].GetCapacity()
	require.EqualValues(t, 3, capacity.GetGpus())
	require.Equal(t, "a100", capacity.GetGpuType())

	// The first two hold theirs until the file is there; the plane gives out all
	// that is asked of it.
	dir := t.TempDir()
	leave := filepath.Join(dir, "leave")
	task := func(name string, gpus int) plan.Task {
		script := seen(filepath.Join(dir, name)) + "\nuntil test -e " + leave + "; do sleep 0.02; done"
		return plan.Task{Name: name, Run: script, Resources: plan.Resources{GPUs: gpus}, Env: map[string]string{"CUDA_VISIBLE_DEVICES": "GPU-a"}}
	}
	one, two := b.attempt(t, task("one", 1)), b.attempt(t, task("two", 2))
	none := b.attempt(t, plan.Task{Name: "none", Run: seen(filepath.Join(dir, "none"))})
	requireOutcome(t, b.plane.Report(none), "succeeded", "", "")
	require.Equal(t, "void", read(t, filepath.Join(dir, "none")), "a step without a GPU sees none")

	late := b.attempt(t, task("late", 3))
	require.Zero(t, b.plane.Reports(late))
	require.NoError(t, os.WriteFile(leave, nil, 0o600))
	for _, lease := range []int64{one, two, late} {
		requireOutcome(t, b.plane.Report(lease), "succeeded", "", "")
	}
	first, second := strings.Fields(read(t, filepath.Join(dir, "one"))), strings.Fields(read(t, filepath.Join(dir, "two")))
	require.Equal(t, first[0], first[1], "both variables say the same")
	require.ElementsMatch(t, []string{"GPU-a", "GPU-b", "GPU-c"}, append(strings.Split(first[0], ","), strings.Split(second[0], ",")...))
	require.Equal(t, "GPU-a,GPU-b,GPU-c", strings.Fields(read(t, filepath.Join(dir, "late")))[0], "they were given back")
}

func TestTooManyDevicesAreRejected(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.gpus = a100("GPU-a")
	b.start(t)
	lease := b.attempt(t, plan.Task{Run: "exit 0", Resources: plan.Resources{GPUs: 2}})
	requireOutcome(t, b.plane.Report(lease), "rejected", "infra", "more than this agent has")
}

func TestAgentWithoutDevicesSaysNothingOfThem(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	path := filepath.Join(t.TempDir(), "seen")
	requireOutcome(t, b.plane.Report(b.script(t, seen(path))), "succeeded", "", "")
	require.Equal(t, "unset unset", read(t, path))
}

// TestDevicesComeAndGo is a card that falls off its bus under a step: the session
// says so, the step keeps it, and the next one does not get it.
func TestDevicesComeAndGo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.gpus = a100("GPU-a", "GPU-b")
	var now atomic.Pointer[gpu.Found]
	now.Store(&b.gpus)
	b.findGPUs = func(context.Context) gpu.Found { return *now.Load() }
	b.start(t)
	dir := t.TempDir()
	path, leave := filepath.Join(dir, "seen"), filepath.Join(dir, "leave")
	tell, reached := b.reached(t, "ready")
	held := b.attempt(t, plan.Task{Run: tell + "\nuntil test -e " + leave + "; do sleep 0.02; done", Resources: plan.Resources{GPUs: 1}})
	reached()

	left := a100("GPU-b")
	now.Store(&left)
	opened := b.plane.Opened(2)[1]
	require.EqualValues(t, 1, opened.GetCapacity().GetGpus())
	require.Equal(t, []int64{held}, opened.GetAdopted())
	lease := b.attempt(t, plan.Task{Run: "exit 0", Resources: plan.Resources{GPUs: 2}})
	requireOutcome(t, b.plane.Report(lease), "rejected", "infra", "more than this agent has")
	require.NoError(t, os.WriteFile(leave, nil, 0o600))
	requireOutcome(t, b.plane.Report(held), "succeeded", "", "")
	requireOutcome(t, b.plane.Report(b.attempt(t, plan.Task{Run: seen(path), Resources: plan.Resources{GPUs: 1}})), "succeeded", "", "")
	require.Equal(t, "GPU-b GPU-b", read(t, path))
}
