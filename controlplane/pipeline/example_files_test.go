package pipeline_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/pipeline"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func TestExamplesCompile(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../examples/*/pipeline.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 2)
	for _, file := range files {
		c, err := pipeline.Compile(file, read(t, file))
		require.NoError(t, err)
		require.Empty(t, c.Warnings)
		require.Equal(t, filepath.Base(filepath.Dir(file)), c.Plan.Name)
	}
}

func TestDigitsGraph(t *testing.T) {
	t.Parallel()
	c, err := pipeline.Compile("digits", read(t, "../../examples/digits/pipeline.yaml"))
	require.NoError(t, err)
	needs := map[string][]string{}
	for _, task := range c.Plan.Tasks {
		needs[task.Name] = []string{}
		for _, up := range task.Needs {
			needs[task.Name] = append(needs[task.Name], c.Plan.Tasks[up].Name)
		}
	}
	require.Equal(t, map[string][]string{
		"setup":          {},
		"prepare":        {"setup"},
		"train-logistic": {"setup", "prepare"},
		"train-svm":      {"setup", "prepare"},
		"train-forest":   {"setup", "prepare"},
		"evaluate":       {"setup", "prepare", "train-logistic", "train-svm", "train-forest"},
		"gate":           {"evaluate"},
		"register":       {"evaluate", "gate"},
		"explain":        {},
	}, needs)
	evaluate, _, ok := c.Plan.Task("evaluate")
	require.True(t, ok)
	require.Contains(t, evaluate.Outputs, plan.Output{Name: "accuracy", Type: plan.TypeFloat, Open: true})
}

// So must what docs/flow.md shows.
func TestTheGuidesPipelinesCompile(t *testing.T) {
	t.Parallel()
	parts := strings.Split(string(read(t, "../../docs/flow.md")), "```yaml\n")[1:]
	require.Len(t, parts, 9)
	for _, part := range parts {
		source, _, ok := strings.Cut(part, "```\n")
		require.True(t, ok)
		c, err := pipeline.Compile("flow.md", []byte(source))
		require.NoError(t, err)
		require.Empty(t, c.Warnings)
	}
}

// What the README shows must compile.
func TestTheReadmesPipelineCompiles(t *testing.T) {
	t.Parallel()
	_, after, ok := strings.Cut(string(read(t, "../../README.md")), "```yaml\n")
	require.True(t, ok)
	source, _, ok := strings.Cut(after, "```\n")
	require.True(t, ok)
	c, err := pipeline.Compile("README.md", []byte(source))
	require.NoError(t, err)
	require.Empty(t, c.Warnings)
}
