package work

import (
	"time"

	"github.com/signalboxhq/signalbox/agent/execute"
	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/policy"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func millis(m plan.Millis) time.Duration { return time.Duration(m) * time.Millisecond }

// limitsOf are the clocks of a task that the agent keeps. How long it may run may
// be left to what earlier attempts took: then its lease says so, and within the
// policy's limit it is always.
func limitsOf(task *plan.Task, lease time.Duration, p *policy.Policy) execute.Limits {
	t := task.Timeouts
	run := millis(t.Run)
	if t.RunAutoMilli > 0 {
		run = p.Cap(lease)
	}
	return execute.Limits{Start: millis(t.Start), Run: run, Progress: millis(t.Progress), Grace: millis(t.Grace)}
}

// needOf is what a task takes of the agent's capacity.
func needOf(task *plan.Task) link.Capacity {
	r := task.Resources
	return link.Capacity{Slots: max(1, r.Slots), CPUMillis: r.CPUMillis, MemoryBytes: r.MemoryBytes, GPUs: r.GPUs}
}
