package work

import (
	"time"

	"github.com/signalboxhq/signalbox/agent/execute"
	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func millis(m plan.Millis) time.Duration { return time.Duration(m) * time.Millisecond }

// limitsOf are the clocks of a task that the agent keeps.
func limitsOf(task *plan.Task) execute.Limits {
	t := task.Timeouts
	return execute.Limits{Start: millis(t.Start), Run: millis(t.Run), Progress: millis(t.Progress), Grace: millis(t.Grace)}
}

// needOf is what a task takes of the agent's capacity.
func needOf(task *plan.Task) link.Capacity {
	r := task.Resources
	return link.Capacity{Slots: max(1, r.Slots), CPUMillis: r.CPUMillis, MemoryBytes: r.MemoryBytes, GPUs: r.GPUs}
}
