package pipeline_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/pipeline"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func other() *pipeline.Child {
	return &pipeline.Child{
		Plan: &plan.Plan{
			Name: "other",
			Params: []plan.Param{
				{Name: "n", Type: plan.TypeInt, Required: true, Open: true},
				{Name: "word", Type: plan.TypeString},
				{Name: "xs", Type: "list<int>"},
			},
			Outputs: []plan.Output{{Name: "url", Type: plan.TypeURI, Open: true, From: &plan.OutputRef{Task: "a", Output: "u"}}},
		},
		Digest: plan.Digest{1},
	}
}

const begin = "signalbox: v1\nname: top\nparams: {n: {type: int, default: 1, open: true}}\ntasks:\n"

func compileWith(t *testing.T, tasks string, known pipeline.Known) (*pipeline.Compiled, []string) {
	t.Helper()
	c, err := pipeline.CompileWith("p.yaml", []byte(begin+tasks), known)
	if problems, ok := errors.AsType[*pipeline.Problems](err); ok {
		var said []string
		for i := range problems.List {
			said = append(said, problems.List[i].Sentence())
		}
		return nil, said
	}
	require.NoError(t, err)
	return c, nil
}

func TestWhatAChildDeclaresIsKnown(t *testing.T) {
	t.Parallel()
	c, said := compileWith(t, `
  sub: {pipeline: other, version: pinned, with: {n: "${{ params.n }}", word: "x", xs: [1, 2]}}
  after: {run: echo, env: {URL: "${{ tasks.sub.outputs.url }}"}}
`, pipeline.Known{"other": other()})
	require.Empty(t, said)
	sub := c.Plan.Tasks[0]
	require.Equal(t, &plan.Nested{Name: "other", Digest: plan.Digest{1}.String(), Open: []string{"n"}}, sub.Pipeline)
	require.Equal(t, []plan.Output{{Name: "url", Type: plan.TypeURI, Open: true}}, sub.Outputs)
	require.Equal(t, map[string]string{"n": "${{ params.n }}", "word": "x", "xs": "[1,2]"}, sub.With)
	require.True(t, sub.Asks())
	require.Equal(t, []string{"n"}, sub.Asked.Params)
}

func TestWhatAChildDoesNotDeclareIsRefused(t *testing.T) {
	t.Parallel()
	for tasks, want := range map[string]string{
		"  sub: {pipeline: othr, with: {n: 1}}":                                                          "there is no pipeline `othr`",
		"  sub: {pipeline: young}":                                                                       "no version of the pipeline `young` is deployed",
		"  sub: {pipeline: other}":                                                                       "needs the param `n`",
		"  sub: {pipeline: other, with: {n: 1, wrd: x}}":                                                 "has no param `wrd`",
		"  sub: {pipeline: other, with: {n: many}}":                                                      "many",
		"  sub: {pipeline: other, with: {n: '${{ params.n > 1 }}'}}":                                     "this gives a bool, and the param `n` is an int",
		"  sub: {pipeline: other, with: {n: 1}, outputs: {uri: uri}}":                                    "leaves no output `uri`",
		"  sub: {pipeline: other, with: {n: 1}, outputs: {url: int}}":                                    "output `url` of pipeline `other` is a uri",
		"  sub: {pipeline: other, with: {n: 1, xs: ['${{ params.n }}']}}":                                "may not stand here",
		"  sub: {pipeline: top}":                                                                         "the pipeline would run itself: top → top",
		"  a: {run: echo}\n  b: {pipeline: back, if: params.n > 1}":                                      "the pipeline would run itself: top → back → top",
		"  fold:\n    for_each: 3\n    tasks:\n      deep: {pipeline: deep1}":                            "too deeply",
		"  sub: {pipeline: other, with: {n: '${{ tasks.sub.outputs.url }}'}}":                            "itself",
		"  sub: {pipeline: other, with: {n: 1}}\n  a: {run: e, env: {A: '${{ tasks.sub.outputs.no }}'}}": "no",
	} {
		known := pipeline.Known{
			"other": other(), "young": {},
			"back":  {Plan: &plan.Plan{Name: "back"}, Below: pipeline.Known{"top": {Plan: &plan.Plan{Name: "top"}}}},
			"deep1": chainOf(pipeline.MaxRunDepth + 1),
		}
		_, said := compileWith(t, tasks, known)
		require.Len(t, said, 1, "%s: %s", tasks, said)
		require.Contains(t, said[0], want)
	}
	_, said := compileWith(t, "  deep: {pipeline: deep1}", pipeline.Known{"deep1": chainOf(pipeline.MaxRunDepth)})
	require.Empty(t, said)
}

// chainOf is n pipelines, each of which runs the next.
func chainOf(n int) *pipeline.Child {
	c := &pipeline.Child{Plan: &plan.Plan{Name: "deep"}}
	if n > 1 {
		c.Below = pipeline.Known{"deep" + string(rune('0'+n)): chainOf(n - 1)}
	}
	return c
}

func TestNamesOfNestedPipelines(t *testing.T) {
	t.Parallel()
	src := "name: x\ntasks:\n  a: {pipeline: one}\n  b: {tasks: {c: {pipeline: two}, d: {pipeline: one}}}\n  e: {run: 'pipeline: three'}\n  f: {pipeline: ../x}\n"
	require.Equal(t, []string{"one", "two"}, pipeline.Names([]byte(src)))
	require.Empty(t, pipeline.Names([]byte(": [")))
}
