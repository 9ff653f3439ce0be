package e2e_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

// below waits for the run that a task has started.
func (tn *tenant) below(run, task string) string {
	tn.t.Helper()
	var child string
	eventually(tn.t, 20*time.Second, task+" has a run", func() bool {
		res, err := tn.runs.GetTask(tn.t.Context(), &runv1.GetTaskRequest{RunId: run, Task: task})
		child = res.GetTask().GetChildRun().GetRunId()
		return err == nil && child != ""
	})
	return child
}

const served = `signalbox: v1
name: serve
params:
  model: {type: uri}
  replicas: {type: int, default: 1, open: true}
  note: {type: string, default: none}
concurrency: {key: "${{ params.replicas }}", limit: 2}
tasks:
  roll:
    run: 'printf "%s x%s (%s)" "$MODEL" "$REPLICAS" "$NOTE" > "$SB_OUTPUTS/text"; echo "$REPLICAS" > "$SB_OUTPUTS/count"'
    env: {MODEL: "${{ params.model }}", REPLICAS: "${{ params.replicas }}", NOTE: "${{ params.note }}"}
    outputs: {text: string, count: {type: int, open: true}}
outputs:
  text: ${{ tasks.roll.outputs.text }}
  count: ${{ tasks.roll.outputs.count }}
`

// Values go into a nested pipeline and come out of it: sealed ones under other
// names than they had, open ones open; from one run, and from each of a map's.
func TestValuesGoThroughNestedPipelines(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("iris")
		tn.agent("one", 4)
		dir := t.TempDir()
		_, err := tn.pipelines.ApplyPipeline(t.Context(), &pipelinev1.ApplyPipelineRequest{Source: []byte("signalbox: v1\nname: top\ntasks:\n  a: {pipeline: serve}\n")})
		require.Error(t, err, "it is not there yet")
		tn.apply(served)
		tn.apply(`signalbox: v1
name: middle
labels: {stage: middle}
params: {word: {type: string, default: w}}
tasks:
  deep:
    pipeline: serve
    with: {model: "s3://${{ params.word }}", replicas: "2", note: "${{ params.word }}"}
outputs: {text: "${{ tasks.deep.outputs.text }}"}
`)
		tn.apply(`signalbox: v1
name: top
labels: {team: risk}
tasks:
  train:
    run: 'echo s3://m/1 > "$SB_OUTPUTS/model"; echo "[\"a\",\"b\"]" > "$SB_OUTPUTS/parts"'
    outputs: {model: uri, parts: list<string>}
  one:
    pipeline: serve
    with: {model: "${{ tasks.train.outputs.model }}", replicas: 3}
  each:
    for_each: ${{ tasks.train.outputs.parts }}
    pipeline: middle
    version: pinned
    with: {word: "${{ item }}"}
  use:
    run: 'printf "%s|%s|%s" "$ONE" "$COUNT" "$EACH" > ` + filepath.Join(dir, "seen") + `'
    env:
      ONE: ${{ tasks.one.outputs.text }}
      COUNT: ${{ tasks.one.outputs.count + 1 }}
      EACH: ${{ tasks.each.outputs.text }}
`)
		run := tn.start("top")
		end := tn.finished(run, 60*time.Second)
		require.Equal(t, "succeeded", end.GetRun().GetState(), end)
		seen, err := os.ReadFile(filepath.Join(dir, "seen"))
		require.NoError(t, err)
		require.Equal(t, `s3://m/1 x3 (none)|4|["s3://a x2 (a)","s3://b x2 (b)"]`, string(seen))

		child := tn.run(tn.below(run, "each[1]")).GetRun()
		require.Equal(t, "middle", child.GetPipeline())
		require.Equal(t, "parent", child.GetCause())
		require.Equal(t, map[string]string{"team": "risk", "stage": "middle"}, child.GetLabels())
		require.Equal(t, run, child.GetParent().GetRunId())
		require.Equal(t, "each[1]", child.GetParent().GetTask())
		leaf := tn.run(tn.below(child.GetId(), "deep")).GetRun()
		require.Equal(t, uint32(2), leaf.GetParent().GetDepth())
		require.Equal(t, run, leaf.GetParent().GetRootRunId())
		s.doctor()
	})
}

// What a nested pipeline cannot be started with is said by the task that wants
// to: here its param was declared after its parent was applied.
func TestAChildThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("kay")
		tn.agent("one", 2)
		tn.apply("signalbox: v1\nname: sub\ntasks:\n  a: {run: 'true'}\n")
		tn.apply("signalbox: v1\nname: top\ntasks:\n  sub: {pipeline: sub}\n  pinned: {pipeline: sub, version: pinned}\n")
		tn.apply("signalbox: v1\nname: sub\nparams: {must: {type: string}}\ntasks:\n  a: {run: 'true', env: {A: '${{ params.must }}'}}\n")
		end := tn.finished(tn.start("top"), 30*time.Second)
		require.Equal(t, "failed", end.GetRun().GetState())
		require.Contains(t, stateOf(end, "sub").GetReason(), "param must: required")
		require.Equal(t, "succeeded", stateOf(end, "pinned").GetState())
		s.doctor()
	})
}

const slowly = `signalbox: v1
name: slowly
tasks:
  work: {run: 'sleep 30'}
`

func (tn *tenant) applyParent(name, more string) {
	tn.t.Helper()
	tn.apply("signalbox: v1\nname: " + name + "\ntasks:\n  sub: {pipeline: slowly" + more + "}\n")
}

func TestACancelGoesDownToNestedPipelines(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("liv")
		tn.agent("one", 4)
		tn.apply(slowly)
		tn.applyParent("both", "")
		tn.applyParent("alone", ", on_parent_cancel: abandon")
		both, alone := tn.start("both"), tn.start("alone")
		canceled, kept := tn.below(both, "sub"), tn.below(alone, "sub")
		tn.inState(canceled, "work", "running")
		tn.inState(kept, "work", "running")
		const heartbeat = 10 * time.Second
		tn.must("run", "cancel", both)
		tn.must("run", "cancel", alone)
		require.Equal(t, "canceled", tn.finished(canceled, 2*heartbeat).GetRun().GetState())
		require.Equal(t, "canceled", tn.finished(both, 5*time.Second).GetRun().GetState())
		require.Equal(t, "canceled", tn.finished(alone, 5*time.Second).GetRun().GetState())
		require.Equal(t, "running", tn.run(kept).GetRun().GetState())
		tn.must("run", "cancel", kept)
		tn.finished(kept, 2*heartbeat)
		s.doctor()
	})
}

// A retry of the parent starts a new child, which takes what it is given then.
func TestARetriedParentStartsANewChild(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("mia")
		tn.agent("one", 2)
		gate := filepath.Join(t.TempDir(), "gate")
		tn.apply("signalbox: v1\nname: sub\nparams: {w: {type: string}}\ntasks:\n  a: {run: 'test -e " + gate + "', env: {W: '${{ params.w }}'}}\n")
		tn.apply("signalbox: v1\nname: top\ntasks:\n  sub: {pipeline: sub, with: {w: word}}\n")
		run := tn.start("top")
		end := tn.finished(run, 30*time.Second)
		require.Equal(t, "failed", end.GetRun().GetState())
		first := tn.below(run, "sub")
		require.Contains(t, stateOf(end, "sub").GetReason(), "sub#1 failed")
		require.NoError(t, os.WriteFile(gate, nil, 0o600))
		tn.must("run", "retry", run)
		eventually(t, 20*time.Second, "there is another child", func() bool { return tn.below(run, "sub") != first })
		require.Equal(t, "succeeded", tn.finished(run, 30*time.Second).GetRun().GetState())
		require.Equal(t, "failed", tn.run(first).GetRun().GetState())
		s.doctor()
	})
}

// A cleanup that succeeds at the end makes no failed run green.
func TestARunWithAGreenLeafFails(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("nils")
		tn.agent("one", 2)
		tn.apply("signalbox: v1\nname: leaf\ntasks:\n  a: {run: 'exit 1'}\n  cleanup: {needs: [a], rule: all_done, run: 'true'}\n")
		end := tn.finished(tn.start("leaf"), 30*time.Second)
		require.Equal(t, "succeeded", stateOf(end, "cleanup").GetState())
		require.Equal(t, "failed", end.GetRun().GetState())
	})
}

// While one runs, the first that waits stays, and later ones are dropped.
func TestTheFirstThatWaitsStays(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("odo")
		tn.agent("one", 4)
		tn.lined("first", "queue_first", "sleep 2")
		states, most := tn.five("first")
		require.Equal(t, []string{"succeeded", "succeeded", "dropped", "dropped", "dropped"}, states)
		require.LessOrEqual(t, most, 1)
		s.doctor()
	})
}

// What the runs below a run used is told with it.
func TestUsageOfChildrenRollsUp(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("pia")
		tn.agent("one", 2, withGPUs(t))
		tn.apply("signalbox: v1\nname: sub\ntasks:\n  a: {run: 'sleep 1', for_each: 2, resources: {gpu: 1}}\n")
		tn.apply("signalbox: v1\nname: top\ntasks:\n  own: {run: 'true'}\n  sub: {pipeline: sub}\n")
		run := tn.start("top")
		require.Equal(t, "succeeded", tn.finished(run, 30*time.Second).GetRun().GetState())
		child := tn.below(run, "sub")
		const cost = `.childrenCostCents, .childrenCostNanoUsd, (.childrenMeters[] | .quantity)`
		const own = `.costCents, .costNanoUsd, (.meters[] | .quantity)`
		all := tn.must("usage", "run", run, "--json", "--jq", "["+cost+"] | tostring")
		one := tn.must("usage", "run", child, "--json", "--jq", "["+own+"] | tostring")
		require.Equal(t, one, all)
		require.Contains(t, tn.must("usage", "run", run), "sub#1")
		gpu := strconv.FormatInt(tn.meteredGPU(), 10)
		below := tn.must("usage", "run", run, "--json", "--jq", `.childrenMeters[] | select(.meter == "gpu_ms") | .quantity`)
		require.Equal(t, gpu, strings.TrimSpace(below), "the items' GPU time")
		listed := tn.must("usage", "attempts", child, "--json", "--jq", `[.attempts[].gpuMs | tonumber] | add`)
		require.Equal(t, gpu, strings.TrimSpace(listed))
	})
}
