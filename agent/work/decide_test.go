package work_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/fakeplane"
	"github.com/signalboxhq/signalbox/agent/policy"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

const (
	begin = agentv1.Decision_DECISION_BEGIN
	item  = agentv1.Decision_DECISION_ITEM
)

// decision queues a question about a task, in a run of its own.
func (b *testBundle) decision(t *testing.T, kind agentv1.Decision, task plan.Task, indexes []uint32, params ...*runv1.Value) int64 {
	t.Helper()
	task.Name, b.run = "ask", id.New()
	return b.plane.Queue(fakeplane.Attempt{
		Version: b.deploy(t, task), Run: b.run, Task: "ask", Params: params, Decision: kind, Indexes: indexes,
	})
}

func word(task plan.Task) plan.Task {
	task.Asked = plan.Reads{Params: []string{"word", "n"}}
	return task
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	secret := b.sealed(t, "word", `"`+canary+`"`)

	report := b.plane.Report(b.decision(t, begin, word(plan.Task{If: "params.n > 4"}), nil, secret))
	requireOutcome(t, report, "succeeded", "", "condition_false: n (3) > 4")
	require.False(t, report.GetStarted())
	require.False(t, report.GetAnswer().GetYes())
	require.Zero(t, report.GetAttempt())

	report = b.plane.Report(b.decision(t, begin, word(plan.Task{If: `params.word == "x"`}), nil, secret))
	requireOutcome(t, report, "succeeded", "", `condition_false: word == "x"`)

	each := &plan.ForEach{Items: `${{ [params.word, "b"] }}`, Type: plan.TypeString}
	report = b.plane.Report(b.decision(t, begin, word(plan.Task{ForEach: each}), nil, secret))
	requireOutcome(t, report, "succeeded", "", "")
	require.True(t, report.GetAnswer().GetYes())
	require.EqualValues(t, 2, report.GetAnswer().GetCount())
	require.Len(t, report.GetAnswer().GetDigests(), 2)

	report = b.plane.Report(b.decision(t, item, word(plan.Task{ForEach: each, ItemIf: `item == "b"`}), []uint32{1}, secret))
	require.True(t, report.GetAnswer().GetYes())

	report = b.plane.Report(b.decision(t, begin, word(plan.Task{Approve: &plan.Approve{Message: "Use ${{ params.word }}?"}}), nil, secret))
	require.Equal(t, `"Use `+canary+`?"`, b.open(t, "message.ask", report.GetAnswer().GetValues()[0].GetSealed()))

	report = b.plane.Report(b.decision(t, begin, word(plan.Task{Wait: &plan.Wait{Until: "2026-07-01T06:00:00Z"}}), nil))
	require.Equal(t, time.Date(2026, 7, 1, 6, 0, 0, 0, time.UTC), report.GetAnswer().GetUntil().AsTime())

	report = b.plane.Report(b.decision(t, begin, word(plan.Task{If: `int(params.word) > 1`}), nil, secret))
	requireOutcome(t, report, "failed", "user", "`if` cannot be evaluated")
	require.True(t, report.GetFinal())
	require.Nil(t, report.GetAnswer())
	require.Contains(t, b.open(t, "error", report.GetSealedError()), "type conversion error")

	report = b.plane.Report(b.decision(t, agentv1.Decision(99), word(plan.Task{}), nil))
	requireOutcome(t, report, "rejected", "infra", "too old for the decision")
	require.NotContains(t, string(b.plane.Sent()), canary)
	require.NotContains(t, b.log.String(), canary)
	require.NotContains(t, b.log.String(), "an attempt", "decisions are no news")
}

// A policy that names pipelines holds for what only reads values, too.
func TestDecisionsOfForeignPipelinesAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var err error
	b.policy, err = policy.Parse([]byte("[allow]\npipelines = [\"other\"]\n"))
	require.NoError(t, err)
	b.start(t)
	report := b.plane.Report(b.decision(t, begin, word(plan.Task{If: "params.n > 4"}), nil))
	requireOutcome(t, report, "refused", "policy", `rule allow.pipelines: pipeline "p" is not in the list`)
}

// A busy agent goes on deciding, and takes the next step as soon as one has ended
// although its poll offers decisions only.
func TestDecisionsTakeNoSlot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.slots = 1
	b.start(t)
	tell, reached := b.reached(t, "ready")
	gate, open := b.gate(t, "gate")
	first := b.script(t, tell+gate)
	reached()
	for range 3 {
		report := b.plane.Report(b.decision(t, begin, word(plan.Task{If: "params.n == 3"}), nil))
		require.True(t, report.GetAnswer().GetYes())
	}
	require.False(t, b.plane.Accepted(first))
	open()
	requireOutcome(t, b.plane.Report(first), "succeeded", "", "")
	started := time.Now()
	requireOutcome(t, b.plane.Report(b.script(t, "exit 0")), "succeeded", "", "")
	require.Less(t, time.Since(started), 2*time.Second)
}

func TestAChildOfAMapReadsItsItem(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	version := b.deploy(t, plan.Task{
		Name: "train", ForEach: &plan.ForEach{Items: "${{ params.word.split(',') }}", Type: plan.TypeString},
		Env: map[string]string{"PART": "${{ item }}"}, Reads: plan.Reads{Params: []string{"word"}},
		Run:     `printf '%s %s %s' "$PART" "$SB_INDEX" "$SB_TASK" > "$SB_OUTPUTS/who"`,
		Outputs: []plan.Output{{Name: "who", Type: plan.TypeString, Open: true}},
	})
	params := []*runv1.Value{b.sealed(t, "word", `"a,b,c"`)}
	for i, want := range []string{`"a 0 train[0]"`, `"b 1 train[1]"`, `"c 2 train[2]"`} {
		report := b.plane.Report(b.plane.Queue(fakeplane.Attempt{
			Version: version, Run: b.run, Task: want[5 : len(want)-1], PlanTask: "train", Indexes: []uint32{uint32(i)}, Params: params,
		}))
		requireOutcome(t, report, "succeeded", "", "")
		require.Equal(t, want, string(report.GetOutputs()[0].GetOpenJson()))
	}
	report := b.plane.Report(b.plane.Queue(fakeplane.Attempt{
		Version: version, Run: b.run, Task: "train[3]", PlanTask: "train", Indexes: []uint32{3}, Params: params,
	}))
	requireOutcome(t, report, "refused", "input", "for_each of train gives 3 items, and none with the index 3")
}

// What the children of a map leave reaches the next step in their order, as a
// file where it is too long for the environment.
func TestCollected(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	each := &plan.ForEach{Count: 40, Type: plan.TypeInt}
	version := b.deploy(t,
		plan.Task{
			Name: "train", ForEach: each, Run: `echo "model $SB_INDEX" > "$SB_OUT/model"; mkdir "$SB_OUT/folder"; echo x > "$SB_OUT/folder/$SB_INDEX"`,
			Outputs:      []plan.Output{{Name: "long", Type: plan.TypeString}, {Name: "auc", Type: plan.TypeFloat}},
			ArtifactsOut: []plan.ArtifactOut{{Name: "model", Type: plan.TypeModel}, {Name: "folder", Type: plan.TypeDataset}},
		},
		plan.Task{
			Name: "report", Needs: []int{0},
			Env: map[string]string{"LONG": "${{ tasks.train.outputs.long }}", "AUC": "${{ tasks.train.outputs.auc }}", "N": "${{ size(tasks.train.outputs.long) }}"},
			Run: `test -z "$LONG"; test "$N" = 40; wc -c < "$SB_INPUTS/LONG" > "$SB_OUTPUTS/size"; printf '%s' "$AUC" > "$SB_OUTPUTS/auc"
cat "$SB_IN"/models/*; cat "$SB_IN/folders/7/7"; ls "$SB_IN/models" | wc -l`,
			Reads:       plan.Reads{Outputs: []plan.OutputRef{{Task: "train", Output: "auc"}, {Task: "train", Output: "long"}}},
			Outputs:     []plan.Output{{Name: "size", Type: plan.TypeInt, Open: true}, {Name: "auc", Type: plan.TypeString, Open: true}},
			ArtifactsIn: []plan.ArtifactIn{{Name: "models", Task: "train", Artifact: "model"}, {Name: "folders", Task: "train", Artifact: "folder"}},
		},
	)
	b.awaitKey()
	child := plan.Task{Run: `echo "model $SB_INDEX" > "$SB_OUT/model"; mkdir "$SB_OUT/folder"; echo x > "$SB_OUT/folder/$SB_INDEX"`}
	left := func(index uint32, outputs []*runv1.Value) *agentv1.InputTask {
		return &agentv1.InputTask{Task: "train", Indexes: []uint32{index}, Counts: []uint32{40}, State: "succeeded", Outputs: outputs}
	}
	child.Name, child.ArtifactsOut = "train", []plan.ArtifactOut{{Name: "model", Type: plan.TypeModel}, {Name: "folder", Type: plan.TypeDataset}}
	child.ForEach = each
	made := b.plane.Report(b.plane.Queue(fakeplane.Attempt{
		Version: b.deploy(t, child), Run: b.run, Task: "train[7]", PlanTask: "train", Indexes: []uint32{7},
	}))
	requireOutcome(t, made, "succeeded", "", "")

	long := &runv1.Value{Name: "long", Content: &runv1.Value_OpenJson{OpenJson: []byte(`"` + strings.Repeat("x", 4000) + `"`)}}
	auc := &runv1.Value{Name: "auc", Content: &runv1.Value_OpenJson{OpenJson: []byte("0.5")}}
	pages := make([][]*agentv1.InputTask, 4)
	for i := range uint32(40) {
		one := left(i, []*runv1.Value{long, auc})
		switch i {
		case 3:
			one.Outputs = nil // tolerated
		case 7:
			one.Artifacts = made.GetArtifacts()
		}
		pages[i/10] = append(pages[i/10], one)
	}
	report := b.plane.Report(b.plane.Queue(fakeplane.Attempt{Version: version, Run: b.run, Task: "report", Pages: pages}))
	requireOutcome(t, report, "succeeded", "", "")
	require.Equal(t, "156123", string(report.GetOutputs()[0].GetOpenJson())) // 39 texts, null, commas, brackets
	var list []*float64
	var text string
	require.NoError(t, json.Unmarshal(report.GetOutputs()[1].GetOpenJson(), &text))
	require.NoError(t, json.Unmarshal([]byte(text), &list))
	require.Len(t, list, 40)
	require.Nil(t, list[3])
	require.InDelta(t, 0.5, *list[39], 0)
	require.Equal(t, "model 7\nx\n1\n", strings.ReplaceAll(b.logText(t, "report"), "stdout: ", ""))
}

func TestAStepAddsTasks(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	fit := plan.Task{
		Name: "fit", Template: true, Run: `printf '%s %s' "$DEPTH" "$KIND" > "$SB_OUTPUTS/got"`, Env: map[string]string{"DEPTH": "1", "KIND": "tree"},
		Outputs: []plan.Output{{Name: "got", Type: plan.TypeString, Open: true}},
	}
	explore := func(script string) *agentv1.AttemptReport {
		b.run = id.New()
		version := b.deploy(t, plan.Task{Name: "explore", Run: script}, fit)
		return b.plane.Report(b.plane.Queue(fakeplane.Attempt{Version: version, Run: b.run, Task: "explore"}))
	}
	report := explore(`
echo '{"id": "deep", "template": "fit", "env": {"DEPTH": "` + canary + `"}}' > "$SB_PLAN"
echo '{"id": "deeper", "template": "fit", "needs": ["deep"]}' >> "$SB_PLAN"`)
	requireOutcome(t, report, "succeeded", "", "")
	require.Len(t, report.GetPlanned(), 2)
	deep := report.GetPlanned()[0]
	require.Equal(t, []string{"deep", "fit"}, []string{deep.GetId(), deep.GetTemplate()})
	require.Equal(t, []string{"deep"}, report.GetPlanned()[1].GetNeeds())
	require.Equal(t, `"`+canary+`"`, b.open(t, "env.DEPTH", deep.GetEnv()[0].GetSealed()))
	require.NotContains(t, string(b.plane.Sent()), canary)

	added := b.plane.Report(b.plane.Queue(fakeplane.Attempt{
		Version: b.deploy(t, fit), Run: b.run, Task: "explore/deep", PlanTask: "fit", Env: deep.GetEnv(),
	}))
	requireOutcome(t, added, "succeeded", "", "")
	require.Equal(t, `"`+canary+` tree"`, string(added.GetOutputs()[0].GetOpenJson()))

	report = explore(`echo '{"id": "a", "template": "fti"}' > "$SB_PLAN"`)
	requireOutcome(t, report, "failed", "user", `$SB_PLAN: task "a": "fti" is no template; there are fit`)
	require.True(t, report.GetStarted())
	require.Empty(t, report.GetPlanned())
}
