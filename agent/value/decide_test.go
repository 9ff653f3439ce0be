package value_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/value"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// asked is a plan with everything that may be decided; all tasks read the same.
func asked() *plan.Plan {
	reads := plan.Reads{
		Params: []string{"min"}, Outputs: []plan.OutputRef{{Task: "eval", Output: "f1"}, {Task: "eval", Output: "secret"}, {Task: "eval", Output: "parts"}},
		Artifacts: []plan.ArtifactRef{{Task: "eval", Artifact: "lines"}},
	}
	tasks := []plan.Task{
		{
			Name: "eval", ArtifactsOut: []plan.ArtifactOut{{Name: "lines", Type: plan.TypeDataset}},
			Outputs: []plan.Output{
				{Name: "f1", Type: plan.TypeFloat, Open: true}, {Name: "secret", Type: plan.TypeFloat}, {Name: "parts", Type: plan.List(plan.TypeString)},
			},
		},
		{Name: "open", If: "tasks.eval.outputs.f1 >= 0.85"},
		{Name: "sealed", If: "tasks.eval.outputs.secret >= params.min"},
		{Name: "map", ForEach: &plan.ForEach{Items: "${{ tasks.eval.outputs.parts }}", Type: plan.TypeString}, ItemIf: `item != "b"`},
		{Name: "count", ForEach: &plan.ForEach{Items: "${{ size(tasks.eval.outputs.parts) * 2 }}", Type: plan.TypeInt, Max: 5}},
		{Name: "lines", ForEach: &plan.ForEach{Artifact: &plan.ArtifactIn{Task: "eval", Artifact: "lines"}, Type: plan.TypeJSON}, ItemIf: "item.n > 1"},
		{
			Name: "grid", ItemIf: `item.opt == "adam"`,
			ForEach: &plan.ForEach{Type: plan.TypeJSON, Axes: []plan.Axis{
				{Name: "lr", Type: plan.TypeFloat, Values: []json.RawMessage{raw("0.1"), raw("0.01"), raw("1")}},
				{Name: "opt", Type: plan.TypeString, Values: []json.RawMessage{raw(`"adam"`), raw(`"<sgd>"`)}},
			}},
			Env: map[string]string{"ITEM": "${{ item }}"},
		},
		{Name: "wait", Wait: &plan.Wait{Until: "${{ '2026-07-0' + string(size(tasks.eval.outputs.parts)) + 'T06:00:00Z' }}"}},
		{Name: "vote", Approve: &plan.Approve{Message: "Promote ${{ tasks.eval.outputs.secret }}?"}},
		{
			Name: "child", Pipeline: &plan.Nested{Name: "other", Open: []string{"shown"}},
			With: map[string]string{"rate": "${{ tasks.eval.outputs.secret }}", "shown": "${{ params.min }}", "text": "plain"},
		},
		{Name: "loop", Repeat: &plan.Repeat{Until: "outputs.f1 > 0.8", Max: 9}, Outputs: []plan.Output{{Name: "f1", Type: plan.TypeFloat}}},
		{Name: "wrong", If: `tasks.eval.outputs.parts[9] == "x"`},
	}
	for i := range tasks {
		tasks[i].Asked = reads
	}
	tasks[10].Asked.Outputs = []plan.OutputRef{{Task: "loop", Output: "f1"}}
	return &plan.Plan{Name: "p", Params: []plan.Param{{Name: "min", Type: plan.TypeFloat, Open: true, Default: raw("0.9")}}, Tasks: tasks}
}

func raw(text string) json.RawMessage { return json.RawMessage(text) }

// decider asks one agent.
type decider struct {
	*testBundle

	program *value.Program
	items   *value.Items
	located int
	file    string
}

func newDecider(t *testing.T) *decider {
	t.Helper()
	d := &decider{testBundle: setup(t), program: value.NewProgram(asked()), file: filepath.Join(t.TempDir(), "lines")}
	require.NoError(t, os.WriteFile(d.file, []byte("{\"n\": 1}\n\n {\"n\":2, \"m\":[ ]}\n3"), 0o600))
	d.items = value.NewItems(func(string) (string, error) {
		d.located++
		return d.file, nil
	})
	return d
}

func (d *decider) inputs(t *testing.T) link.Inputs {
	t.Helper()
	return link.Inputs{Tasks: []link.TaskValues{
		{
			Task: "eval", Artifacts: []link.Artifact{{Name: "lines", SealedURI: d.seal(t, "outputs.eval.lines", `"agent://me/x"`)}},
			Outputs: []link.Value{
				{Name: "f1", Open: raw("0.5")},
				{Name: "secret", Sealed: d.seal(t, "outputs.eval.secret", "0.25")},
				{Name: "parts", Sealed: d.seal(t, "outputs.eval.parts", `["a","b","a"]`)},
			},
		},
		{Task: "loop", Outputs: []link.Value{{Name: "f1", Sealed: d.seal(t, "outputs.loop.f1", "0.875")}}},
	}}
}

func (d *decider) ask(t *testing.T, w *value.Workspace, kind link.Decision, task string, indexes ...uint32) (link.Decided, string, error) {
	t.Helper()
	_, i, ok := d.program.Plan.Task(task)
	require.True(t, ok)
	intake := w.Intake(d.program.Plan, i, true)
	require.NoError(t, intake.Add(d.inputs(t)))
	values, err := intake.Done()
	require.NoError(t, err)
	return w.Decide(d.items, value.Question{Kind: kind, Program: d.program, Task: i, Indexes: indexes, Values: values})
}

func TestConditionsSayWhyTheyAreFalse(t *testing.T) {
	t.Parallel()
	d := newDecider(t)
	for _, test := range []struct {
		kind    link.Decision
		task    string
		indexes []uint32
		yes     bool
		reason  string
	}{
		{link.DecideBegin, "open", nil, false, "condition_false: eval.f1 (0.5) >= 0.85"},
		{link.DecideBegin, "sealed", nil, false, "condition_false: eval.secret >= min"},
		{link.DecideItem, "map", []uint32{0}, true, ""},
		{link.DecideItem, "map", []uint32{1}, false, `condition_false: item != "b"`},
		{link.DecideItem, "lines", []uint32{0}, false, "condition_false: item.n > 1"},
		{link.DecideItem, "lines", []uint32{1}, true, ""},
		{link.DecideItem, "grid", []uint32{0}, true, ""},
		{link.DecideItem, "grid", []uint32{5}, false, `condition_false: item ({"lr":1,"opt":"<sgd>"}).opt == "adam"`},
		{link.DecideUntil, "loop", nil, true, ""},
	} {
		decided, reason, err := d.ask(t, d.workspace, test.kind, test.task, test.indexes...)
		require.NoError(t, err, test.task)
		require.Equal(t, link.Decided{Yes: test.yes}, decided, test.task)
		require.Equal(t, test.reason, reason)
	}
}

func TestItemsAreCountedAndDigested(t *testing.T) {
	t.Parallel()
	d := newDecider(t)
	list, _, err := d.ask(t, d.workspace, link.DecideBegin, "map")
	require.NoError(t, err)
	require.True(t, list.Yes)
	require.EqualValues(t, 3, list.Count)
	require.Len(t, list.Digests, 3)
	require.Len(t, list.Digests[0], 16)
	require.Equal(t, list.Digests[0], list.Digests[2], "the same item")
	require.NotEqual(t, list.Digests[0], list.Digests[1])
	again, _, err := d.ask(t, d.workspace, link.DecideBegin, "map")
	require.NoError(t, err)
	require.Equal(t, list, again)

	count, _, err := d.ask(t, d.workspace, link.DecideBegin, "count")
	require.NoError(t, err)
	require.Equal(t, link.Decided{Yes: true, Count: 6, Digests: [][]byte{}}, count, "more than the task allows")

	lines, _, err := d.ask(t, d.workspace, link.DecideBegin, "lines")
	require.NoError(t, err)
	require.EqualValues(t, 3, lines.Count)
	require.Len(t, lines.Digests, 3)

	keyless, _, err := d.ask(t, d.blindWithValues(t), link.DecideBegin, "map")
	require.NoError(t, err)
	require.Equal(t, link.Decided{Yes: true, Count: 3, Digests: [][]byte{}}, keyless)
}

// blindWithValues opens what there is and has lost the current key.
func (d *decider) blindWithValues(t *testing.T) *value.Workspace {
	t.Helper()
	keyring, _ := openKeyring(t)
	_, err := keyring.Import(d.key.Export())
	require.NoError(t, err)
	return value.NewWorkspace(d.org, d.ws, keyring, newKey(t).Public())
}

func TestHeldTasksArePrepared(t *testing.T) {
	t.Parallel()
	d := newDecider(t)
	wait, _, err := d.ask(t, d.workspace, link.DecideBegin, "wait")
	require.NoError(t, err)
	require.Equal(t, time.Date(2026, 7, 3, 6, 0, 0, 0, time.UTC), wait.Until.UTC())

	vote, _, err := d.ask(t, d.workspace, link.DecideBegin, "vote")
	require.NoError(t, err)
	require.Equal(t, `"Promote 0.25?"`, d.opened(t, "message.vote", vote.Values[0].Sealed))

	child, _, err := d.ask(t, d.workspace, link.DecideBegin, "child")
	require.NoError(t, err)
	require.Equal(t, []string{"rate", "shown", "text"}, []string{child.Values[0].Name, child.Values[1].Name, child.Values[2].Name})
	require.Equal(t, "0.25", d.opened(t, "params.rate", child.Values[0].Sealed))
	require.Equal(t, "0.9", string(child.Values[1].Open), "declared open by the pipeline that is run")
	require.Nil(t, child.Values[1].Sealed)
	require.Equal(t, `"plain"`, d.opened(t, "params.text", child.Values[2].Sealed))
}

func TestFailuresOfDecisionsKeepValuesBack(t *testing.T) {
	t.Parallel()
	d := newDecider(t)
	_, _, err := d.ask(t, d.workspace, link.DecideBegin, "wrong")
	wrong, ok := errors.AsType[*value.InputError](err)
	require.True(t, ok)
	require.Equal(t, "`if` cannot be evaluated", wrong.Reason)
	require.Contains(t, wrong.Detail, "index")
	for _, test := range []struct {
		task    string
		indexes []uint32
		want    string
	}{
		{"map", []uint32{3}, "for_each of map gives 3 items, and none with the index 3"},
		{"map", nil, "the lease does not say which item of map it is for"},
		{"grid", []uint32{6}, "for_each of grid gives 6 items, and none with the index 6"},
	} {
		_, _, err := d.ask(t, d.workspace, link.DecideItem, test.task, test.indexes...)
		require.ErrorContains(t, err, test.want)
	}
	require.NoError(t, os.WriteFile(d.file, []byte("{\"n\": 1}\nnonsense\n"), 0o600))
	_, _, err = d.ask(t, d.workspace, link.DecideBegin, "lines")
	wrong, ok = errors.AsType[*value.InputError](err)
	require.True(t, ok)
	require.Equal(t, "for_each of lines cannot be evaluated", wrong.Reason)
	require.NoError(t, os.WriteFile(d.file, []byte(strings.Repeat("x", 200<<10)), 0o600))
	_, _, err = d.ask(t, d.workspace, link.DecideBegin, "lines")
	require.ErrorContains(t, err, "line 0 has 204800 bytes")
}

// Each child of a map asks for its item; the list is computed once.
func TestItemsOfAMatrixAndOfLoops(t *testing.T) {
	t.Parallel()
	d := newDecider(t)
	for i, want := range []string{
		`{"lr":0.1,"opt":"adam"}`, `{"lr":0.1,"opt":"<sgd>"}`, `{"lr":0.01,"opt":"adam"}`, `{"lr":0.01,"opt":"<sgd>"}`,
	} {
		var values value.Values
		require.NoError(t, d.items.Item(d.program, 6, false, []uint32{uint32(i)}, &values))
		env, err := d.program.Env(6, values)
		require.NoError(t, err)
		require.Equal(t, want, env["ITEM"])
	}
	require.True(t, d.program.ReadsItem(6))
	require.False(t, d.program.ReadsItem(1))

	// fold[2], its second pass, and in it the inner task's item 5.
	each := &plan.ForEach{Count: 10, Type: plan.TypeInt}
	p := value.NewProgram(&plan.Plan{Tasks: []plan.Task{
		{Name: "fold", Group: true, ForEach: each, Repeat: &plan.Repeat{Until: "true", Max: 3}},
		{Name: "fold/a", In: 1, ForEach: each},
		{Name: "fold/b", In: 1, Repeat: &plan.Repeat{Until: "true", Max: 3}},
	}})
	for _, test := range []struct {
		task    int
		before  bool
		indexes []uint32
		want    string
	}{
		{1, false, []uint32{2, 1, 5}, "5"}, {1, true, []uint32{2, 1}, "2"}, {2, false, []uint32{2, 1, 7}, "2"}, {0, false, []uint32{4}, "4"},
	} {
		var values value.Values
		require.NoError(t, d.items.Item(p, test.task, test.before, test.indexes, &values))
		require.Equal(t, test.want, string(values.Item), fmt.Sprint(test))
	}
}
