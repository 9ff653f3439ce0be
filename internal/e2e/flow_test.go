package e2e_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

// states are the tasks of a run by their paths.
func states(r *runv1.GetRunResponse) map[string]string {
	out := map[string]string{}
	for _, task := range r.GetTasks() {
		out[task.GetName()] = task.GetState()
	}
	return out
}

// tasks are all tasks of a run, the items of its maps as well.
func (tn *tenant) tasks(run string) map[string]*runv1.Task {
	tn.t.Helper()
	out := map[string]*runv1.Task{}
	for token, more := "", true; more; more = token != "" {
		page, err := tn.runs.ListTasks(tn.t.Context(), &runv1.ListTasksRequest{RunId: run, PageToken: token, PageSize: 500})
		require.NoError(tn.t, err)
		for _, task := range page.GetTasks() {
			out[task.GetName()] = task
		}
		token = page.GetNextPageToken()
	}
	return out
}

// stands are the states of all tasks of a run.
func (tn *tenant) stands(run string) map[string]string {
	out := map[string]string{}
	for path, task := range tn.tasks(run) {
		out[path] = task.GetState()
	}
	return out
}

func reasonOf(r *runv1.GetRunResponse, task string) string {
	for _, one := range r.GetTasks() {
		if one.GetName() == task {
			return one.GetReason()
		}
	}
	return ""
}

// A list that a step leaves becomes as many tasks, what they leave a list, and a
// condition on it chooses: real agents decide, count and collect.
func TestAFanOutFromSplitToDecision(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("ada")
		tn.agent("one", 4)
		tn.must("apply", filepath.Join(root(), "examples", "fanout", "pipeline.yaml"))
		tn.must("run", "start", "fanout", "--watch")
		run := tn.finished("@latest", 30*time.Second)
		require.Equal(t, "succeeded", run.GetRun().GetState(), "%v", states(run))
		got := tn.stands(run.GetRun().GetId())
		require.Equal(t, "succeeded", got["measure[9]"], "%v", got)
		require.NotContains(t, got, "measure[10]")
		require.Equal(t, "skipped", got["grid[1]"])
		require.Equal(t, "skipped", got["nothing-special"])
		require.Equal(t, "succeeded", got["report"])

		tn.must("run", "start", "fanout", "-p", "words=a bee can fly", "--watch")
		run = tn.finished("@latest", 30*time.Second)
		require.Equal(t, "succeeded", run.GetRun().GetState(), "%v", states(run))
		require.Equal(t, "succeeded", states(run)["nothing-special"])
		require.Equal(t, "condition_false: collect.most (3) >= longest (8)", reasonOf(run, "report"))

		tn.must("run", "start", "fanout", "-p", "words=", "--watch")
		run = tn.finished("@latest", 30*time.Second)
		require.Equal(t, "succeeded", run.GetRun().GetState(), "%v", states(run))
		require.Equal(t, "succeeded", states(run)["measure"])
		require.NotContains(t, tn.stands(run.GetRun().GetId()), "measure[0]")
		s.doctor()
	})
}

const everything = `signalbox: v1
name: everything
tasks:
  split:
    run: |
      echo '["a","b","c"]' > "$SB_OUTPUTS/parts"
      printf '{"n": 1}\n{"n": 2}\n' > "$SB_OUT/lines"
    outputs: {parts: list<string>}
    artifacts: {out: {lines: dataset}}
  lines:
    for_each: ${{ tasks.split.artifacts.lines }}
    run: echo "$N" > "$SB_OUTPUTS/n"
    env: {N: "${{ item.n }}"}
    outputs: {n: {type: int, open: true}}
  fold:
    for_each: ${{ tasks.split.outputs.parts }}
    tolerate: 1
    tasks:
      train:
        run: test "$PART" != b && echo "$PART" > "$SB_OUTPUTS/part"
        env: {PART: "${{ item }}"}
        outputs: {part: string}
      tune:
        for_each: 2
        run: echo "$PART $SB_INDEX" > "$SB_OUTPUTS/got"
        env: {PART: "${{ tasks.train.outputs.part }}"}
        outputs: {got: string}
      judge:
        rule: all_done
        run: test "$ENDED" = succeeded || test "$ENDED" = failed
        env: {ENDED: "${{ tasks.train.state }}"}
    outputs:
      part: ${{ tasks.train.outputs.part }}
      got: ${{ tasks.tune.outputs.got }}
  loop:
    repeat: {until: outputs.pass >= 2, max: 5}
    run: echo "$SB_INDEX" > "$SB_OUTPUTS/pass"
    outputs: {pass: int}
  pause:
    wait: {for: 100ms}
  plan:
    run: |
      echo '{"id": "deep", "template": "fit", "env": {"DEPTH": "9"}}' > "$SB_PLAN"
      echo '{"id": "deeper", "template": "fit", "needs": ["deep"]}' >> "$SB_PLAN"
  fit:
    template: true
    run: test "$SB_TASK $DEPTH" = "plan/deep 9" || test "$SB_TASK $DEPTH" = "plan/deeper 1"
    env: {DEPTH: "1"}
  check:
    needs: [pause, plan]
    run: |
      test "$PART" = '["a",null,"c"]'
      test "$GOT" = '[["a 0,0","a 0,1"],null,["c 2,0","c 2,1"]]' || test "$GOT" = '[["a 0,0","a 0,1"],[],["c 2,0","c 2,1"]]' || test "$GOT" = '[["a 0,0","a 0,1"],[null,null],["c 2,0","c 2,1"]]'
      test "$N" = '[1,2]'
      test "$PASS" = 2
    env:
      PART: ${{ tasks.fold.outputs.part }}
      GOT: ${{ tasks.fold.outputs.got }}
      N: ${{ tasks.lines.outputs.n }}
      PASS: ${{ tasks.loop.outputs.pass }}
`

// Groups, maps in maps, loops, waits and tasks that a step adds, in one run.
func TestEveryShapeOfATask(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		tn := s.signUp("ada")
		tn.agent("one", 4)
		tn.apply(everything)
		id := tn.start("everything")
		run := tn.finished(id, 60*time.Second)
		got := tn.stands(run.GetRun().GetId())
		require.Equal(s.t, "succeeded", run.GetRun().GetState(), "%v %s", got, tn.must("run", "logs", id))
		for task, want := range map[string]string{
			"lines[1]": "succeeded", "fold": "succeeded", "fold[2]/tune[1]": "succeeded", "fold[1]/tune": "upstream_failed",
			"loop[2]": "succeeded", "plan/deep": "succeeded", "plan/deeper": "succeeded", "check": "succeeded",
		} {
			require.Equal(s.t, want, got[task], "%s: %v", task, got)
		}
		require.NotContains(s.t, got, "loop[3]")
		s.doctor()
	})
}
