package expr_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/proto/expr"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// longList is a list of n numbers as JSON.
func longList(n int) json.RawMessage {
	return raw("[" + strings.TrimSuffix(strings.Repeat("1,", n), ",") + "]")
}

func TestCostIsLimited(t *testing.T) {
	t.Parallel()
	env, err := expr.NewEnv(expr.Decls{Params: map[string]plan.Type{"l": "list<int>", "s": plan.TypeString}})
	require.NoError(t, err)
	input := expr.Values{Params: map[string]json.RawMessage{
		"l": longList(30_000), "s": raw(`"` + strings.Repeat("x", 60_000) + `"`),
	}}
	for source, want := range map[string]string{
		`params.l.all(a, params.l.all(b, a == b))`:                        "costs too much",
		`params.l.map(a, params.l.map(b, a * b))`:                         "costs too much",
		`params.l.map(a, params.s + params.s)`:                            "costs too much",
		`params.s.replace("x", params.s)`:                                 "replace gives more than 65536 bytes",
		`params.l.map(a, params.s).join(params.s)`:                        "join gives more than 65536 bytes",
		`params.s + params.s`:                                             "65536",
		`params.l.map(a, params.l)`:                                       "longer than 65536 bytes",
		`params.l.map(a, params.s)`:                                       "longer than 65536 bytes",
		`params.l.map(a, {"a": params.l})`:                                "costs too much",
		`[{"a": params.l}, {"a": params.l}]`:                              "longer than 65536 bytes",
		`params.l` + strings.Repeat(` + params.l`, 50):                    "longer than 65536 bytes",
		`[1].map(a, [1].map(b, params.l.map(c, params.l.map(d, c + d))))`: "costs too much",
	} {
		program, err := env.Compile(source)
		require.NoError(t, err, source)
		begin := time.Now()
		_, err = program.Eval(input)
		require.ErrorContains(t, err, want, source)
		require.Less(t, time.Since(begin), 10*time.Second, source)
	}
	program, err := env.Compile(`size(params.l.filter(x, x > 0)) == 30000 && params.l.exists(x, x == 1)`)
	require.NoError(t, err)
	ok, err := program.Bool(input)
	require.NoError(t, err)
	require.True(t, ok)
	_, err = env.Compile(`params.l.all(a, params.l.all(b, a == b))`)
	require.NoError(t, err)
}

// FuzzCompile holds that no text brings the compiler or an evaluation down, and
// that errors point into the text.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		`params.epochs + 1`, `tasks["sign-off"].outputs.auc > 0.5`, `has(params.config.x) ? 1 : 2`,
		`params.tags.map(x, x + params.name)`, `tasks.sign-off`, `params[params]`, `{"a": [1u, b"x", null]}`,
		`secrets.x`, `item.item`, `run.outcome`, `"ü".matches(params.name)`, `duration("1h") * 2`, `params.`, `((`,
	} {
		f.Add(seed)
	}
	env := newEnv(f)
	f.Fuzz(func(t *testing.T, source string) {
		program, err := env.Compile(source)
		if err != nil {
			var errs expr.Errors
			require.ErrorAs(t, err, &errs)
			for _, one := range errs {
				require.NotEmpty(t, one.Text)
				require.GreaterOrEqual(t, one.Offset, 0)
				require.LessOrEqual(t, one.Offset, len(source))
			}
			return
		}
		result, err := program.Eval(values())
		if err != nil {
			return
		}
		again, err := plan.CheckValue(program.Type(), result)
		require.NoError(t, err)
		require.Equal(t, string(result), string(again), "a result is canonical")
	})
}

func BenchmarkCompileAndEval(b *testing.B) {
	env := newEnv(b)
	b.Run("compile", func(b *testing.B) {
		for b.Loop() {
			_, err := env.Compile(`tasks.prepare.outputs.rows > params.epochs && params.debug`)
			require.NoError(b, err)
		}
	})
	program, err := env.Compile(`tasks.prepare.outputs.rows > params.epochs && params.debug`)
	require.NoError(b, err)
	b.Run("eval", func(b *testing.B) {
		for b.Loop() {
			_, err := program.Bool(values())
			require.NoError(b, err)
		}
	})
}
