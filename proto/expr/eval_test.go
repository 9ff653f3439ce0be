package expr_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/proto/expr"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// values is what the tests' expressions find. The output auc is missing: its
// task was skipped.
func values() expr.Values {
	return expr.Values{
		Params: map[string]json.RawMessage{
			"epochs": raw("10"), "min_auc": raw("0.91"), "name": raw(`"fraud, <b>"`), "dataset": raw(`"s3://lake/x"`),
			"debug": raw("true"), "wait": raw(`"5400s"`), "blob": raw(`"aGk="`), "tags": raw(`["a","b"]`),
			"learning-rate": raw("0.001"),
			"config":        raw(`{"layers":[{"size":64},{"size":32}],"lr":0.5,"n":3,"none":null,"on":true}`),
		},
		Outputs: map[plan.OutputRef]json.RawMessage{
			{Task: "prepare", Output: "shards"}: raw(`["s0","s1","s2"]`),
			{Task: "prepare", Output: "rows"}:   raw("9007199254740993"),
		},
		Artifacts: map[expr.ArtifactRef]string{{Task: "prepare", Artifact: "data"}: "file:///data/1"},
		Item:      raw("1"),
		Run:       expr.Run{ID: "run_1", Number: 7, Pipeline: "fraud", Version: "abc", URL: "https://sb/run_1"},
	}
}

func raw(text string) json.RawMessage { return json.RawMessage(text) }

func TestEval(t *testing.T) {
	t.Parallel()
	env := newEnv(t)
	for source, want := range map[string]string{
		// Each type in and out.
		`params.epochs`:                `10`,
		`params.min_auc`:               `0.91`,
		`params.name`:                  `"fraud, <b>"`,
		`params.dataset`:               `"s3://lake/x"`,
		`params.debug`:                 `true`,
		`params.wait`:                  `"5400s"`,
		`params.blob`:                  `"aGk="`,
		`params.tags`:                  `["a","b"]`,
		`params.config`:                `{"layers":[{"size":64},{"size":32}],"lr":0.5,"n":3,"none":null,"on":true}`,
		`tasks.prepare.outputs.rows`:   `9007199254740993`,
		`tasks.prepare.artifacts.data`: `"file:///data/1"`,
		`item`:                         `1`,
		`run.id + "/" + string(run.number) + run.pipeline + run.version + run.url`: `"run_1/7fraudabchttps://sb/run_1"`,
		// Computing.
		`params.epochs * 2 + item`:                              `21`,
		`float(params.epochs) * params.min_auc`:                 `9.1`,
		`float("1e3") + float(1.5)`:                             `1001.5`,
		`params["learning-rate"] < 1`:                           `true`,
		`params.wait + duration("30m")`:                         `"7200s"`,
		`params.wait > duration("1h")`:                          `true`,
		`duration("250ms")`:                                     `"0.250s"`,
		`string(params.blob) + string(params.wait)`:             `"hi5400s"`,
		`bytes("hi")`:                                           `"aGk="`,
		`params.tags + ["c"]`:                                   `["a","b","c"]`,
		`params.tags[item]`:                                     `"b"`,
		`tasks.prepare.outputs.shards.filter(s, s != "s1")`:     `["s0","s2"]`,
		`tasks.prepare.outputs.shards.map(s, s + "!")`:          `["s0!","s1!","s2!"]`,
		`size(tasks.prepare.outputs.shards)`:                    `3`,
		`params.name.split(", ").join("|").upperAscii()`:        `"FRAUD|<B>"`,
		`["", "a", ""].join("-")`:                               `"-a-"`,
		`" Ä B ".trim().lowerAscii().replace(" ", "")`:          `"Äb"`,
		`params.config.layers.map(l, l.size)`:                   `[64,32]`,
		`params.config.n + 1`:                                   `4`,
		`params.config.lr * 2.0`:                                `1`,
		`params.config["layers"][1].size`:                       `32`,
		`params.config.none == null`:                            `true`,
		`params.config.on ? "yes" : "no"`:                       `"yes"`,
		`has(params.config.lr) && !has(params.config.momentum)`: `true`,
		`{"b": 1, "a": [params.epochs]}`:                        `{"a":[10],"b":1}`,
		`[[1, 2], []]`:                                          `[[1,2],[]]`,
		`[params.wait, duration("1s")]`:                         `["5400s","1s"]`,
		`[params.blob]`:                                         `["aGk="]`,
		`{"t": timestamp("2026-01-01T00:00:00Z"), "u": 1u}`:     `{"t":"2026-01-01T00:00:00Z","u":1}`,
		`math.greatest(params.epochs, 12)`:                      `12`,
		`"fraud, <b>" == params.name`:                           `true`,
		`1e21`:                                                  `1e+21`,
		`0.1 + 0.2`:                                             `0.30000000000000004`,
		// What is not there.
		`has(tasks["sign-off"].outputs.auc)`: `false`,
		`has(tasks.prepare.outputs.rows) && has(tasks.prepare.artifacts.data) && has(run.id) && has(params.epochs)`: `true`,
		`has(tasks["sign-off"].outputs.auc) ? tasks["sign-off"].outputs.auc : 0.0`:                                  `0`,
		`true || tasks["sign-off"].outputs.auc > 1`:                                                                 `true`,
	} {
		program, err := env.Compile(source)
		require.NoError(t, err, source)
		got, err := program.Eval(values())
		require.NoError(t, err, source)
		require.Equal(t, want, string(got), source)
		again, err := program.Eval(values())
		require.NoError(t, err, source)
		require.Equal(t, got, again, source)
	}
}

func TestEvalErrors(t *testing.T) {
	t.Parallel()
	env := newEnv(t)
	for source, want := range map[string]string{
		`tasks["sign-off"].outputs.auc > 1.0`: "there is no `tasks.sign-off.outputs.auc`, in",
		`params.epochs / (item - 1)`:          "division by zero",
		`params.tags[5]`:                      "index out of bounds",
		`params.config.nope`:                  "no such key: nope",
		`params.config.n + 1.5`:               "no such overload",
		`int(params.name)`:                    "in `int(params.name)`",
		`9223372036854775807 + item`:          "integer overflow",
		`1.0 / 0.0`:                           "not a finite number",
		`duration("1ms") - duration("1ns")`:   "not a whole number of milliseconds",
		`duration("1s") - params.wait`:        "no duration",
		`{1: 2}`:                              "the keys of a json object are strings",
		`[dyn(type(1))]`:                      "no value can be a type",
		`params.config.lr.matches("a")`:       "no such overload",
	} {
		program, err := env.Compile(source)
		require.NoError(t, err, source)
		_, err = program.Eval(values())
		var eval *expr.EvalError
		require.ErrorAs(t, err, &eval, source)
		require.ErrorContains(t, err, want, source)
		require.Equal(t, source, eval.Expr)
	}
}

func TestValuesOfAnotherTypeAreNamed(t *testing.T) {
	t.Parallel()
	env := newEnv(t)
	for name, wrong := range map[string]string{
		"epochs": `"10"`, "min_auc": `"x"`, "name": `null`, "debug": `1`, "wait": `"90"`, "blob": `"?"`,
		"tags": `[1]`, "config": `{`, "dataset": `5`,
	} {
		program, err := env.Compile("[params." + name + "]")
		require.NoError(t, err)
		_, err = program.Eval(expr.Values{Params: map[string]json.RawMessage{name: raw(wrong)}})
		require.ErrorContains(t, err, "`params."+name+"`: the value is not a", name)
	}
}

func TestScalarsComeOutAsTheyWentIn(t *testing.T) {
	t.Parallel()
	env := newEnv(t)
	compile := func(name string) *expr.TemplateProgram {
		compiled, err := env.CompileText("${{ params." + name + " }}")
		require.NoError(t, err)
		return compiled
	}
	text, whole, decimal := compile("name"), compile("epochs"), compile("min_auc")
	rapid.Check(t, func(t *rapid.T) {
		for _, test := range []struct {
			name    string
			program *expr.TemplateProgram
			typed   plan.Type
			value   any
		}{
			{"name", text, plan.TypeString, rapid.String().Draw(t, "text")},
			{"epochs", whole, plan.TypeInt, rapid.Int64().Draw(t, "whole")},
			{"min_auc", decimal, plan.TypeFloat, rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64).Draw(t, "decimal")},
		} {
			encoded, err := json.Marshal(test.value)
			require.NoError(t, err)
			in, err := plan.CheckValue(test.typed, encoded)
			require.NoError(t, err)
			out, err := test.program.Eval(expr.Values{Params: map[string]json.RawMessage{test.name: in}})
			require.NoError(t, err)
			require.Equal(t, string(in), string(out))
		}
	})
}
