package expr_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/proto/expr"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// folds is a map over a group whose inner task is a map again, and a loop.
func folds() *plan.Plan {
	float := func(name string) []plan.Output { return []plan.Output{{Name: name, Type: plan.TypeFloat, Open: true}} }
	return &plan.Plan{
		Params: []plan.Param{{Name: "n", Type: plan.TypeInt}},
		Tasks: []plan.Task{
			{Name: "split", Outputs: []plan.Output{{Name: "parts", Type: plan.List(plan.TypeString)}}},
			{
				Name: "fold", Group: true, ForEach: &plan.ForEach{Items: "${{ tasks.split.outputs.parts }}", Type: plan.TypeString},
				Outputs: []plan.Output{
					{Name: "auc", Type: plan.Collected(plan.TypeFloat), From: &plan.OutputRef{Task: "fold/train", Output: "auc"}},
				},
			},
			{Name: "search", Run: "true", Repeat: &plan.Repeat{Until: "outputs.loss < 0.1", Max: 9}, Outputs: float("loss")},
			{Name: "page", Exit: plan.ExitFailed},
			{Name: "fold/train", In: 2, ForEach: &plan.ForEach{Count: 2, Type: plan.TypeInt}, Outputs: float("auc")},
			{Name: "fold/split", In: 2, Outputs: float("x")},
			{Name: "spare", Template: true},
		},
	}
}

func typeAt(t *testing.T, place expr.Place, source string) (plan.Type, error) {
	t.Helper()
	env, err := expr.NewEnv(place.Decls(folds()))
	require.NoError(t, err)
	program, err := env.Compile(source)
	if err != nil {
		return "", err
	}
	return program.Type(), nil
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	p := folds()
	for _, test := range []struct {
		place  expr.Place
		source string
		want   plan.Type
		wrong  string
	}{
		{expr.In(p, 0), "tasks.fold.outputs.auc", "list<list<float?>?>", ""},
		{expr.In(p, 0), "tasks.fold.outputs.auc.filter(l, l != null).map(l, size(l))", "list<int>", ""},
		{expr.In(p, 0), "tasks.train.outputs.auc", "", "no task `train`"},
		{expr.In(p, 0), "tasks.fold.state", "", "a state for each of its items"},
		{expr.In(p, 0), "tasks.spare.state", "", "no task `spare`"},
		{expr.In(p, 0), "item", "", "only in a task with `for_each`"},
		{expr.In(p, 0), "outputs.loss", "", "there is no `outputs`"},
		{expr.Before(p, 1), "item", "", "only in a task with `for_each`"},
		{expr.In(p, 1), "item", plan.TypeString, ""},
		{expr.In(p, 4), "item", plan.TypeInt, ""},
		{expr.Before(p, 4), "item", plan.TypeString, ""},
		{expr.In(p, 5), "item", plan.TypeString, ""},
		{expr.In(p, 5), "tasks.train.outputs.auc", "list<float?>", ""},
		{expr.In(p, 5), "tasks.train.outputs.auc[0] >= 1", plan.TypeBool, ""},
		{expr.In(p, 5), "tasks.split.outputs.x", plan.TypeFloat, ""},
		{expr.In(p, 5), "tasks.search.state", plan.TypeString, ""},
		{expr.Until(p, 1), "tasks.split.outputs.x > 1", plan.TypeBool, ""},
		{expr.Until(p, 2), "outputs.loss < 0.1", plan.TypeBool, ""},
		{expr.Until(p, 2), "outputs.los < 0.1", "", "the task has no output `los`; did you mean loss?"},
		{expr.Within(p, 1), "tasks.train.outputs.auc", "list<float?>", ""},
		{expr.In(p, 6), "tasks.split.outputs.parts", "", "there are no tasks"},
	} {
		got, err := typeAt(t, test.place, test.source)
		if test.wrong != "" {
			require.ErrorContains(t, err, test.wrong, test.source)
			continue
		}
		require.NoError(t, err, test.source)
		require.Equal(t, test.want, got, test.source)
	}
}

func TestReferencesUseFullNames(t *testing.T) {
	t.Parallel()
	p := folds()
	env, err := expr.NewEnv(expr.Until(p, 1).Decls(p))
	require.NoError(t, err)
	program, err := env.Compile("tasks.split.outputs.x > 1 && tasks.search.state == 'succeeded' && size(item) > 0")
	require.NoError(t, err)
	require.Equal(t, expr.References{
		Outputs: []plan.OutputRef{{Task: "fold/split", Output: "x"}}, States: []string{"search"}, Item: true,
	}, program.References())
	require.Equal(t, []string{"fold/split", "search"}, program.References().Tasks())
	yes, err := program.Bool(expr.Values{
		Outputs: map[plan.OutputRef]json.RawMessage{{Task: "fold/split", Output: "x"}: raw("2")},
		States:  map[string]string{"search": "succeeded"}, Item: raw(`"a"`),
	})
	require.NoError(t, err)
	require.True(t, yes)
}

func TestHolesOfACollectedList(t *testing.T) {
	t.Parallel()
	p := folds()
	env, err := expr.NewEnv(expr.In(p, 5).Decls(p))
	require.NoError(t, err)
	values := expr.Values{Outputs: map[plan.OutputRef]json.RawMessage{{Task: "fold/train", Output: "auc"}: raw("[0.5,null,0.75]")}}
	for source, want := range map[string]string{
		`math.greatest(tasks.train.outputs.auc.filter(x, x != null))`: "0.75",
		`size(tasks.train.outputs.auc)`:                               "3",
		`tasks.train.outputs.auc[1] == null`:                          "true",
		`tasks.train.outputs.auc`:                                     "[0.5,null,0.75]",
	} {
		program, err := env.Compile(source)
		require.NoError(t, err, source)
		got, err := program.Eval(values)
		require.NoError(t, err, source)
		require.Equal(t, want, string(got), source)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	env := newEnv(t)
	all := values()
	for source, want := range map[string]string{
		`tasks.prepare.outputs.rows >= params.min_auc`: `prepare.rows (9007199254740993) >= min_auc (0.91)`,
		`tasks["sign-off"].outputs["auc"] > 1.0`:       `sign-off.auc (none) > 1.0`,
		"params.debug &&\n   item == 2":                `debug (true) && item (1) == 2`,
		`has(params.config.lr) && run.number > 3`:      `has(params.config.lr) && run.number > 3`,
		`size(params.name) > 1 // "why"`:               `size(name (fraud, <b>)) > 1 // "why"`,
	} {
		program, err := env.Compile(source)
		require.NoError(t, err, source)
		if source != `has(params.config.lr) && run.number > 3` {
			require.Equal(t, want, program.Explain(&all))
		}
	}
	program, err := env.Compile(`tasks.prepare.outputs.rows >= params.min_auc`)
	require.NoError(t, err)
	require.Equal(t, `prepare.rows >= min_auc`, program.Explain(nil))
}

func TestEach(t *testing.T) {
	t.Parallel()
	env := newEnv(t)
	for source, want := range map[string]expr.Items{
		`${{ tasks.prepare.outputs.shards }}`:                          {List: []json.RawMessage{raw(`"s0"`), raw(`"s1"`), raw(`"s2"`)}, Count: 3},
		`${{ tasks.prepare.outputs.shards.filter(s, s == "s1") }}`:     {List: []json.RawMessage{raw(`"s1"`)}, Count: 1},
		`${{ tasks.prepare.outputs.shards.filter(s, s == "x") }}`:      {List: []json.RawMessage{}},
		`${{ params.epochs }}`:                                         {Count: 10},
		`${{ params.epochs * 2 }}`:                                     {Count: 20},
		`${{ params.config.layers }}`:                                  {List: []json.RawMessage{raw(`{"size":64}`), raw(`{"size":32}`)}, Count: 2},
		`${{ params.config.layers.map(l, {"z": l.size, "a": "b" }) }}`: {List: []json.RawMessage{raw(`{"a":"b","z":64}`), raw(`{"a":"b","z":32}`)}, Count: 2},
		`${{ [1.5, 2.0] }}`:                                            {List: []json.RawMessage{raw(`1.5`), raw(`2`)}, Count: 2},
	} {
		program, err := env.CompileText(source)
		require.NoError(t, err, source)
		got, err := program.Each(values())
		require.NoError(t, err, source)
		require.Equal(t, want, got, source)
	}
	for source, want := range map[string]string{
		`${{ params.name }}`:      "neither a list nor a whole number",
		`${{ 0 - 1 }}`:            "neither a list nor a whole number",
		`x${{ params.epochs }}`:   "this is text",
		`${{ params.config }}`:    "neither a list nor a whole number",
		`${{ params.tags[9] }}`:   "index",
		`${{ params.config.lr }}`: "neither a list nor a whole number",
	} {
		program, err := env.CompileText(source)
		require.NoError(t, err, source)
		_, err = program.Each(values())
		require.ErrorContains(t, err, want, source)
	}
}

// Whatever the type of an element, it can be compared with null.
func TestEveryHoleIsSeen(t *testing.T) {
	t.Parallel()
	for element, sample := range map[plan.Type]string{
		plan.TypeString: `"a"`, plan.TypeInt: "1", plan.TypeFloat: "0.5", plan.TypeBool: "true", plan.TypeURI: `"s3://a"`,
		plan.TypeJSON: `{"a":1}`, plan.TypeDuration: `"90s"`, plan.TypeBytes: `"aGk="`, plan.List(plan.TypeInt): "[1]",
	} {
		env, err := expr.NewEnv(expr.Decls{Tasks: map[string]expr.TaskDecl{"t": {Outputs: map[string]plan.Type{"x": plan.Collected(element)}}}})
		require.NoError(t, err)
		program, err := env.Compile("size(tasks.t.outputs.x.filter(x, x != null))")
		require.NoError(t, err, element)
		got, err := program.Eval(expr.Values{Outputs: map[plan.OutputRef]json.RawMessage{{Task: "t", Output: "x"}: raw("[null," + sample + "]")}})
		require.NoError(t, err, element)
		require.Equal(t, "1", string(got))
	}
}

// A list that is read as it is may be longer than a value.
func TestEachOfALongList(t *testing.T) {
	t.Parallel()
	p := folds()
	env, err := expr.NewEnv(expr.In(p, 5).Decls(p))
	require.NoError(t, err)
	program, err := env.CompileText("${{ tasks.train.outputs.auc }}")
	require.NoError(t, err)
	list := make([]float64, plan.MaxItems)
	whole, err := json.Marshal(list)
	require.NoError(t, err)
	values := expr.Values{Outputs: map[plan.OutputRef]json.RawMessage{{Task: "fold/train", Output: "auc"}: whole}}
	items, err := program.Each(values)
	require.NoError(t, err)
	require.Equal(t, plan.MaxItems, items.Count)
	text, err := program.Text(values)
	require.NoError(t, err)
	require.Len(t, text, len(whole))
}
