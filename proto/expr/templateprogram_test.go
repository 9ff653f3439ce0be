package expr_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/proto/expr"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func TestTemplates(t *testing.T) {
	t.Parallel()
	env := newEnv(t)
	for _, test := range []struct {
		source, json, text string
		resultType         plan.Type
	}{
		{"", `""`, "", plan.TypeString},
		{"plain $HOME", `"plain $HOME"`, "plain $HOME", plan.TypeString},
		{"${{ params.epochs }}", `10`, "10", plan.TypeInt},
		{"${{ params.min_auc }}", `0.91`, "0.91", plan.TypeFloat},
		{"${{ params.dataset }}", `"s3://lake/x"`, "s3://lake/x", plan.TypeURI},
		{"${{ params.debug }}", `true`, "true", plan.TypeBool},
		{"${{ params.wait }}", `"5400s"`, "5400s", plan.TypeDuration},
		{"${{ params.tags }}", `["a","b"]`, `["a","b"]`, "list<string>"},
		{"${{ params.config.layers }}", `[{"size":64},{"size":32}]`, `[{"size":64},{"size":32}]`, plan.TypeJSON},
		{
			"AUC ${{ params.min_auc }} of ${{ params.name }} in ${{ params.tags }}, ${{ params.wait }}",
			`"AUC 0.91 of fraud, <b> in [\"a\",\"b\"], 5400s"`, `AUC 0.91 of fraud, <b> in ["a","b"], 5400s`, plan.TypeString,
		},
		{" ${{ params.epochs }}", `" 10"`, " 10", plan.TypeString},
		{"${{ '${{' }} ${{ {'a': {'b': '}}'}}.a.b }}", `"${{ }}"`, "${{ }}", plan.TypeString},
	} {
		compiled, err := env.CompileText(test.source)
		require.NoError(t, err, test.source)
		require.Equal(t, test.resultType, compiled.Type(), test.source)
		got, err := compiled.Eval(values())
		require.NoError(t, err, test.source)
		require.Equal(t, test.json, string(got), test.source)
		text, err := compiled.Text(values())
		require.NoError(t, err, test.source)
		require.Equal(t, test.text, text)
		require.Equal(t, test.source, compiled.Template().String())
	}
}

func TestTemplateErrorsPointIntoTheTemplate(t *testing.T) {
	t.Parallel()
	source := "ü ${{ params.epochs }} ${{ params.nope }} and ${{ item + true }}"
	_, err := newEnv(t).CompileText(source)
	var errs expr.Errors
	require.ErrorAs(t, err, &errs)
	require.Len(t, errs, 2)
	require.True(t, strings.HasPrefix(source[errs[0].Offset:], "nope"))
	require.True(t, strings.HasPrefix(source[errs[1].Offset:], "+ true"))

	_, err = newEnv(t).CompileText("${{")
	require.ErrorAs(t, err, &errs)
}

func TestTemplateReferences(t *testing.T) {
	t.Parallel()
	compiled, err := newEnv(t).CompileText("${{ params.name }} ${{ tasks.prepare.outputs.rows }} ${{ params.epochs }}")
	require.NoError(t, err)
	require.Equal(t, expr.References{
		Params:  []string{"epochs", "name"},
		Outputs: []plan.OutputRef{{Task: "prepare", Output: "rows"}},
	}, compiled.References())
	_, err = compiled.Text(expr.Values{Params: values().Params})
	require.ErrorContains(t, err, "there is no `tasks.prepare.outputs.rows`")
}

func TestTemplateTextIsLimited(t *testing.T) {
	t.Parallel()
	compiled, err := newEnv(t).CompileText("${{ params.name }}${{ params.name }}")
	require.NoError(t, err)
	_, err = compiled.Eval(expr.Values{Params: map[string]json.RawMessage{
		"name": raw(`"` + strings.Repeat("x", 40_000) + `"`),
	}})
	require.ErrorContains(t, err, "65536")
}

func ExampleEnv_CompileText() {
	env, err := expr.NewEnv(expr.Decls{Params: map[string]plan.Type{"epochs": plan.TypeInt}})
	if err != nil {
		panic(err)
	}
	template, err := env.CompileText("--epochs=${{ params.epochs * 2 }}")
	if err != nil {
		panic(err)
	}
	text, err := template.Text(expr.Values{Params: map[string]json.RawMessage{"epochs": json.RawMessage("5")}})
	fmt.Println(text, err)
	_, err = env.CompileText("--epochs=${{ params.epoch }}")
	fmt.Println(err)
	// Output:
	// --epochs=10 <nil>
	// there is no param `epoch`; did you mean epochs?
}
