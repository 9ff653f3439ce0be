package step_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/step"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// planning is a pipeline with a template.
func planning() *plan.Plan {
	return &plan.Plan{Tasks: []plan.Task{
		{Name: "explore", Run: "true"},
		{Name: "fit", Template: true, Run: "true", Env: map[string]string{"DEPTH": "1", "TAGS": "x"}},
	}}
}

func planned(t *testing.T, content string) ([]step.Planned, error) {
	t.Helper()
	b := setup(t)
	b.write(t, "plan.jsonl", content)
	return b.folder.Planned(planning())
}

func TestPlanned(t *testing.T) {
	t.Parallel()
	want := []step.Planned{
		{ID: "a", Template: "fit", Env: map[string]string{"DEPTH": "3", "TAGS": `["x","y"]`}},
		{ID: "b", Template: "fit", Needs: []string{"a"}, Env: map[string]string{"DEPTH": "deep\n"}},
	}
	for _, content := range []string{
		`{"id": "a", "template": "fit", "env": {"DEPTH": 3, "TAGS": ["x","y"]}}
{"id": "b", "template": "fit", "needs": ["a"], "env": {"DEPTH": "deep\n"}}
`,
		` [{"id": "a", "template": "fit", "env": {"DEPTH": 3, "TAGS": ["x","y"]}},
 {"id": "b", "template": "fit", "needs": ["a"], "env": {"DEPTH": "deep\n"}}]`,
	} {
		got, err := planned(t, content)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, nothing := range []string{"", " \n", "[]"} {
		got, err := planned(t, nothing)
		require.NoError(t, err)
		require.Empty(t, got)
	}
}

func TestPlannedIsLinted(t *testing.T) {
	t.Parallel()
	var many strings.Builder
	for i := range 1001 {
		fmt.Fprintf(&many, `{"id": "t%d", "template": "fit"}`, i)
	}
	for content, want := range map[string]string{
		`{"id": "a b", "template": "fit"}`:                              `task 0: "a b" cannot be an id`,
		`{"template": "fit"}`:                                           `task 0: "" cannot be an id`,
		`{"id": "a", "template": "fit"} {"id": "a", "template": "fit"}`: `the id "a" stands there twice`,
		`{"id": "a"}`:                                    `task "a": it names no template; there are fit`,
		`{"id": "a", "template": "explore"}`:             `task "a": "explore" is no template; there are fit`,
		`{"id": "a", "template": "fit", "needs": ["z"]}`: `task "a": it needs "z", which is none of the tasks of this plan`,
		`{"id": "a", "template": "fit", "needs": ["b"]}{"id": "b", "template": "fit", "needs": ["a"]}`:        "these tasks wait for one another: a, b",
		`{"id": "a", "template": "fit", "needs": ["a"]}`:                                                      "these tasks wait for one another: a",
		`{"id": "a", "template": "fit", "env": {"DEPHT": "1"}}`:                                               `env "DEPHT" is not declared by the template fit`,
		`{"id": "a", "template": "fit", "env": {"DEPTH": "` + strings.Repeat("x", plan.MaxValueBytes) + `"}}`: "env DEPTH has 65536 bytes",
		`{"id": "a", "template": "fit", "run": "rm"}`:                                                         `task 0: unknown key "run"; want id, template, needs and env`,
		`{"id": "a", "template": "fit"} nonsense`:                                                             "task 1 is no JSON object",
		`[{"id": "a", "template": "fit"}] x`:                                                                  "there is more after the list",
		`[{"id": 5}]`:                                                                                         "task 0 is no JSON object",
		many.String():                                                                                         "1001 tasks are more than 1000",
		strings.Repeat(" ", 4<<20) + "x":                                                                      "the file has 4194305 bytes",
	} {
		_, err := planned(t, content)
		require.ErrorContains(t, err, "$SB_PLAN: ")
		require.ErrorContains(t, err, want)
	}
	b := setup(t)
	b.write(t, "plan.jsonl", `{"id": "a", "template": "fit"}`)
	_, err := b.folder.Planned(&plan.Plan{})
	require.ErrorContains(t, err, "no task of the pipeline is marked `template: true`")
}
