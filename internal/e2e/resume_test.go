package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

// count counts the tasks of a plan's task by their states.
func (tn *tenant) count(run, task string) map[string]int {
	tn.t.Helper()
	out := map[string]int{}
	for _, one := range tn.tasks(run) {
		if one.GetPlanTask() == task && one.GetKind() == "step" {
			out[one.GetState()]++
		}
	}
	return out
}

// resumed takes a run up with the command line and returns the new one, at its
// end, and what was said.
func (tn *tenant) resumed(run string, flags ...string) (*runv1.GetRunResponse, string) {
	tn.t.Helper()
	said := tn.must(append([]string{"run", "resume", run}, flags...)...)
	return tn.finished("@latest", 60*time.Second), said
}

const list = `signalbox: v1
name: list
params:
  items: {type: list<string>}
  broken: {type: string, default: "", open: true}
tasks:
  child:
    for_each: ${{ params.items }}
    tolerate: 0
    run: |
      echo "$ITEM" > "$SB_OUTPUTS/got"
      case " $BROKEN " in *" $ITEM "*) exit 3;; esac
    env: {ITEM: "${{ item }}", BROKEN: "FIXED"}
    outputs: {got: string}
  collect:
    rule: all_done
    run: printf '%s' "$GOT" > "$SB_OUTPUTS/all"
    env: {GOT: "${{ tasks.child.outputs.got }}"}
    outputs: {all: {type: string, open: true}}
`

// What a map's children leave is a list, whatever number they are, and a few of
// them may fail.
func TestAMapOfAListKnownAtRunTime(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("ada")
		tn.agent("one", 4)
		source := strings.Replace(list, "FIXED", "${{ params.broken }}", 1)
		tn.apply(strings.Replace(source, "tolerate: 0", "tolerate: 1", 1))
		run := func(items, broken string) *runv1.GetRunResponse {
			tn.must("run", "start", "list", "-p", "items="+items, "-p", "broken="+broken)
			return tn.finished("@latest", 60*time.Second)
		}
		for items, want := range map[string]string{`["a","b","c"]`: `["a","b","c"]`, `["a","b","c","d","e"]`: `["a","b","c","d","e"]`, `[]`: `[]`} {
			got := run(items, "")
			id := got.GetRun().GetId()
			require.Equal(t, "succeeded", got.GetRun().GetState(), "%s: %v", items, tn.stands(id))
			require.Equal(t, strings.Count(want, `"`)/2, tn.count(id, "child")["succeeded"], items)
			require.Equal(t, want, strings.TrimSpace(tn.must("run", "values", id, "tasks.collect.outputs.all")))
			require.NotNil(t, got.GetTasks()[0].GetItems(), "how many they are is known: %s", items)
		}
		got := run(`["a","b","c"]`, "b")
		id := got.GetRun().GetId()
		require.Equal(t, "succeeded", got.GetRun().GetState())
		require.Equal(t, map[string]int{"succeeded": 2, "tolerated": 1}, tn.count(id, "child"))
		require.Equal(t, "tolerated\n", tn.must("task", "get", id, "child[1]", "--json", "--jq", ".state"))
		require.Equal(t, "3\n", tn.must("task", "list", id, "--node", "child", "--json", "--jq", "length"))
		require.Contains(t, tn.must("run", "get", id), "3/3, 1 tolerated")

		got = run(`["a","b","c"]`, "b c")
		require.Equal(t, "failed", got.GetRun().GetState(), "%v", tn.stands(got.GetRun().GetId()))
		s.doctor()
	})
}

// Of a map the items that succeeded are taken over by what they are, so that
// only what failed, or is new, runs.
func TestResumingAMapRunsOnlyWhatIsNew(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("ada")
		tn.agent("one", 4)
		// What is repaired is outside of the pipeline: its spec is as it was.
		tn.apply(strings.NewReplacer("FIXED", "none", `" $BROKEN " in *" $ITEM "*)`, `"$(cat `+tn.dir+`/broken)" in *"$ITEM"*)`).Replace(list))
		broken := filepath.Join(tn.dir, "broken")
		require.NoError(t, os.WriteFile(broken, []byte("d g"), 0o600))
		const ten = `["a","b","c","d","e","f","g","h","i","j"]`
		_, code := tn.cli("run", "start", "list", "-p", "items="+ten, "--watch")
		require.Equal(t, 9, code)
		first := tn.run("@latest").GetRun().GetId()
		require.Equal(t, map[string]int{"succeeded": 8, "failed": 2}, tn.count(first, "child"))
		require.Equal(t, "child[3]\nchild[6]\n", tn.must("task", "list", first, "--node", "child", "--state", "failed", "-o", "name"))

		require.NoError(t, os.WriteFile(broken, []byte("-"), 0o600))
		second, _ := tn.resumed(first)
		id := second.GetRun().GetId()
		require.Equal(t, "succeeded", second.GetRun().GetState(), "%v", tn.stands(id))
		require.Equal(t, map[string]int{"reused": 8, "succeeded": 2}, tn.count(id, "child"))
		require.Equal(t, ten, strings.TrimSpace(tn.must("run", "values", id, "tasks.collect.outputs.all")))
		require.Equal(t, "a", strings.TrimSpace(tn.must("run", "values", id, "tasks.child[0].outputs.got")), "from the first run")

		const eleven = `["new","j","i","h","g","f","e","d","c","b","a"]`
		third, said := tn.resumed(id, "--set", "items="+eleven)
		id = third.GetRun().GetId()
		require.Equal(t, "succeeded", third.GetRun().GetState(), "%v", tn.stands(id))
		require.Contains(t, said, "10 of its items may be taken over")
		require.Equal(t, map[string]int{"reused": 10, "succeeded": 1}, tn.count(id, "child"))
		require.Equal(t, eleven, strings.TrimSpace(tn.must("run", "values", id, "tasks.collect.outputs.all")))
		require.Equal(t, first, tn.tasks(id)["child[10]"].GetOriginRunId())
		require.NotEmpty(t, tn.must("run", "logs", id, "child[0]", "-t")+"-")
		s.doctor()
	})
}

const chain = `signalbox: v1
name: chain
tasks:
  a:
    run: echo A > "$SB_OUTPUTS/x"; echo here > "$SB_OUT/f"
    outputs: {x: string}
    artifacts: {out: {f: dataset}}
  b:
    run: test -f "$SB_IN/f" && B
    env: {X: "${{ tasks.a.outputs.x }}"}
    artifacts: {in: {f: "${{ tasks.a.artifacts.f }}"}}
  c:
    needs: [b]
    run: 'true'
`

// A task that succeeded, and is what it was, is taken over; the others say why
// they are not.
func TestResumingAChainAfterARepair(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("ada")
		tn.agent("one", 2)
		version := func(a, b string) { tn.apply(strings.NewReplacer("echo A", "echo "+a, "&& B", "&& "+b).Replace(chain)) }
		version("1", "exit 3")
		_, code := tn.cli("run", "start", "chain", "--watch")
		require.Equal(t, 9, code)
		first := tn.run("@latest").GetRun().GetId()

		// By itself it fails as it did, and the run that it is of stays as it is.
		before := tn.must("run", "get", first, "--json")
		said, code := tn.cli("task", "test", first, "b")
		require.Equal(t, 9, code)
		require.Contains(t, said, "exit code  3")
		require.Equal(t, before, tn.must("run", "get", first, "--json"))

		version("1", "exit 0")
		second, _ := tn.resumed(first)
		require.Equal(t, map[string]string{"a": "reused", "b": "succeeded", "c": "succeeded"}, states(second))
		require.Equal(t, "0\n", tn.must("task", "get", second.GetRun().GetId(), "a", "--json", "--jq", ".attempts | length"))

		version("2", "exit 0")
		third, said := tn.resumed(first)
		require.Equal(t, map[string]string{"a": "succeeded", "b": "succeeded", "c": "succeeded"}, states(third))
		require.Regexp(t, `a +run +spec changed`, said)
		require.Regexp(t, `b +run +downstream of a`, said)
		s.doctor()
	})
}

const search = `signalbox: v1
name: search
tasks:
  find:
    repeat: {until: outputs.x >= 5, max: 50}
    run: |
      x=$((SB_INDEX + 1))
      test "$x" -le "$(cat LIMIT)" || exit 3
      echo "$x" > "$SB_OUTPUTS/x"
    outputs: {x: {type: int, open: true}}
`

// A loop that failed goes on after its last whole pass.
func TestResumingALoopGoesOn(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("ada")
		tn.agent("one", 2)
		limit := filepath.Join(tn.dir, "limit")
		tn.apply(strings.Replace(search, "LIMIT", limit, 1))
		require.NoError(t, os.WriteFile(limit, []byte("9"), 0o600))
		tn.must("run", "start", "search", "--watch")
		whole := tn.run("@latest").GetRun().GetId()
		require.Equal(t, map[string]int{"succeeded": 5}, tn.count(whole, "find"))

		require.NoError(t, os.WriteFile(limit, []byte("3"), 0o600))
		_, code := tn.cli("run", "start", "search", "--watch")
		require.Equal(t, 9, code)
		first := tn.run("@latest").GetRun().GetId()
		require.Equal(t, map[string]int{"succeeded": 3, "failed": 1}, tn.count(first, "find"))
		require.NoError(t, os.WriteFile(limit, []byte("9"), 0o600))
		second, _ := tn.resumed(first)
		require.Equal(t, "succeeded", second.GetRun().GetState())
		require.Equal(t, map[string]int{"reused": 3, "succeeded": 2}, tn.count(second.GetRun().GetId(), "find"))
		s.doctor()
	})
}
