package plan_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/proto/plan"
)

func TestOrigin(t *testing.T) {
	t.Parallel()
	each := &plan.ForEach{Count: 2, Type: plan.TypeInt}
	p := &plan.Plan{Tasks: []plan.Task{
		{Name: "fold", Group: true, ForEach: each, Outputs: []plan.Output{{Name: "auc", From: &plan.OutputRef{Task: "fold/in", Output: "best"}}}},
		{Name: "fold/in", Group: true, In: 1, Outputs: []plan.Output{{Name: "best", From: &plan.OutputRef{Task: "fold/in/train", Output: "auc"}}}},
		{Name: "fold/in/train", In: 2, ForEach: each, Outputs: []plan.Output{{Name: "auc", Type: plan.TypeFloat}}},
	}}
	leaf, maps, ok := p.Origin(plan.OutputRef{Task: "fold", Output: "auc"})
	require.True(t, ok)
	require.Equal(t, plan.OutputRef{Task: "fold/in/train", Output: "auc"}, leaf)
	require.Equal(t, []int{0, 2}, maps)
	require.Equal(t, []int{0, 1, 2}, p.Enclosing(2))
	require.Equal(t, "train", p.Tasks[2].ShortName())
	for _, missing := range []plan.OutputRef{{Task: "fold", Output: "x"}, {Task: "x", Output: "auc"}} {
		_, _, ok = p.Origin(missing)
		require.False(t, ok)
	}
	// A plan that says that two groups hand out each other's output.
	p.Tasks[2].Outputs[0].From = &plan.OutputRef{Task: "fold", Output: "auc"}
	_, _, ok = p.Origin(plan.OutputRef{Task: "fold", Output: "auc"})
	require.False(t, ok)
}
