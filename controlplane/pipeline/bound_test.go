package pipeline_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/pipeline"
)

// Sources that cost a careless compiler minutes or gigabytes: all are answered,
// with a report of bounded length. A regression shows as a test that hangs.
func TestHostileSources(t *testing.T) {
	t.Parallel()
	const head = "signalbox: v1\nname: x\nparams: {p: int}\n"
	for name, src := range map[string]string{
		"unknown keys on one line": "{signalbox: v1, name: x, " + numbered("k%d: 1, ", 20_000) + "}",
		"unknown tasks on one line": "{signalbox: v1, name: x, tasks: {" +
			numbered("t%d: {run: echo, needs: ["+strings.Repeat("zz,", 70)+"]}, ", 900) + "}}",
		"wrong names in one text":  head + "tasks: {a: {run: echo, env: {A: \"" + strings.Repeat("${{params.q}}", 4500) + "\"}}}",
		"expressions in a command": head + "tasks: {a: {command: [" + strings.Repeat("\"${{x}}\",", 1000) + "]}}",
		"deep":                     "a: " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
		"syntax at the end":        head + strings.Repeat("a: 1\n", 40_000) + " b: 2\n",
		"inherited by all": head + "defaults: {env: {" + numbered("A%d: "+strings.Repeat("x", 800)+", ", 240) + "}}\ntasks:\n" +
			numbered("  t%d: {run: echo}\n", 990),
		"one long cycle":          head + "tasks:\n  t0: {run: echo, needs: [t900]}\n" + chain(900),
		"many cycles":             head + "tasks:\n" + numbered("  t%[1]d: {run: echo, needs: [t%[1]d0, u%[1]d]}\n  u%[1]d: {run: echo, needs: [t%[1]d]}\n", 499),
		"over the limit":          strings.Repeat("#", pipeline.MaxSourceBytes+1),
		"aliases upon aliases":    "a: &a [x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]\n",
		"too many params":         "signalbox: v1\nname: x\nparams: {" + numbered("p%d: int, ", 300) + "}\ntasks: {a: {run: echo}}",
		"too many tasks and more": head + "tasks:\n" + numbered("  t%d: {run: echo}\n", 1000) + "on_exit: [{task: {run: echo}}]",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := pipeline.Compile("x.yaml", []byte(src))
			require.Error(t, err)
			require.Less(t, len(err.Error()), 128<<10)
		})
	}
}

func TestLargePipelineCompiles(t *testing.T) {
	t.Parallel()
	c, err := pipeline.Compile("x.yaml", []byte("signalbox: v1\nname: x\ntasks:\n  t0: {run: echo}\n"+chain(999)))
	require.NoError(t, err)
	require.Len(t, c.Plan.Tasks, pipeline.MaxTasks)
	require.Equal(t, []int{998}, c.Plan.Tasks[999].Needs)
}

// chain is the tasks t1 … tn, each after the one before.
func chain(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "  t%d: {run: echo, needs: [t%d]}\n", i, i-1)
	}
	return b.String()
}

func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}
