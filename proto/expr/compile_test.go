package expr_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/proto/expr"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// decls is what the tests' expressions may read.
func decls() expr.Decls {
	return expr.Decls{
		Params: map[string]plan.Type{
			"epochs": plan.TypeInt, "min_auc": plan.TypeFloat, "name": plan.TypeString, "dataset": plan.TypeURI,
			"debug": plan.TypeBool, "config": plan.TypeJSON, "wait": plan.TypeDuration, "blob": plan.TypeBytes,
			"tags": plan.List(plan.TypeString), "learning-rate": plan.TypeFloat, "token": plan.TypeString,
		},
		Tasks: map[string]expr.TaskDecl{
			"prepare": {
				Outputs:   map[string]plan.Type{"shards": plan.List(plan.TypeString), "rows": plan.TypeInt},
				Artifacts: map[string]plan.Type{"data": plan.TypeDataset},
			},
			"sign-off": {Outputs: map[string]plan.Type{"auc": plan.TypeFloat}},
			"empty":    {},
		},
		Item:    plan.TypeInt,
		Refused: map[string]string{"params.token": "it is sealed", "tasks.later": "it runs after this one"},
	}
}

func newEnv(t require.TestingT) *expr.Env {
	env, err := expr.NewEnv(decls())
	require.NoError(t, err)
	return env
}

func TestTypes(t *testing.T) {
	t.Parallel()
	env := newEnv(t)
	for source, want := range map[string]plan.Type{
		`params.epochs`:                                plan.TypeInt,
		`params.epochs + 1`:                            plan.TypeInt,
		`float(params.epochs) * 0.5`:                   plan.TypeFloat,
		`params.name + "!"`:                            plan.TypeString,
		`params.dataset`:                               plan.TypeURI,
		`params.dataset + "/x"`:                        plan.TypeString,
		`params.debug && item > 1`:                     plan.TypeBool,
		`params.config`:                                plan.TypeJSON,
		`params.config.layers[0].size`:                 plan.TypeJSON,
		`params.wait + duration("1m")`:                 plan.TypeDuration,
		`params.blob`:                                  plan.TypeBytes,
		`params.tags`:                                  "list<string>",
		`params.tags.map(x, size(x))`:                  "list<int>",
		`[[1], [2]]`:                                   plan.TypeJSON,
		`[1, "a"]`:                                     plan.TypeJSON,
		`{"a": 1}`:                                     plan.TypeJSON,
		`null`:                                         plan.TypeJSON,
		`tasks.prepare.outputs.shards`:                 "list<string>",
		`tasks.prepare.artifacts.data`:                 plan.TypeURI,
		`tasks["sign-off"].outputs.auc`:                plan.TypeFloat,
		`tasks["sign-off"]["outputs"]["auc"] >= 1`:     plan.TypeBool,
		`params["learning-rate"]`:                      plan.TypeFloat,
		`has(tasks.prepare.outputs.rows)`:              plan.TypeBool,
		`has(params.config.lr) ? params.config.lr : 1`: plan.TypeJSON,
		`run.number`:                                   plan.TypeInt,
		`run.url`:                                      plan.TypeURI,
		`params.tags[item]`:                            plan.TypeString,
		`params.tags[params.epochs]`:                   plan.TypeString,
		`params.tags.exists(x, x == params.name)`:      plan.TypeBool,
		`params.name.split(",").join(";")`:             plan.TypeString,
		`string(timestamp("2026-01-01T00:00:00Z"))`:    plan.TypeString,
		`params.debug ? params.tags : ["a"]`:           "list<string>",
		`tasks.prepare.outputs.rows > 1.5`:             plan.TypeBool,
		`math.greatest(params.epochs, 1)`:              plan.TypeInt,
		`params.config.map(x, x)`:                      plan.TypeJSON,
		`params.name.matches("^[a-z]+$") ? 1 : 2`:      plan.TypeInt,
		`dyn(params.epochs)`:                           plan.TypeJSON,
		`type(params.epochs) == int`:                   plan.TypeBool,
		`"x" in params.tags`:                           plan.TypeBool,
		`params.epochs // the number of passes`:        plan.TypeInt,
	} {
		program, err := env.Compile(source)
		require.NoError(t, err, source)
		require.Equal(t, want, program.Type(), source)
		require.Equal(t, source, program.Source())
	}
}

func TestCompileErrors(t *testing.T) {
	t.Parallel()
	env := newEnv(t)
	for _, test := range []struct {
		source string
		at     string // the text at the offset, up to the end
		want   string
	}{
		// Names.
		{`1 + params.epoch`, `epoch`, "there is no param `epoch`; did you mean epochs?"},
		{`params["epoch"]`, `"epoch"]`, "there is no param `epoch`; did you mean epochs?"},
		{`params . zzz`, `zzz`, "there is no param `zzz`"},
		{`"ü" + params.nam`, `nam`, "there is no param `nam`; did you mean name?"},
		{"1 +\n  params.epoch", `epoch`, "there is no param `epoch`; did you mean epochs?"},
		{`tasks.prepar.outputs.rows`, `prepar.outputs.rows`, "there is no task `prepar` to read from here; did you mean prepare?"},
		{`tasks.prepare.outputs.row`, `row`, "the task `prepare` has no output `row`; did you mean rows?"},
		{`tasks.prepare.artifacts.dat`, `dat`, "the task `prepare` has no artifact `dat`; did you mean data?"},
		{`tasks.empty.outputs.x`, `x`, "the task `empty` has no output `x`: there are no outputs"},
		{`tasks.prepare.output.rows`, `output.rows`, "a task has `outputs`, `artifacts` and `state`, not `output`; did you mean outputs?"},
		{`tasks.sign-off.outputs.auc`, `sign-off.outputs.auc`, "a name with a dash stands in brackets: tasks[\"sign-off\"]"},
		{`params.learning-rate * 2.0`, `learning-rate * 2.0`, "a name with a dash stands in brackets: params[\"learning-rate\"]"},
		{`params`, `params`, "`params` alone is no value; write params.<param>"},
		{`size(tasks)`, `tasks)`, "`tasks` alone is no value; write tasks.<task>.outputs.<output>"},
		{`tasks.prepare`, `prepare`, "a task alone is no value; write tasks.prepare.outputs.<output>"},
		{`tasks.prepare.outputs`, `outputs`, "`tasks.prepare.outputs` alone is no value; write tasks.prepare.outputs.<output>"},
		{`params[params.name]`, `params.name]`, "a name cannot be computed; write it as it is"},
		{`run.numbr`, `numbr`, "`run` has no field `numbr`; did you mean number?"},
		{`run.outcome`, `outcome`, "`run.outcome` is known to exit handlers only"},
		{`params.token`, `token`, "`params.token` cannot be read here: it is sealed"},
		{`has(params.token)`, `(params.token)`, "`params.token` cannot be read here: it is sealed"},
		{`tasks.later.outputs.x`, `later.outputs.x`, "`tasks.later` cannot be read here: it runs after this one"},
		{`secrets.TOKEN`, `secrets.TOKEN`, "expressions cannot read secrets; a task names them under `secrets:`"},
		{`env.HOME`, `env.HOME`, "expressions cannot read the environment; use a param"},
		{`parms.epochs`, `parms.epochs`, "there is no `parms`; expressions read params, tasks, item and run; did you mean params?"},
		{`params.tags.map(item, item)`, `(item, item)`, "`item` has a meaning of its own; name the variable otherwise"},
		// Types.
		{`params.epochs + 0.5`, `+ 0.5`, "`+` does not work on int and float; write float(…) around the int"},
		{`params.epochs + "x"`, `+ "x"`, "`+` does not work on int and string"},
		{`!params.epochs`, `!params.epochs`, "`!` does not work on int"},
		{`params.debug && params.epochs`, `epochs`, "this is int, and bool is needed"},
		{`params.epochs ? 1 : 2`, `? 1 : 2`, "the condition before `?` must be bool, and is int"},
		{`params.debug ? 1 : "x"`, `? 1 : "x"`, "the two sides of `:` must have one type, and are int and string"},
		{`params.tags["a"]`, `["a"]`, "list(string) cannot be indexed with string"},
		{`size(params.epochs)`, `(params.epochs)`, "`size` does not work on (int)"},
		{`params.epochs.lr`, `lr`, "int has no fields"},
		{`params.wait < 5`, `< 5`, "`<` does not work on duration and int"},
		{`timestamp("2026-01-01T00:00:00Z")`, `timestamp("2026-01-01T00:00:00Z")`, "no value can be a timestamp; turn it into text with string(…)"},
		{`duration("7d")`, `"7d")`, "invalid duration argument"},
		{`params.name.matches("(")`, `"(")`, "invalid matches argument"},
		// Syntax.
		{``, ``, "the expression ends too early"},
		{`1 +`, ``, "the expression ends too early"},
		{`(1`, ``, "the expression ends too early"},
		{`1 2`, `2`, "extraneous input '2'"},
		{`nope(1)`, `nope(1)`, "there is no function `nope`"},
		{`params.tags.sizee()`, `sizee()`, "there is no function `sizee`; did you mean size?"},
		{`params.name.trim(1)`, `(1)`, "`trim` does not work on string with (int)"},
	} {
		_, err := env.Compile(test.source)
		var errs expr.Errors
		require.ErrorAs(t, err, &errs, test.source)
		require.Equal(t, test.want, errs[0].Error(), test.source)
		require.Equal(t, test.at, test.source[errs[0].Offset:], test.source)
	}
}

func TestAllNameErrorsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := newEnv(t).Compile(`params.a + tasks.b.outputs.c + params.epochs + [1].map(x, params.d)[0]`)
	var errs expr.Errors
	require.ErrorAs(t, err, &errs)
	require.Len(t, errs, 3)
	require.Equal(t, 3, strings.Count(err.Error(), "there is no"))
}

func TestNothingToRead(t *testing.T) {
	t.Parallel()
	env, err := expr.NewEnv(expr.Decls{Refused: map[string]string{"run": "it has not begun"}})
	require.NoError(t, err)
	for source, want := range map[string]string{
		"params.x":          "there is no param `x`: there are no params",
		"tasks.x.outputs.y": "there is no task `x` to read from here: there are no tasks",
		"item":              "`item` exists only in a task with `for_each`",
		"run.id":            "`run` cannot be read here: it has not begun",
	} {
		_, err := env.Compile(source)
		require.EqualError(t, err, want)
	}
}

func TestExitHandlersKnowTheOutcome(t *testing.T) {
	t.Parallel()
	env, err := expr.NewEnv(expr.Decls{Exit: true})
	require.NoError(t, err)
	program, err := env.CompileCondition(`run.outcome == "failed"`)
	require.NoError(t, err)
	failed, err := program.Bool(expr.Values{Run: expr.Run{Outcome: "failed"}})
	require.NoError(t, err)
	require.True(t, failed)
}

func TestConditionsAreTrueOrFalse(t *testing.T) {
	t.Parallel()
	env := newEnv(t)
	_, err := env.CompileCondition("params.epochs")
	require.EqualError(t, err, "a condition is true or false, and this is an int")
	program, err := env.CompileCondition("params.config")
	require.NoError(t, err)
	_, err = program.Bool(expr.Values{Params: map[string]json.RawMessage{"config": json.RawMessage("1")}})
	require.ErrorContains(t, err, "neither true nor false")
}

func TestReferences(t *testing.T) {
	t.Parallel()
	program, err := newEnv(t).Compile(`params.name + params.name == "" || has(tasks.prepare.outputs.rows) ||
		tasks.prepare.outputs.shards.exists(s, s == params.tags[item]) || tasks["sign-off"].outputs.auc > 1 ||
		tasks.prepare.artifacts.data == run.url`)
	require.NoError(t, err)
	references := program.References()
	require.Equal(t, expr.References{
		Params: []string{"name", "tags"},
		Outputs: []plan.OutputRef{
			{Task: "prepare", Output: "rows"}, {Task: "prepare", Output: "shards"}, {Task: "sign-off", Output: "auc"},
		},
		Artifacts: []expr.ArtifactRef{{Task: "prepare", Artifact: "data"}},
		Item:      true,
		Run:       true,
	}, references)
	require.Equal(t, []string{"prepare", "sign-off"}, references.Tasks())
}

func TestNewEnvRefusesUnknownTypes(t *testing.T) {
	t.Parallel()
	for _, decls := range []expr.Decls{
		{Params: map[string]plan.Type{"x": "number"}},
		{Tasks: map[string]expr.TaskDecl{"t": {Outputs: map[string]plan.Type{"x": plan.TypeModel}}}},
		{Item: "list<model>"},
	} {
		_, err := expr.NewEnv(decls)
		require.ErrorContains(t, err, "unknown type")
	}
}

func TestExpressionsHaveLimits(t *testing.T) {
	t.Parallel()
	env := newEnv(t)
	for _, source := range []string{
		strings.Repeat("1+", expr.MaxExpr) + "1",
		strings.Repeat("(", 500) + "1" + strings.Repeat(")", 500),
		strings.Repeat("[", 500) + strings.Repeat("]", 500),
		`"x".matches("` + strings.Repeat("(a{100}){100}", 3) + `")`,
	} {
		_, err := env.Compile(source)
		require.Error(t, err)
	}
}
