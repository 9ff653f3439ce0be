package step_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/execute"
	"github.com/signalboxhq/signalbox/agent/step"
	"github.com/signalboxhq/signalbox/proto/plan"
)

type testBundle struct {
	root   string
	folder *step.Folder
}

func setup(t *testing.T) *testBundle {
	t.Helper()
	b := &testBundle{root: filepath.Join(t.TempDir(), "attempts", "17")}
	var err error
	b.folder, err = step.Create(b.root, "")
	require.NoError(t, err)
	return b
}

func (b *testBundle) write(t *testing.T, name, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(b.root, name), []byte(content), 0o600))
}

func TestFolder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.Equal(t, filepath.Join(b.root, "work"), b.folder.Work())
	require.True(t, b.folder.OwnsWork())
	entries, err := os.ReadDir(b.folder.Work())
	require.NoError(t, err)
	require.Empty(t, entries)
	_, err = step.Create(b.root, "")
	require.ErrorIs(t, err, os.ErrExist)

	// A step may leave anything behind.
	locked := filepath.Join(b.folder.Work(), "locked")
	require.NoError(t, os.MkdirAll(filepath.Join(locked, "x"), 0o700))
	require.NoError(t, os.Chmod(locked, 0o500))
	require.NoError(t, b.folder.Remove())
	require.NoDirExists(t, b.root)
}

func TestSource(t *testing.T) {
	t.Parallel()
	source, root := t.TempDir(), filepath.Join(t.TempDir(), "1")
	folder, err := step.Create(root, source)
	require.NoError(t, err)
	require.Equal(t, source, folder.Work())
	require.False(t, folder.OwnsWork())
	require.NoError(t, folder.Remove())
	require.DirExists(t, source)

	_, err = step.Create(root, filepath.Join(source, "missing"))
	require.ErrorContains(t, err, "this agent has no folder")
	file := filepath.Join(source, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = step.Create(root, file)
	require.ErrorContains(t, err, "is no folder")
	require.NoDirExists(t, root)
}

func TestOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, test := range []struct{ name, path, want string }{
		{"model", "", filepath.Join(b.root, "out/model")},
		{"model", "out/model.pt", filepath.Join(b.root, "work/out/model.pt")},
	} {
		got, err := b.folder.Out(test.name, test.path)
		require.NoError(t, err)
		require.Equal(t, test.want, got)
	}
	for _, path := range []string{"/etc", "../x", "a/../../x"} {
		_, err := b.folder.Out("model", path)
		require.ErrorContains(t, err, "leaves the step's working folder")
	}
}

func TestEnviron(t *testing.T) {
	t.Parallel()
	b := setup(t)
	env, err := b.folder.Environ(step.Identity{
		RunID: "run_1", RunURL: "https://x/run_1", Task: "train", Attempt: 2, Pipeline: "digits", Version: "ab12",
		Deadline: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Labels: map[string]string{"team": "ri=sk", "a": "b c"},
		RunOutcome: "failed", Indexes: []uint32{3, 0}, Gang: &step.Gang{Rank: 1, Size: 4, Address: "10.0.0.7"},
	})
	require.NoError(t, err)
	got := map[string]string{}
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		got[name] = strings.ReplaceAll(value, b.root, "ROOT")
	}
	require.Equal(t, map[string]string{
		"SB_RUN_ID": "run_1", "SB_RUN_URL": "https://x/run_1", "SB_TASK": "train", "SB_ATTEMPT": "2",
		"SB_PIPELINE": "digits", "SB_VERSION": "ab12", "SB_LABELS": `{"a":"b c","team":"ri=sk"}`,
		"SB_DEADLINE": "2026-01-02T03:04:05Z", "SB_RUN_OUTCOME": "failed",
		"SB_INPUTS": "ROOT/inputs", "SB_OUTPUTS": "ROOT/outputs", "SB_IN": "ROOT/in", "SB_OUT": "ROOT/out",
		"SB_SCRATCH": "ROOT/scratch", "SB_SUMMARY": "ROOT/summary.md", "SB_METRICS": "ROOT/metrics.jsonl",
		"SB_PROGRESS": "ROOT/progress", "SB_ERROR": "ROOT/error", "SB_PLAN": "ROOT/plan.jsonl", "SB_INDEX": "3,0",
		"SB_GANG_RANK": "1", "SB_GANG_SIZE": "4", "RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "10.0.0.7", "MASTER_PORT": "20190",
	}, got)
	env, err = b.folder.Environ(step.Identity{})
	require.NoError(t, err)
	require.Contains(t, env, "SB_LABELS={}")
	require.NotContains(t, strings.Join(env, "\n"), "SB_DEADLINE")
}

func TestInputs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	long := strings.Repeat("x", plan.MaxValueBytes+1)
	env, err := b.folder.WriteInputs(map[string]string{"LR": "0.1", "EMPTY": "", "SHARDS": long})
	require.NoError(t, err)
	require.Equal(t, []string{"EMPTY=", "LR=0.1"}, env)
	for name, want := range map[string]string{"LR": "0.1", "EMPTY": "", "SHARDS": long} {
		content, err := os.ReadFile(filepath.Join(b.root, "inputs", name))
		require.NoError(t, err)
		require.Equal(t, want, string(content))
	}
}

func TestOutputs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.write(t, "outputs/auc", "0.930\n")
	b.write(t, "outputs/shards", `["a", "b"]`)
	b.write(t, "outputs/ouc", "typo")
	declared := []plan.Output{{Name: "auc", Type: plan.TypeFloat}, {Name: "shards", Type: plan.List(plan.TypeString)}}
	values, err := b.folder.Outputs(declared)
	require.NoError(t, err)
	require.Equal(t, map[string]json.RawMessage{"auc": json.RawMessage("0.93"), "shards": json.RawMessage(`["a","b"]`)}, values)
	require.Equal(t, []string{"ouc"}, b.folder.Undeclared(declared))
}

func TestOutputErrors(t *testing.T) {
	t.Parallel()
	const private = "PRIVATE"
	for name, test := range map[string]struct {
		content string
		kind    plan.Type
		reason  string
		detail  string
	}{
		"missing": {"", plan.TypeInt, "is declared and missing: the step did not write $SB_OUTPUTS/x", "is declared and missing"},
		"wrong":   {private, plan.TypeInt, "is not of its declared type int", `want int, got "PRIVATE"`},
		"large":   {strings.Repeat("x", maxFile+1), plan.TypeString, "has 262145 bytes, a value may have 65536", "artifact"},
		"larger":  {strings.Repeat("x", 70_000), plan.TypeString, "has 70000 bytes, a value may have 65536", "artifact"},
		"escaped": {strings.Repeat("\n", 60_000), plan.TypeString, "is not of its declared type string, or too large", "is wrong: a value may have"},
	} {
		b := setup(t)
		if test.content != "" {
			b.write(t, "outputs/x", test.content)
		}
		_, err := b.folder.Outputs([]plan.Output{{Name: "x", Type: test.kind}})
		wrong, ok := errors.AsType[*step.OutputError](err)
		require.True(t, ok, name)
		require.Contains(t, wrong.Reason, `output "x" `+test.reason)
		require.Contains(t, wrong.Detail, test.detail)
		require.NotContains(t, wrong.Reason, private)
	}
	b := setup(t)
	require.NoError(t, os.Mkdir(filepath.Join(b.root, "outputs/x"), 0o700))
	_, err := b.folder.Outputs([]plan.Output{{Name: "x", Type: plan.TypeString}})
	require.ErrorContains(t, err, "is no file")
}

// maxFile is four values.
const maxFile = 4 * plan.MaxValueBytes

func TestAllOutputsTogetherAreLimited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var declared []plan.Output
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		b.write(t, "outputs/"+name, strings.Repeat("x", 60_000))
		declared = append(declared, plan.Output{Name: name, Type: plan.TypeString})
	}
	_, err := b.folder.Outputs(declared)
	require.ErrorContains(t, err, "the outputs have 300010 bytes together, a task may have 262144")
}

func TestComplaint(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]step.Complaint{
		"":                            {},
		"disk is full\n":              {Text: "disk is full"},
		"bad data\nretryable: false":  {Text: "bad data", Final: true},
		"Retryable: FALSE\n\nno use":  {Text: "no use", Final: true},
		"retryable: true":             {},
		"first: a colon\nsecond line": {Text: "first: a colon\nsecond line"},
	} {
		b := setup(t)
		require.Equal(t, step.Complaint{}, b.folder.Complaint())
		b.write(t, "error", content)
		require.Equal(t, want, b.folder.Complaint())
	}
}

func TestSummaryAndMetrics(t *testing.T) {
	t.Parallel()
	b := setup(t)
	summary, err := b.folder.Summary()
	require.NoError(t, err)
	require.Empty(t, summary)
	b.write(t, "summary.md", strings.Repeat("x", 2<<20))
	summary, err = b.folder.Summary()
	require.NoError(t, err)
	require.Len(t, summary, 1<<20)
	require.NoError(t, os.Mkdir(filepath.Join(b.root, "metrics.jsonl"), 0o700))
	metrics, err := b.folder.Metrics()
	require.NoError(t, err)
	require.Empty(t, metrics)
}

func TestJudge(t *testing.T) {
	t.Parallel()
	at := time.Now()
	limits := execute.Limits{Run: 2 * time.Second, Progress: time.Minute, Start: time.Hour}
	for _, test := range []struct {
		result  execute.Result
		outcome step.Outcome
		cause   step.Cause
		reason  string
	}{
		{execute.Result{End: execute.EndExited}, step.OutcomeSucceeded, "", ""},
		{execute.Result{End: execute.EndExited, ExitCode: 1}, step.OutcomeFailed, "user", "exit code 1"},
		{execute.Result{End: execute.EndExited, ExitCode: 75}, step.OutcomeFailed, "user", "the step asks for another attempt (exit code 75)"},
		{execute.Result{End: execute.EndExited, ExitCode: 77}, step.OutcomeSkipped, "", "the step skipped itself (exit code 77)"},
		{execute.Result{End: execute.EndSignaled, Signal: "killed", ExitCode: 137}, step.OutcomeFailed, "user", "ended by signal: killed"},
		{execute.Result{End: execute.EndStopped, ExitCode: 143}, step.OutcomeCanceled, "control", "stopped on request"},
		{execute.Result{End: execute.EndRunLimit}, step.OutcomeTimedOut, "timeout", "run timeout of 2s"},
		{execute.Result{End: execute.EndStale}, step.OutcomeTimedOut, "timeout", "progress timeout of 1m0s"},
		{execute.Result{End: execute.EndStartLimit}, step.OutcomeTimedOut, "timeout", "start timeout of 1h0m0s"},
		{execute.Result{End: execute.EndNotStarted, ExitCode: 127, Err: errors.New("x: command not found")}, step.OutcomeFailed, "user", "cannot be started: x: command not found"},
		{execute.Result{End: execute.EndBroken, Err: errors.New("its guard ended early")}, step.OutcomeLost, "infra", "the agent lost hold of it: its guard ended early"},
	} {
		v := step.Judge(test.result, limits)
		require.Equal(t, step.Verdict{Outcome: test.outcome, Cause: test.cause, ExitCode: int32(test.result.ExitCode), Reason: test.reason}, v)
		test.result.Started, test.result.Finished = at, at.Add(time.Second)
		v = step.Judge(test.result, limits)
		require.True(t, v.Started)
		require.Equal(t, time.Second, v.Ran)
	}
}
