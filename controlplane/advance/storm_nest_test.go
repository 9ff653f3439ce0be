package advance_test

import (
	"context"
	"math/rand/v2"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// nestPlan is a pipeline whose tasks start others.
func nestPlan(r *rand.Rand) *plan.Plan {
	on := []string{"", "abandon"}[r.IntN(2)]
	return &plan.Plan{Name: "nest", Tasks: []plan.Task{
		{Name: "first", Pipeline: &plan.Nested{Name: "any", OnParentCancel: on}, Tolerate: true},
		{Name: "each", ForEach: &plan.ForEach{Count: 3, Type: plan.TypeInt, Tolerate: 3}, Pipeline: &plan.Nested{Name: "any"}},
		{Name: "last", Needs: []int{0, 1}, Rule: "all_done"},
		{Name: "bye", Exit: plan.ExitAlways, Retry: plan.Retry{Infra: 3}},
	}}
}

// stormNester starts the organization's pipelines in turn.
type stormNester struct {
	starts map[id.UUID][]advance.StartRun
}

// Child is the start of a child, the same for the same task.
func (n *stormNester) Child(_ context.Context, p advance.ParentTask) (advance.StartRun, error) {
	all := n.starts[p.Org]
	c := all[int(p.Task+p.Attempt)%len(all)]
	c.Cause, c.Parent = "parent", &advance.Parent{Run: p.Run, Task: p.Task, Attempt: p.Attempt, Path: p.Path, Root: p.Run, Depth: 1}
	return c, nil
}

// Left is nothing.
func (n *stormNester) Left(context.Context, advance.RunKey) ([]byte, error) { return nil, nil }
