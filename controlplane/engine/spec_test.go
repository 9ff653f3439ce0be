package engine_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// notInSpec are the fields of a task that do not change what it does.
var notInSpec = map[string]bool{
	"Name": true, "Needs": true, "Rule": true, "Exit": true, "Pool": true, "Priority": true, "Labels": true, "Select": true,
	"Resources": true, "Retry": true, "Timeouts": true, "Tolerate": true, "In": true, "Template": true,
}

func specOf(t *testing.T, p *plan.Plan, i int) plan.Digest {
	t.Helper()
	d, err := engine.SpecDigest(p, &p.Tasks[i])
	require.NoError(t, err)
	return d
}

// Every field of a task counts, but for those that are known not to.
func TestSpecDigestCoversWhatATaskDoes(t *testing.T) {
	t.Parallel()
	empty := specOf(t, &plan.Plan{Tasks: []plan.Task{{}}}, 0)
	task := reflect.TypeFor[plan.Task]()
	for i := range task.NumField() {
		field := task.Field(i)
		changed := plan.Task{}
		touch(reflect.ValueOf(&changed).Elem().Field(i))
		got := specOf(t, &plan.Plan{Tasks: []plan.Task{changed}}, 0)
		if notInSpec[field.Name] {
			require.Equal(t, empty, got, "%s does not change what a task does", field.Name)
		} else {
			require.NotEqual(t, empty, got, "%s changes what a task does", field.Name)
		}
	}
}

func TestSpecDigestOfTheSameTaskElsewhere(t *testing.T) {
	t.Parallel()
	train := plan.Task{
		Name: "train", Run: "python train.py", Env: map[string]string{"LR": "${{ params.lr }}", "A": "1"},
		Reads: plan.Reads{Params: []string{"lr"}}, Outputs: []plan.Output{{Name: "loss", Type: "float"}},
	}
	lr := plan.Param{Name: "lr", Type: "float", Default: json.RawMessage("0.1")}
	p := &plan.Plan{Name: "one", Params: []plan.Param{lr}, Tasks: []plan.Task{train}}
	want := specOf(t, p, 0)

	moved := train
	moved.Needs, moved.Name = []int{0}, "fit"
	lr.Default, lr.Description = json.RawMessage("0.2"), "how fast"
	q := &plan.Plan{Name: "two", Params: []plan.Param{{Name: "other", Type: "string"}, lr}, Tasks: []plan.Task{{Name: "first"}, moved}}
	require.Equal(t, want, specOf(t, q, 1))

	q.Params[1].Type = "string"
	require.NotEqual(t, want, specOf(t, q, 1), "the type of a param that it reads")
	q.Params[1].Type = "float"
	q.Source = &plan.Source{Path: "code"}
	require.NotEqual(t, want, specOf(t, q, 1), "the pipeline's source is the task's")
	q.Tasks[1].Source = &plan.Source{Path: "mine"}
	mine := specOf(t, q, 1)
	q.Source = nil
	require.Equal(t, mine, specOf(t, q, 1), "its own source comes first")
}

// A group does what its inner tasks do, in their order.
func TestSpecDigestOfAGroup(t *testing.T) {
	t.Parallel()
	group := func() *plan.Plan {
		return &plan.Plan{Tasks: []plan.Task{
			{Name: "fold", Group: true, ForEach: &plan.ForEach{Count: 3, MaxParallel: 1}},
			{Name: "fold/train", In: 1, Run: "train"},
			{Name: "fold/score", In: 1, Run: "score", Needs: []int{1}},
		}}
	}
	want := specOf(t, group(), 0)
	p := group()
	p.Tasks[0].ForEach.MaxParallel, p.Tasks[2].Resources.GPUs = 9, 2
	require.Equal(t, want, specOf(t, p, 0))
	for name, change := range map[string]func(p *plan.Plan){
		"an inner command": func(p *plan.Plan) { p.Tasks[1].Run = "other" },
		"an inner edge":    func(p *plan.Plan) { p.Tasks[2].Needs = nil },
		"an inner name":    func(p *plan.Plan) { p.Tasks[1].Name = "fold/fit" },
		"the items":        func(p *plan.Plan) { p.Tasks[0].ForEach.Count = 4 },
	} {
		p := group()
		change(p)
		require.NotEqual(t, want, specOf(t, p, 0), name)
	}
}

// Resumed runs compare digests that other releases stored nowhere, but computed
// from old plans: they must not drift.
func TestSpecDigestIsStable(t *testing.T) {
	t.Parallel()
	p := &plan.Plan{Tasks: []plan.Task{{Name: "train", Run: "python train.py", Env: map[string]string{"B": "2", "A": "1"}}}}
	require.Equal(t, "05234e39ca967ee4bb4251ab6f9470d4a25a82addbb6eede7d42f696f38eebbf", specOf(t, p, 0).String())
}
