package value_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/value"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// folds is a map over a group, whose inner task is a map again, and who reads
// both from outside.
func folds() *plan.Plan {
	each := &plan.ForEach{Count: 3, Type: plan.TypeInt}
	return &plan.Plan{Name: "p", Tasks: []plan.Task{
		{
			Name: "fold", Group: true, ForEach: each,
			Outputs: []plan.Output{
				{Name: "one", Type: plan.TypeFloat, From: &plan.OutputRef{Task: "fold/train", Output: "auc"}},
				{Name: "all", Type: plan.Collected(plan.TypeFloat), From: &plan.OutputRef{Task: "fold/tune", Output: "auc"}},
			},
		},
		{
			Name: "report", Env: map[string]string{"ONE": "${{ tasks.fold.outputs.one }}", "ALL": "${{ tasks.fold.outputs.all }}", "END": "${{ tasks.gate.state }}"},
			Reads: plan.Reads{
				Outputs: []plan.OutputRef{{Task: "fold", Output: "all"}, {Task: "fold", Output: "one"}}, States: []string{"gate"},
			},
			ArtifactsIn: []plan.ArtifactIn{{Name: "models", Task: "grid", Artifact: "model"}},
		},
		{Name: "gate"},
		{Name: "grid", ForEach: each, ArtifactsOut: []plan.ArtifactOut{{Name: "model", Type: plan.TypeModel}}},
		{Name: "fit", Template: true, Env: map[string]string{"DEPTH": "1", "KIND": "tree"}},
		{Name: "fold/train", In: 1, Outputs: []plan.Output{{Name: "auc", Type: plan.TypeFloat, Open: true}}},
		{Name: "fold/tune", In: 1, ForEach: each, Outputs: []plan.Output{{Name: "auc", Type: plan.TypeFloat}}},
	}}
}

func (b *testBundle) child(t *testing.T, task, sealed string, indexes, counts []uint32) link.TaskValues {
	t.Helper()
	v := link.TaskValues{Task: task, Indexes: indexes, Counts: counts, State: "succeeded"}
	if sealed != "" {
		v.Outputs = []link.Value{{Name: "auc", Type: "float", Sealed: b.seal(t, "outputs."+task+".auc", sealed)}}
	}
	return v
}

func TestListsAreCollectedInOrderPageByPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := folds()
	pages := []link.Inputs{
		{Tasks: []link.TaskValues{
			b.child(t, "fold/train", "0.5", []uint32{0}, []uint32{3}),
			b.child(t, "fold/train", "0.75", []uint32{2}, []uint32{3}),
			b.child(t, "fold/tune", "1", []uint32{0, 1}, []uint32{3, 2}),
		}},
		{Tasks: []link.TaskValues{
			b.child(t, "fold/train", "", []uint32{1}, []uint32{3}), // tolerated
			b.child(t, "fold/tune", "", []uint32{0, 0}, []uint32{3, 2}),
			b.child(t, "fold/tune", "", []uint32{1}, []uint32{3, 0}), // a map over nothing
			{Task: "gate", State: "skipped"},
		}},
		{Tasks: []link.TaskValues{{
			Task: "grid", Indexes: []uint32{2}, Counts: []uint32{3},
			Artifacts: []link.Artifact{{Name: "model", SealedURI: b.seal(t, "outputs.grid.model", `"agent://me/x"`)}},
		}}},
	}
	values, err := take(b.workspace, p, 1, pages...)
	require.NoError(t, err)
	env, err := value.NewProgram(p).Env(1, values)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"ONE": "[0.5,null,0.75]", "ALL": "[[null,1],[],null]", "END": "skipped"}, env)
	require.Equal(t, []value.StagedArtifact{{
		ArtifactRef: plan.ArtifactRef{Task: "grid", Artifact: "model"}, Indexes: []uint32{2}, URI: "agent://me/x",
	}}, values.Staged)

	values, err = take(b.workspace, p, 1)
	require.NoError(t, err)
	require.Equal(t, "[]", string(values.Outputs[plan.OutputRef{Task: "fold", Output: "one"}]))
}

func TestPlacesThatCannotBe(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, test := range []struct{ indexes, counts []uint32 }{
		{[]uint32{3}, []uint32{3}},
		{[]uint32{0, 1}, []uint32{3}},
		{[]uint32{0}, []uint32{plan.MaxItems + 1}},
		{[]uint32{0, 1}, []uint32{3, 3}},
		{nil, nil},
	} {
		_, err := take(b.workspace, folds(), 1, link.Inputs{Tasks: []link.TaskValues{b.child(t, "fold/train", "0.5", test.indexes, test.counts)}})
		require.Error(t, err, test)
	}
}

func TestGatheredValuesHaveALimit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := folds()
	p.Tasks[5].Outputs[0].Type = plan.TypeString
	long := json.RawMessage(`"` + strings.Repeat("x", 60<<10) + `"`)
	var page link.Inputs
	const many = 1200
	for i := range uint32(many) {
		page.Tasks = append(page.Tasks, link.TaskValues{
			Task: "fold/train", Indexes: []uint32{i}, Counts: []uint32{many}, Outputs: []link.Value{{Name: "auc", Open: long}},
		})
	}
	_, err := take(b.workspace, p, 1, page)
	require.ErrorContains(t, err, "more than 64 MiB")
}

func TestEnvOfAnAddedTask(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := folds()
	page := link.Inputs{Env: []link.Value{
		{Name: "DEPTH", Sealed: b.seal(t, "env.DEPTH", `"7"`)},
	}}
	values, err := take(b.workspace, p, 4, page)
	require.NoError(t, err)
	env, err := value.NewProgram(p).Env(4, values)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"DEPTH": "7", "KIND": "tree"}, env)

	sealed, err := b.workspace.SealPlanned("KIND", "a\nb")
	require.NoError(t, err)
	require.Equal(t, `"a\nb"`, b.opened(t, "env.KIND", sealed.Sealed))

	// Whoever stands between may not set what the template does not name, nor
	// anything of a task that is none.
	for task, name := range map[int]string{4: "LD_PRELOAD", 1: "ONE"} {
		values.Env = map[string]string{name: "x"}
		_, err = value.NewProgram(p).Env(task, values)
		wrong, ok := errors.AsType[*value.InputError](err)
		require.True(t, ok)
		require.Contains(t, wrong.Reason, fmt.Sprintf("env %s is not declared by the template", name))
	}
}

// What starts a pipeline knows its params by name only.
func TestParamsMayComeAsText(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.example(t)
	inputs := b.inputs(t)
	inputs.Params = []link.Value{{Name: "epochs", Sealed: b.seal(t, "params.epochs", `"12"`)}}
	values, err := take(b.workspace, p, 1, inputs)
	require.NoError(t, err)
	require.Equal(t, "12", string(values.Params["epochs"]))
	inputs.Params = []link.Value{{Name: "epochs", Sealed: b.seal(t, "params.epochs", `"many"`)}}
	_, err = take(b.workspace, p, 1, inputs)
	require.ErrorContains(t, err, "want int")
}
