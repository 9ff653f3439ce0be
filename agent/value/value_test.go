package value_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/value"
	"github.com/signalboxhq/signalbox/proto/expr"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
)

type testBundle struct {
	org, ws   id.UUID
	key       *seal.WorkspaceKey
	sender    *seal.Sender // another agent's, or a browser's
	workspace *value.Workspace
	blind     *value.Workspace // without the private key
}

func setup(t *testing.T) *testBundle {
	t.Helper()
	b := &testBundle{org: id.New(), ws: id.New(), key: newKey(t)}
	b.sender = seal.NewSender(b.key.Public(), time.Now, rand.Reader)
	keyring, _ := openKeyring(t)
	b.blind = value.NewWorkspace(b.org, b.ws, keyring, b.key.Public())
	keyring, _ = openKeyring(t)
	_, err := keyring.Import(b.key.Export())
	require.NoError(t, err)
	b.workspace = value.NewWorkspace(b.org, b.ws, keyring, b.key.Public())
	return b
}

func (b *testBundle) seal(t *testing.T, name, raw string) []byte {
	t.Helper()
	envelope, err := b.sender.Seal(seal.Binding{Org: b.org, Workspace: b.ws, Name: name}, []byte(raw))
	require.NoError(t, err)
	return envelope
}

func (b *testBundle) opened(t *testing.T, name string, envelope []byte) string {
	t.Helper()
	raw, err := seal.NewRing(b.key).Open(seal.Binding{Org: b.org, Workspace: b.ws, Name: name}, envelope)
	require.NoError(t, err)
	return string(raw)
}

// example is a plan of two tasks and an exit handler.
func (b *testBundle) example(t *testing.T) *plan.Plan {
	t.Helper()
	return &plan.Plan{
		Name: "p",
		Params: []plan.Param{
			{Name: "epochs", Type: plan.TypeInt, Max: json.RawMessage("100")},
			{Name: "rate", Type: plan.TypeFloat, Open: true, Default: json.RawMessage("0.1")},
			{Name: "token", Type: plan.TypeString, SealedDefault: strings.TrimPrefix(seal.Text(b.seal(t, "params.token", `"hidden"`)), "sealed:")},
			{Name: "unread", Type: plan.TypeString, SealedDefault: "not base64"},
		},
		Tasks: []plan.Task{
			{
				Name: "prepare", Outputs: []plan.Output{{Name: "shards", Type: plan.List(plan.TypeString)}, {Name: "rows", Type: plan.TypeInt, Open: true}},
				ArtifactsOut: []plan.ArtifactOut{{Name: "data", Type: plan.TypeDataset}},
			},
			{
				Name: "train",
				Reads: plan.Reads{
					Params:    []string{"epochs", "rate", "token"},
					Outputs:   []plan.OutputRef{{Task: "prepare", Output: "shards"}, {Task: "prepare", Output: "rows"}},
					Artifacts: []plan.ArtifactRef{{Task: "prepare", Artifact: "data"}},
				},
				Env: map[string]string{
					"EPOCHS": "${{ params.epochs }}", "RATE": "rate=${{ params.rate }}", "TOKEN": "${{ params.token }}",
					"SHARDS": "${{ tasks.prepare.outputs.shards }}", "ROWS": "${{ tasks.prepare.outputs.rows }}",
					"DATA": "${{ tasks.prepare.artifacts.data }}", "PLAIN": "as it is",
				},
			},
			{Name: "explain", Exit: plan.ExitAlways, Env: map[string]string{"OUTCOME": "${{ run.outcome }}", "ID": "${{ run.id }}"}},
		},
	}
}

func (b *testBundle) inputs(t *testing.T) link.Inputs {
	t.Helper()
	return link.Inputs{
		Params: []link.Value{{Name: "epochs", Type: "int", Sealed: b.seal(t, "params.epochs", "10")}},
		Tasks: []link.TaskValues{{
			Task: "prepare",
			Outputs: []link.Value{
				{Name: "shards", Type: "list<string>", Sealed: b.seal(t, "outputs.prepare.shards", `["a","b"]`)},
				{Name: "rows", Type: "int", Open: json.RawMessage("7")},
			},
			Artifacts: []link.Artifact{{Name: "data", SealedURI: b.seal(t, "outputs.prepare.data", `"agent://me/x"`)}},
		}},
	}
}

// take gathers what a task's step reads from pages.
func take(w *value.Workspace, p *plan.Plan, task int, pages ...link.Inputs) (value.Values, error) {
	intake := w.Intake(p, task, false)
	for _, page := range pages {
		if err := intake.Add(page); err != nil {
			return value.Values{}, err
		}
	}
	return intake.Done()
}

func TestRender(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.example(t)
	values, err := take(b.workspace, p, 1, b.inputs(t))
	require.NoError(t, err)
	require.Equal(t, "agent://me/x", values.Artifacts[expr.ArtifactRef{Task: "prepare", Artifact: "data"}])
	program := value.NewProgram(p)
	for range 2 {
		env, err := program.Env(1, values)
		require.NoError(t, err)
		require.Equal(t, map[string]string{
			"EPOCHS": "10", "RATE": "rate=0.1", "TOKEN": "hidden", "SHARDS": `["a","b"]`, "ROWS": "7",
			"DATA": "agent://me/x", "PLAIN": "as it is",
		}, env)
	}
	values.Run = expr.Run{ID: "run_1", Outcome: "failed"}
	env, err := program.Env(2, values)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"OUTCOME": "failed", "ID": "run_1"}, env)
}

func TestMissingInputIsNamed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.example(t)
	inputs := b.inputs(t)
	inputs.Tasks = nil // it was skipped
	values, err := take(b.workspace, p, 1, inputs)
	require.NoError(t, err)
	_, err = value.NewProgram(p).Env(1, values)
	wrong, ok := errors.AsType[*value.InputError](err)
	require.True(t, ok)
	require.Equal(t, "env DATA cannot be evaluated", wrong.Reason)
	require.Contains(t, wrong.Detail, "there is no `tasks.prepare.artifacts.data`")
}

func TestWrongInputs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, test := range map[string]struct {
		spoil  func(*link.Inputs)
		reason string
		detail string
	}{
		"wrong type": {
			func(in *link.Inputs) { in.Params[0].Sealed = b.seal(t, "params.epochs", `"PRIVATE"`) },
			"param epochs is not of its declared type or range", "PRIVATE",
		},
		"out of range": {
			func(in *link.Inputs) { in.Params[0].Sealed = b.seal(t, "params.epochs", `101`) },
			"param epochs is not of its declared type or range", "want at most 100, got 101",
		},
		"sealed as something else": {
			func(in *link.Inputs) { in.Params[0].Sealed = b.seal(t, "params.rate", `10`) },
			"param epochs: sealed data does not open", "",
		},
		"output": {
			func(in *link.Inputs) { in.Tasks[0].Outputs[1].Open = json.RawMessage(`"PRIVATE"`) },
			"output rows of task prepare is not of its declared type", "PRIVATE",
		},
		"uri": {
			func(in *link.Inputs) { in.Tasks[0].Artifacts[0].SealedURI = b.seal(t, "outputs.prepare.data", "7") },
			"artifact data of task prepare is not of its", "its URI is no text",
		},
	} {
		p := b.example(t)
		inputs := b.inputs(t)
		test.spoil(&inputs)
		_, err := take(b.workspace, p, 1, inputs)
		wrong, ok := errors.AsType[*value.InputError](err)
		require.True(t, ok, name)
		require.Contains(t, wrong.Reason, test.reason)
		require.Contains(t, wrong.Detail, test.detail)
		require.NotContains(t, wrong.Reason, "PRIVATE")
		require.False(t, wrong.Elsewhere)
	}
}

func TestAddressesAreSealed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, address := range []string{"10.0.0.7", strings.Repeat("a", 255)} {
		text, err := b.workspace.SealAddress(address)
		require.NoError(t, err)
		require.NotContains(t, text, address)
		require.LessOrEqual(t, len(text), 600, "what the control plane takes")
		got, err := b.workspace.OpenAddress(text)
		require.NoError(t, err)
		require.Equal(t, address, got)
		_, err = b.blind.OpenAddress(text)
		wrong, ok := errors.AsType[*value.InputError](err)
		require.True(t, ok)
		require.True(t, wrong.Elsewhere, "an agent that has the key may do better")
	}
	none, err := b.workspace.SealAddress("")
	require.NoError(t, err)
	require.Empty(t, none)
	old, err := b.workspace.OpenAddress("10.0.0.7")
	require.NoError(t, err)
	require.Equal(t, "10.0.0.7", old)
	_, err = b.workspace.OpenAddress("sealed:rubbish")
	require.Error(t, err)
}

func TestAgentWithoutTheKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.example(t)
	_, err := take(b.blind, p, 1, b.inputs(t))
	wrong, ok := errors.AsType[*value.InputError](err)
	require.True(t, ok)
	require.True(t, wrong.Elsewhere)
	require.Contains(t, wrong.Reason, "which this agent does not hold (`signalbox-agent key import`)")
	// It works on what needs nothing opened, and seals.
	_, err = take(b.blind, p, 2, link.Inputs{})
	require.NoError(t, err)
	sealed, err := b.blind.SealError("oops")
	require.NoError(t, err)
	require.Equal(t, "oops", b.opened(t, "error", sealed))
	a, err := b.blind.SealArtifact("t", plan.ArtifactOut{Name: "m"}, "agent://x", []byte("digest"), 1)
	require.NoError(t, err)
	require.Empty(t, a.Digest)
}

func TestSealOutputs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.example(t)
	sealed, err := b.workspace.SealOutputs("prepare", &p.Tasks[0], map[string]json.RawMessage{
		"shards": json.RawMessage(`["secret"]`), "rows": json.RawMessage("7"), "undeclared": json.RawMessage("1"),
	})
	require.NoError(t, err)
	require.Len(t, sealed, 2)
	require.Nil(t, sealed[0].Open)
	require.EqualValues(t, 10, sealed[0].Size)
	require.JSONEq(t, `["secret"]`, b.opened(t, "outputs.prepare.shards", sealed[0].Sealed))
	require.Equal(t, link.Value{Name: "rows", Type: "int", Open: json.RawMessage("7"), Size: 1}, sealed[1])
}

func TestSealArtifact(t *testing.T) {
	t.Parallel()
	b := setup(t)
	declared := plan.ArtifactOut{Name: "model", Type: plan.TypeModel}
	one, err := b.workspace.SealArtifact("train", declared, "agent://me/1", []byte("same"), 12)
	require.NoError(t, err)
	two, err := b.workspace.SealArtifact("train", declared, "agent://me/2", []byte("same"), 12)
	require.NoError(t, err)
	other, err := b.workspace.SealArtifact("train", declared, "agent://me/2", []byte("other"), 12)
	require.NoError(t, err)
	require.JSONEq(t, `"agent://me/1"`, b.opened(t, "outputs.train.model", one.SealedURI))
	require.Equal(t, one.Digest, two.Digest)
	require.NotEqual(t, one.Digest, other.Digest)
	require.EqualValues(t, 12, one.Size)
	require.Equal(t, "model", one.Type)
}

func TestSealError(t *testing.T) {
	t.Parallel()
	b := setup(t)
	none, err := b.workspace.SealError("")
	require.NoError(t, err)
	require.Nil(t, none)
	long, err := b.workspace.SealError(strings.Repeat("x", 1<<20))
	require.NoError(t, err)
	require.Len(t, b.opened(t, "error", long), 32<<10+len("…"))
}

func TestDocument(t *testing.T) {
	t.Parallel()
	b := setup(t)
	foreign := newKey(t)
	unknown, err := seal.NewSender(foreign.Public(), time.Now, rand.Reader).
		Seal(seal.Binding{Org: b.org, Workspace: b.ws, Name: "params.old"}, []byte("1"))
	require.NoError(t, err)
	in := b.inputs(t)
	doc, err := b.workspace.Document(link.RunValues{
		Params: append(in.Params, link.Value{Name: "old", Sealed: unknown}),
		Tasks: append(in.Tasks, link.TaskValues{
			Task: "fold[3]/ask", Message: &link.Value{Name: "message", Sealed: b.seal(t, "message.fold/ask", `"Promote 7?"`)},
		}, link.TaskValues{
			Task: "other", Message: &link.Value{Name: "message", Sealed: b.seal(t, "params.message", `"no message"`)},
		}),
		Errors: []link.SealedError{{Task: "train", Attempt: 2, Sealed: b.seal(t, "error", "it broke")}},
	})
	require.NoError(t, err)
	text, err := json.Marshal(doc)
	require.NoError(t, err)
	require.JSONEq(t, `{
		"params": {"epochs": 10},
		"tasks": {
			"prepare": {"outputs": {"shards": ["a", "b"], "rows": 7}, "artifacts": {"data": "agent://me/x"}},
			"train": {"outputs": {}, "artifacts": {}, "errors": {"2": "it broke"}},
			"fold[3]/ask": {"outputs": {}, "artifacts": {}, "message": "Promote 7?"},
			"other": {"outputs": {}, "artifacts": {}}
		}
	}`, string(text))
}
