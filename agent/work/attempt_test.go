package work_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/fakeplane"
	"github.com/signalboxhq/signalbox/agent/policy"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func TestValuesGoThroughAndNeverInTheClear(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	version := b.deploy(t,
		plan.Task{
			Name:  "one",
			Run:   `echo "$WORD $N"; echo "$WORD" >&2; cat "$SB_INPUTS/WORD" > "$SB_OUTPUTS/loud"; echo 42 > "$SB_OUTPUTS/score"; echo "$WORD" > "$SB_OUT/file"`,
			Env:   map[string]string{"WORD": "${{ params.word }}", "N": "${{ params.n }}"},
			Reads: plan.Reads{Params: []string{"word", "n"}},
			Outputs: []plan.Output{
				{Name: "loud", Type: plan.TypeString}, {Name: "score", Type: plan.TypeInt, Open: true},
			},
			ArtifactsOut: []plan.ArtifactOut{{Name: "file", Type: plan.TypeDataset}},
		},
		plan.Task{
			Name: "two", Needs: []int{0}, Command: []string{"sh", "-c", `test "$FROM" = "$(cat "$SB_IN/data")"; echo "$FROM"; echo "it broke: $FROM" > "$SB_ERROR"; exit 3`},
			Env:         map[string]string{"FROM": "${{ tasks.one.outputs.loud }}"},
			Reads:       plan.Reads{Outputs: []plan.OutputRef{{Task: "one", Output: "loud"}}},
			ArtifactsIn: []plan.ArtifactIn{{Name: "data", Task: "one", Artifact: "file"}},
		},
	)
	word := b.sealed(t, "word", fmt.Sprintf("%q", canary))
	one := b.plane.Queue(fakeplane.Attempt{Version: version, Run: b.run, Task: "one", Params: []*runv1.Value{word}})
	report := b.plane.Report(one)
	requireOutcome(t, report, "succeeded", "", "")
	require.True(t, report.GetStarted())
	require.Positive(t, report.GetLogBytes())
	require.Equal(t, fmt.Sprintf("%q", canary), b.open(t, "outputs.one.loud", report.GetOutputs()[0].GetSealed()))
	require.Equal(t, "42", string(report.GetOutputs()[1].GetOpenJson()))
	file := report.GetArtifacts()[0]
	require.Equal(t, "dataset", file.GetType())
	require.NotEmpty(t, file.GetDigest())
	require.Contains(t, b.open(t, "outputs.one.file", file.GetSealedUri()), "/one/1/file")
	require.ElementsMatch(t, []string{"stdout: " + canary + " 3", "stderr: " + canary}, strings.Split(strings.TrimSpace(b.logText(t, "one")), "\n"))

	two := b.plane.Queue(fakeplane.Attempt{Version: version, Run: b.run, Task: "two"})
	report = b.plane.Report(two)
	requireOutcome(t, report, "failed", "user", "exit code 3")
	require.Equal(t, "it broke: "+canary, b.open(t, "error", report.GetSealedError()))
	require.NotContains(t, string(b.plane.Sent()), canary)
	require.NotContains(t, b.log.String(), canary)

	// Nothing of the attempts is left but what is kept on purpose.
	left, err := os.ReadDir(filepath.Join(b.dir, "attempts"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	for _, test := range []struct {
		task            plan.Task
		outcome, cause  string
		reason          string
		detail          string
		final, notBegun bool
	}{
		{task: plan.Task{Run: "exit 0"}, outcome: "succeeded"},
		{task: plan.Task{Run: "echo first >&2; echo last >&2; exit 1"}, outcome: "failed", cause: "user", reason: "exit code 1", detail: "first\nlast"},
		{task: plan.Task{Run: "exit 75"}, outcome: "failed", cause: "user", reason: "asks for another attempt", detail: "exit code 75"},
		{task: plan.Task{Run: "exit 77"}, outcome: "skipped", reason: "skipped itself"},
		{task: plan.Task{Run: "echo bad data > $SB_ERROR; echo 'retryable: false' >> $SB_ERROR; exit 2"}, outcome: "failed", cause: "user", reason: "exit code 2", detail: "bad data", final: true},
		{task: plan.Task{Run: "kill -9 $$"}, outcome: "failed", cause: "user", reason: "ended by signal: killed"},
		{task: plan.Task{Command: []string{"no-such-program"}}, outcome: "failed", cause: "user", reason: "cannot be started: no-such-program: command not found", notBegun: true},
		{task: plan.Task{Run: "sleep 600", Timeouts: plan.Timeouts{Run: 50}}, outcome: "timed_out", cause: "timeout", reason: "run timeout of 50ms"},
		{task: plan.Task{Run: "sleep 600", Timeouts: plan.Timeouts{Progress: 50}}, outcome: "timed_out", cause: "timeout", reason: "progress timeout of 50ms"},
		{task: plan.Task{Run: "true", Outputs: []plan.Output{{Name: "x", Type: plan.TypeInt}}}, outcome: "failed", cause: "user", reason: `output "x" is declared and missing`},
		{
			task:    plan.Task{Run: "echo " + canary + " > $SB_OUTPUTS/x", Outputs: []plan.Output{{Name: "x", Type: plan.TypeInt}}},
			outcome: "failed", cause: "user", reason: `output "x" is not of its declared type int`, detail: canary,
		},
		{
			task:    plan.Task{Run: "true", ArtifactsOut: []plan.ArtifactOut{{Name: "m", Type: plan.TypeModel, Path: "out/m.pt"}}},
			outcome: "failed", cause: "user", reason: `artifact "m" is declared and missing: the step did not leave out/m.pt`,
		},
		{
			task:    plan.Task{Run: "mkfifo $SB_OUT/m", ArtifactsOut: []plan.ArtifactOut{{Name: "m", Type: plan.TypeModel}}},
			outcome: "failed", cause: "user", reason: `artifact "m" could not be kept`, detail: "neither a file nor a folder",
		},
	} {
		report := b.plane.Report(b.attempt(t, test.task))
		requireOutcome(t, report, test.outcome, test.cause, test.reason)
		require.Equal(t, test.final, report.GetFinal())
		require.Equal(t, !test.notBegun, report.GetStarted())
		if test.detail != "" {
			require.Contains(t, b.open(t, "error", report.GetSealedError()), test.detail)
		}
	}
	require.NotContains(t, string(b.plane.Sent()), canary)
}

// A limit that the plan leaves open comes with the lease, and is never more than
// the policy allows.
func TestALimitOfTheLease(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var err error
	b.policy, err = policy.Parse([]byte("[allow]\npipelines = [\"*\"]\nscripts = true\n[max]\nrun = \"200ms\"\n"))
	require.NoError(t, err)
	b.start(t)
	version := b.deploy(t, plan.Task{Name: "step", Run: "sleep 600", Timeouts: plan.Timeouts{RunAutoMilli: 1500}})
	for limit, want := range map[time.Duration]string{50 * time.Millisecond: "50ms", 0: "200ms", time.Hour: "200ms"} {
		report := b.plane.Report(b.plane.Queue(fakeplane.Attempt{Version: version, Run: id.New(), Task: "step", RunLimit: limit}))
		requireOutcome(t, report, "timed_out", "timeout", "run timeout of "+want)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var err error
	b.policy, err = policy.Parse([]byte(`
[allow]
pipelines = ["p"]
commands = ["echo"]
scripts = true
env = ["*"]
secrets = ["env:*"]
paths = ["*"]
[max]
cpu = 2
`))
	require.NoError(t, err)
	b.start(t)
	param := func(raw string) *runv1.Value {
		return &runv1.Value{Name: "n", Content: &runv1.Value_OpenJson{OpenJson: []byte(raw)}}
	}
	reads := plan.Reads{Params: []string{"n", "word"}}
	for _, test := range []struct {
		task   plan.Task
		params []*runv1.Value
		cause  string
		reason string
	}{
		{plan.Task{Command: []string{"rm", "-rf", "/"}}, nil, "policy", `rule allow.commands: command "rm" is not in the list`},
		{plan.Task{Run: "true", Resources: plan.Resources{CPUMillis: 3000}}, nil, "policy", "rule max.cpu"},
		{plan.Task{Run: "true", Secrets: map[string]string{"S": "file:/etc/passwd"}}, nil, "policy", "rule allow.secrets"},
		{plan.Task{Run: "true", Secrets: map[string]string{"S": "env:MISSING"}}, nil, "policy", "the agent's environment has no such variable"},
		{plan.Task{Run: "true", Secrets: map[string]string{"S": "env:a b"}}, nil, "policy", "name of an environment variable"},
		{plan.Task{Run: "true", Source: &plan.Source{Path: "/no/such/folder"}}, nil, "input", "this agent has no folder /no/such/folder"},
		{plan.Task{Run: "true", Reads: reads}, []*runv1.Value{param(`"PRIVATE"`)}, "input", "param n is not of its declared type"},
		{plan.Task{Run: "true", Env: map[string]string{"A": "${{ params.word }}"}, Reads: reads}, nil, "input", "env A cannot be evaluated"},
		{plan.Task{Run: "true", ArtifactsIn: []plan.ArtifactIn{{Name: "a", Task: "gone", Artifact: "b"}}}, nil, "input", "artifact b of task gone is not there"},
	} {
		report := b.plane.Report(b.attempt(t, test.task, test.params...))
		requireOutcome(t, report, "refused", test.cause, test.reason)
		require.False(t, report.GetStarted())
		require.NotContains(t, report.GetReason(), "PRIVATE")
		require.Contains(t, b.logText(t, "step"), "agent: refused: ")
	}
}

func TestPlanMustHashToItsVersion(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	version := b.deploy(t, plan.Task{Name: "step", Run: "true"})
	tampered, err := (&plan.Plan{Format: plan.Format, Name: "p", Tasks: []plan.Task{{Name: "step", Run: "touch /tmp/owned"}}}).Encode()
	require.NoError(t, err)
	b.plane.DeployBytes(version, tampered)
	lease := b.plane.Queue(fakeplane.Attempt{Version: version, Run: b.run, Task: "step"})
	requireOutcome(t, b.plane.Report(lease), "refused", "policy", "the plan's bytes do not hash to version "+version)

	unknown := []byte(`{"format":"signalbox.plan/v9"}`)
	version = plan.DigestOf(unknown).String()
	b.plane.DeployBytes(version, unknown)
	lease = b.plane.Queue(fakeplane.Attempt{Version: version, Run: id.New(), Task: "step"})
	requireOutcome(t, b.plane.Report(lease), "rejected", "infra", "this agent is too old for the plan")

	version = b.deploy(t, plan.Task{Name: "other", Run: "true"})
	lease = b.plane.Queue(fakeplane.Attempt{Version: version, Run: id.New(), Task: "step"})
	requireOutcome(t, b.plane.Report(lease), "refused", "policy", `the plan has no task "step"`)
}

func TestTooLargeATask(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	lease := b.attempt(t, plan.Task{Run: "true", Resources: plan.Resources{Slots: 3}})
	requireOutcome(t, b.plane.Report(lease), "rejected", "infra", "asks for more than this agent has")
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.environ["LAKE_TOKEN"] = canary
	b.start(t)
	secrets := map[string]string{"TOKEN": "env:LAKE_TOKEN"}
	lease := b.attempt(t, plan.Task{Secrets: secrets, Run: `
echo "token is $TOKEN"; printf '%s' "$TOKEN" | base64; echo "$TOKEN" > "$SB_SUMMARY"; ls "$SB_INPUTS"
echo "cannot use $TOKEN" >&2; exit 1`})
	report := b.plane.Report(lease)
	requireOutcome(t, report, "failed", "user", "exit code 1")
	require.Equal(t, "cannot use ***", b.open(t, "error", report.GetSealedError()))
	text := b.logText(t, "step")
	require.Contains(t, text, "token is ***\n")
	require.Contains(t, text, "stderr: cannot use ***\n")
	require.Contains(t, text, "agent: failed: exit code 1\n")
	require.NotContains(t, text, canary)
	require.NotContains(t, text, base64.StdEncoding.EncodeToString([]byte(canary))[:10])
	summary, err := os.ReadFile(filepath.Join(b.dir, "logs", id.Format(id.Run, b.run), "step", "1", "summary.md"))
	require.NoError(t, err)
	require.Equal(t, "***\n", string(summary))

	lease = b.attempt(t, plan.Task{
		Secrets: secrets, Run: `printf '{"a":"%s"}' "$TOKEN" > "$SB_OUTPUTS/x"`, Outputs: []plan.Output{{Name: "x", Type: plan.TypeJSON, Open: true}},
	})
	requireOutcome(t, b.plane.Report(lease), "failed", "user", `output "x" holds a secret of this task`)
	require.NotContains(t, string(b.plane.Sent()), canary)
	require.NotContains(t, b.log.String(), canary)
}

func TestSource(t *testing.T) {
	t.Parallel()
	b := setup(t)
	source := filepath.Join(b.dir, "pipelines", "fraud")
	require.NoError(t, os.MkdirAll(source, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(source, "model.pt"), []byte("weights"), 0o600))
	b.start(t)
	lease := b.attempt(t, plan.Task{
		Source: &plan.Source{Path: "pipelines/fraud"}, Run: "test -s model.pt; cd \"$SB_SCRATCH\"; ls -A",
		ArtifactsOut: []plan.ArtifactOut{{Name: "m", Type: plan.TypeModel, Path: "model.pt"}},
	})
	report := b.plane.Report(lease)
	requireOutcome(t, report, "succeeded", "", "")
	require.EqualValues(t, len("weights"), report.GetArtifacts()[0].GetSize())
	require.FileExists(t, filepath.Join(source, "model.pt"), "what is the customer's is copied, not moved")
}

func TestEnvironmentOfAStep(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	report := b.plane.Report(b.attempt(t, plan.Task{
		Name: "show", Exit: plan.ExitAlways, Run: `env | cut -d= -f1 | sort | tr '\n' ' ' > "$SB_OUTPUTS/names"; printf '%s %s %s' "$SB_TASK" "$SB_ATTEMPT" "$SB_RUN_ID" > "$SB_OUTPUTS/who"`,
		Env:     map[string]string{"MINE": "1"},
		Outputs: []plan.Output{{Name: "names", Type: plan.TypeString, Open: true}, {Name: "who", Type: plan.TypeString, Open: true}},
	}))
	requireOutcome(t, report, "succeeded", "", "")
	var names string
	require.NoError(t, json.Unmarshal(report.GetOutputs()[0].GetOpenJson(), &names))
	require.Equal(t, "MINE PATH PWD SB_ATTEMPT SB_ERROR SB_IN SB_INPUTS SB_LABELS SB_METRICS SB_OUT SB_OUTPUTS SB_PIPELINE SB_PLAN SB_PROGRESS "+
		"SB_RUN_ID SB_RUN_URL SB_SCRATCH SB_SUMMARY SB_TASK SB_VERSION ", names)
	require.Equal(t, fmt.Sprintf(`"show 1 %s"`, id.Format(id.Run, b.run)), string(report.GetOutputs()[1].GetOpenJson()))
}
