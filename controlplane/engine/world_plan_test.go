package engine_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// task makes a task that needs others by their indices.
func task(name string, needs ...int) plan.Task { return plan.Task{Name: name, Needs: needs} }

// handler makes an exit handler.
func handler(name string, when plan.ExitOn) plan.Task { return plan.Task{Name: name, Exit: when} }

// graph prepares a plan of the given tasks.
func graph(t require.TestingT, tasks ...plan.Task) *engine.Graph {
	if h, ok := t.(interface{ Helper() }); ok {
		h.Helper()
	}
	g, err := engine.NewGraph(&plan.Plan{Format: plan.Format, Name: "p", Tasks: tasks})
	require.NoError(t, err)
	return g
}

// planConfig bounds what drawPlan draws.
type planConfig struct {
	main, exit int  // most tasks of each kind
	controls   bool // on_task_failure, deadline and queue timeouts too
}

var drawnRules = append(plan.Rules(), "", "quorum(0.5)", "quorum(0.67, early)", "quorum(1)")

// drawPlan draws a plan. Its tasks stand in any order, not only in that of
// their needs.
func drawPlan(t *rapid.T, c planConfig) *plan.Plan {
	p := &plan.Plan{Format: plan.Format, Name: "p"}
	n := rapid.IntRange(1, c.main).Draw(t, "main")
	place := rapid.Permutation(upTo(n)).Draw(t, "place")
	p.Tasks = make([]plan.Task, n)
	for i := range n {
		tk := drawTask(t, c)
		tk.Name = fmt.Sprintf("t%d", place[i])
		if i > 0 {
			tk.Rule = rapid.SampledFrom(drawnRules).Draw(t, "rule")
			for up := range i {
				if rapid.IntRange(0, 2).Draw(t, "needs") == 0 {
					tk.Needs = append(tk.Needs, place[up])
				}
			}
			slices.Sort(tk.Needs)
		}
		p.Tasks[place[i]] = tk
	}
	for i := range rapid.IntRange(0, c.exit).Draw(t, "exit") {
		tk := drawTask(t, c)
		tk.Name = fmt.Sprintf("x%d", i)
		if rapid.Bool().Draw(t, "reads") { // a main task's outputs; it orders nothing
			tk.Needs = []int{rapid.IntRange(0, n-1).Draw(t, "needs")}
		}
		tk.Exit = rapid.SampledFrom([]plan.ExitOn{
			plan.ExitAlways, plan.ExitSucceeded, plan.ExitFailed, plan.ExitCanceled,
		}).Draw(t, "when")
		p.Tasks = append(p.Tasks, tk)
	}
	if c.controls {
		p.OnFailure = rapid.SampledFrom([]plan.OnTaskFailure{
			"", plan.OnFailureContinue, plan.OnFailureStop, plan.OnFailureCancel,
		}).Draw(t, "on failure")
		p.Deadline = plan.Millis(rapid.SampledFrom([]int{0, 0, 20_000}).Draw(t, "deadline"))
	}
	return p
}

func drawTask(t *rapid.T, c planConfig) plan.Task {
	tk := plan.Task{
		Tolerate: rapid.IntRange(0, 4).Draw(t, "tolerate") == 0,
		Retry: plan.Retry{
			User:        rapid.IntRange(0, 2).Draw(t, "user"),
			Infra:       rapid.IntRange(0, 2).Draw(t, "infra"),
			Preempt:     rapid.IntRange(0, 2).Draw(t, "preempt"),
			Base:        plan.Millis(rapid.SampledFrom([]int{0, 1000}).Draw(t, "base")),
			FactorMilli: 2000,
			Cap:         3000,
			Jitter:      rapid.SampledFrom([]plan.Jitter{"", plan.JitterFull}).Draw(t, "jitter"),
			Never:       []string{"exit:2"},
		},
		Resources: plan.Resources{GPUs: rapid.IntRange(0, 1).Draw(t, "gpus")},
	}
	if c.controls {
		drawHold(t, &tk)
		tk.Timeouts.Queue = plan.Millis(rapid.SampledFrom([]int{0, 0, 5000}).Draw(t, "queue"))
	}
	return tk
}

// drawHold makes some tasks wait instead of running.
func drawHold(t *rapid.T, tk *plan.Task) {
	in := plan.Millis(rapid.SampledFrom([]int{0, 2000, 8000}).Draw(t, "timeout"))
	vain := rapid.SampledFrom([]plan.OnTimeout{"", plan.OnTimeoutFail, plan.OnTimeoutSkip}).Draw(t, "in vain")
	switch rapid.IntRange(0, 9).Draw(t, "held") {
	case 0:
		tk.Wait = &plan.Wait{For: max(in, 1)}
	case 1, 2:
		tk.Signal = &plan.Signal{Name: rapid.SampledFrom(drawnSignals).Draw(t, "name"), Timeout: in, OnTimeout: vain}
	case 3:
		tk.Approve = &plan.Approve{
			Required: rapid.IntRange(0, 2).Draw(t, "required"), NotRequester: rapid.Bool().Draw(t, "not requester"),
			Timeout: in, OnTimeout: vain, OnReject: vain,
		}
	}
}

var drawnSignals = []string{"go", "data"}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestNewGraphRefusesWhatCouldNotFinish(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tasks []plan.Task
		want  string
	}{
		"nothing":       {nil, "prepare plan: it has no tasks"},
		"handlers only": {[]plan.Task{handler("h", plan.ExitAlways)}, "prepare plan: it has no tasks"},
		"itself":        {[]plan.Task{task("a", 0)}, `prepare plan: task "a" needs itself`},
		"a circle":      {[]plan.Task{task("a", 1), task("b", 0)}, `prepare plan: task "a" needs itself`},
		"out of range":  {[]plan.Task{task("a", 7)}, `prepare task "a": needs [7] are not ascending indices of tasks`},
		"twice":         {[]plan.Task{task("a"), task("b", 0, 0)}, `prepare task "b": needs [0 0] are not ascending indices of tasks`},
		"negative":      {[]plan.Task{task("a", -1)}, `prepare task "a": needs [-1] are not ascending indices of tasks`},
		"a handler": {
			[]plan.Task{task("a", 1), handler("h", plan.ExitAlways)},
			`prepare task "a": it needs the exit handler "h"`,
		},
		"rule": {
			[]plan.Task{{Name: "a", Rule: "most"}},
			`prepare task "a": "most" is no trigger rule; a quorum is written quorum(0.8)`,
		},
		"never": {
			[]plan.Task{{Name: "a", Retry: plan.Retry{Never: []string{"class:E"}}}},
			`prepare task "a": retry pattern "class:E" is not exit:CODE`,
		},
		"exit": {[]plan.Task{{Name: "a", Exit: "sometimes"}}, `prepare task "a": exit "sometimes" is unknown`},
	} {
		_, err := engine.NewGraph(&plan.Plan{Tasks: c.tasks})
		require.EqualError(t, err, c.want, name)
	}
}
