package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/local"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// localRun types `signalbox run local` where there is no server, no account and
// no home.
func localRun(t *testing.T, args ...string) (stdout string, code int) {
	t.Helper()
	cmd := localCommand(t, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Logf("%v exited %d: %s", args, exit.ExitCode(), errs.String())
		return out.String(), exit.ExitCode()
	}
	require.NoError(t, err)
	return out.String(), 0
}

func localCommand(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), programs(t).signalbox, append([]string{"run", "local"}, args...)...)
	cmd.Dir, cmd.Env = root(), []string{"PATH=/usr/bin:/bin", "HOME=" + t.TempDir(), "NO_COLOR=1"}
	return cmd
}

// kept folds the journal that a local run left, and holds it against the state
// that the run had.
func kept(t *testing.T, dir string) (*engine.State, map[string]string) {
	t.Helper()
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		return text
	}
	p, err := plan.Decode(read("plan.json"))
	require.NoError(t, err)
	g, err := engine.NewGraph(p)
	require.NoError(t, err)
	rows, err := local.ReadJournal(bytes.NewReader(read("journal.jsonl")))
	require.NoError(t, err)
	logs, err := filepath.Glob(filepath.Join(dir, "logs", "run_*"))
	require.NoError(t, err)
	require.Len(t, logs, 1)
	run, err := id.Parse(id.Run, filepath.Base(logs[0]))
	require.NoError(t, err)
	s := engine.NewState(run)
	for i := range rows {
		require.NoError(t, engine.Fold(g, s, rows[i].Entry))
	}
	require.Equal(t, strings.TrimSpace(string(read("digest"))), s.Digest().String())
	tasks := map[string]string{}
	for i := range s.Tasks {
		tasks[g.Path(s, int32(i))] = s.Tasks[i].State.String()
	}
	return s, tasks
}

// The same file comes to the same states here and there, every item of a map
// included, and to the same exit code.
func TestALocalRunStandsAsTheServersDoes(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("local")
		tn.agent("one", 4)
		tn.online("one")
		for name, file := range map[string]string{
			"hello":   "examples/hello/pipeline.yaml",
			"fanout":  "examples/fanout/pipeline.yaml",
			"failing": "internal/e2e/testdata/local/failing.yaml",
		} {
			dir := filepath.Join(t.TempDir(), "kept")
			_, here := localRun(t, file, "--keep", dir)
			_, tasks := kept(t, dir)
			tn.must("apply", filepath.Join(root(), file))
			_, there := tn.cli("run", "start", name, "--watch")
			require.Equal(t, there, here, "the exit code of %s", name)
			run := strings.TrimSpace(tn.must("run", "get", name+"#1", "-o", "name"))
			require.Equal(t, tn.stands(run), tasks, name)
		}
	})
}

func TestALocalRunIsShuffledBySeed(t *testing.T) {
	t.Parallel()
	var errs bytes.Buffer
	cmd := localCommand(t, "examples/fanout/pipeline.yaml", "--shuffle")
	cmd.Stderr = &errs
	require.NoError(t, cmd.Run())
	again := regexp.MustCompile(`--shuffle=\d+`).FindString(errs.String())
	require.NotEmpty(t, again, errs.String())
	_, code := localRun(t, "examples/fanout/pipeline.yaml", again)
	require.Zero(t, code)
	_, code = localRun(t, "examples/fanout/pipeline.yaml", "--shuffle=seven")
	require.Equal(t, 2, code)
}

func TestALocalRunShowsLogsTreeAndOpenedValues(t *testing.T) {
	t.Parallel()
	out, code := localRun(t, "examples/hello/pipeline.yaml", "-p", "who=nobody in particular")
	require.Zero(t, code)
	require.Contains(t, out, "shout   | HELLO, NOBODY IN PARTICULAR!\n")
	require.Contains(t, out, "✓ hello#1  succeeded")
	require.Regexp(t, `tasks\.greet\.outputs\.greeting +string +Hello, nobody in particular!\n`, out)

	params := filepath.Join(t.TempDir(), "params.yaml")
	require.NoError(t, os.WriteFile(params, []byte("words: a bee can fly\nlongest: 3\n"), 0o600))
	out, code = localRun(t, "examples/fanout/pipeline.yaml", "--params-file", params, "-p", "longest=5")
	require.Zero(t, code)
	require.Contains(t, out, "condition_false: collect.most (3) >= longest (5)")
}

func TestALocalRunWaitsForTimesSignalsAndPeople(t *testing.T) {
	t.Parallel()
	const file = "internal/e2e/testdata/local/held.yaml"
	out, code := localRun(t, file, "--signal", "go=at last", "--yes")
	require.Zero(t, code, out)
	require.Contains(t, out, "shipped at last")
	require.Contains(t, out, "Ship it?")
	out, code = localRun(t, file, "--signal", "go=at last")
	require.Equal(t, 12, code, "nobody can be asked")
	require.Contains(t, out, "– held#1  canceled")
}

func TestALocalRunIsCanceledByCtrlC(t *testing.T) {
	t.Parallel()
	cmd := localCommand(t, "internal/e2e/testdata/local/slow.yaml")
	out := &awaited{word: "long      | begun", found: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = out, out
	require.NoError(t, cmd.Start())
	select {
	case <-out.found:
	case <-time.After(30 * time.Second):
		require.Fail(t, "the step has not begun", out.text())
	}
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	require.Equal(t, 11, exit.ExitCode(), out.text())
	require.Contains(t, out.text(), "this machine's agent lacks 64 GPUs of 0")
	require.Contains(t, out.text(), "cleaned up")
}

func TestALocalRunSaysWhatIsWrongBeforeItStarts(t *testing.T) {
	t.Parallel()
	_, code := localRun(t, "examples/hello/pipeline.yaml", "-p", "whom=you")
	require.Equal(t, 65, code)
	_, code = localRun(t, "nowhere.yaml")
	require.Equal(t, 65, code)
	_, code = localRun(t, "examples/hello/pipeline.yaml", "--agent", "/nowhere/agent")
	require.Equal(t, 1, code)
}

// The shipped file of all trigger rules, run with processes: each row is what the
// engine's table says. That no order of ends matters is tested there.
func TestRulesOfTheConformanceFileRunLocally(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "kept")
	_, code := localRun(t, "conformance/rules.yaml", "--keep", dir)
	require.Equal(t, 9, code, "a task fails")
	_, tasks := kept(t, dir)
	ends := map[engine.Verdict]string{
		engine.VerdictRun: "succeeded", engine.VerdictUpstreamFailed: "upstream_failed", engine.VerdictSkipped: "skipped",
	}
	rows := 0
	for name, state := range tasks {
		text, cell, isRow := strings.Cut(name, "-")
		if !isRow {
			continue
		}
		rows++
		rule, quorum, err := engine.ParseRule(plan.Rule(text))
		require.NoError(t, err)
		count := func(class string) int { return strings.Count(cell, class) }
		verdict := engine.Evaluate(rule, len(cell), count("s"), count("f"), count("u"), count("k"), quorum)
		require.Equal(t, ends[verdict], state, name)
	}
	require.Equal(t, 12*11, rows)
}

// A run that leaves nothing says nothing of it.
func TestALocalRunWithoutValuesEndsWithTheRun(t *testing.T) {
	t.Parallel()
	out, code := localRun(t, files(t, "signalbox: v1\nname: plain\ntasks: {a: {run: 'true'}}\n"), "--json")
	require.Zero(t, code, out)
	require.NotContains(t, out, `"values":`)
	require.Contains(t, out, `"outcome":"succeeded"`)
}

// files writes pipelines beside each other and returns where the first lies.
func files(t *testing.T, texts ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i, text := range texts {
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.yaml", i)), []byte(text), 0o600))
	}
	return filepath.Join(dir, "0.yaml")
}

// A list is never missing: of a map over nothing it is empty, and of one that was
// skipped.
func TestListsOfMapsThatHaveNoItems(t *testing.T) {
	t.Parallel()
	out, code := localRun(t, files(t, `signalbox: v1
name: empties
params: {go: {type: bool, default: false, open: true}}
tasks:
  split: {run: 'echo "[]" > "$SB_OUTPUTS/parts"', outputs: {parts: list<string>}}
  nothing:
    for_each: ${{ tasks.split.outputs.parts }}
    run: 'echo 1 > "$SB_OUTPUTS/auc"'
    outputs: {auc: float}
  skipped:
    if: params.go
    for_each: 3
    run: 'echo 1 > "$SB_OUTPUTS/auc"'
    outputs: {auc: float}
  report:
    rule: all_done
    run: 'echo "$BOTH" > "$SB_OUTPUTS/both"'
    env: {BOTH: "${{ [tasks.nothing.outputs.auc, tasks.skipped.outputs.auc] }}"}
    outputs: {both: {type: json, open: true}}
`), "--json", "--jq", `if .run.outcome == "succeeded" then [.tasks[] | select(.kind == "map") | .items.total] elif .values then [.values[] | select(.name == "tasks.report.outputs.both") | .value] else empty end | tojson`)
	require.Zero(t, code, out)
	require.Equal(t, "[0,null]\n[[[],[]]]\n", out)
}

// What a nested pipeline's run leaves comes out of it here as on a server, and
// not in part.
func TestALocalRunOfAPipelineThatRunsAnother(t *testing.T) {
	t.Parallel()
	const parent = `signalbox: v1
name: parent
tasks:
  sub: {pipeline: child, outputs: {OUTPUTS}}
  use:
    run: 'echo "got $WORD"'
    env: {WORD: "${{ tasks.sub.outputs.word }}"}
`
	out, code := localRun(t, files(t, strings.Replace(parent, "OUTPUTS", "word: string", 1), `signalbox: v1
name: child
tasks:
  make: {run: 'echo sealed > "$SB_OUTPUTS/word"', outputs: {word: string}}
outputs: {word: "${{ tasks.make.outputs.word }}"}
`))
	require.Zero(t, code, out)
	require.Contains(t, out, "got sealed")

	outputs, left := []string{"word: string"}, []string{`word: "${{ tasks.t0.outputs.word }}"`}
	child := []string{"signalbox: v1\nname: child\ntasks:"}
	for i := range 5 {
		child = append(child, fmt.Sprintf(`  t%d: {run: 'head -c 60000 /dev/zero | tr "\0" x > "$SB_OUTPUTS/word"', outputs: {word: string}}`, i))
		outputs = append(outputs, fmt.Sprintf("w%d: string", i))
		left = append(left, fmt.Sprintf(`w%d: "${{ tasks.t%[1]d.outputs.word }}"`, i))
	}
	child = append(child, "outputs: {"+strings.Join(left, ", ")+"}\n")
	out, code = localRun(t, files(t, strings.Replace(parent, "OUTPUTS", strings.Join(outputs, ", "), 1), strings.Join(child, "\n")))
	require.Equal(t, 9, code, out)
	require.Regexp(t, `child#1: the outputs have \d+ bytes together, a task may have 262144`, out)
}
