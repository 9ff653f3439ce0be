package cli_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/seal"
)

func startRequest(t *testing.T, d *desk) *runv1.StartRunRequest {
	t.Helper()
	calls := d.fake.called("StartRun")
	require.NotEmpty(t, calls)
	req, ok := calls[len(calls)-1].msg.(*runv1.StartRunRequest)
	require.True(t, ok)
	return req
}

// opened opens a param as an agent would.
func opened(t *testing.T, d *desk, v *runv1.Value) string {
	t.Helper()
	org, err := id.Parse(id.Org, fakeID(id.Org, 1))
	require.NoError(t, err)
	ws, err := id.Parse(id.Workspace, fakeID(id.Workspace, 1))
	require.NoError(t, err)
	value, err := seal.NewRing(d.fake.key).Open(seal.Binding{Org: org, Workspace: ws, Name: seal.ParamName(v.GetName())}, v.GetSealed())
	require.NoError(t, err)
	return string(value)
}

func TestStartSealsWhatIsNotDeclaredOpen(t *testing.T) {
	t.Parallel()
	d := setup(t)
	r := d.run("run", "start", "train", "-p", "epochs=20", "-p", "lr=1e-3", "-p", "dataset=s3://canary/x",
		"--label", "team=risk", "--key", "k1", "--priority", "5")
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.err, "Sealing to the key of acme/main, seen for the first time: "+d.fake.key.Fingerprint())

	req := startRequest(t, d)
	_, digest := fakePlan()
	require.Empty(t, req.GetVersion(), "with a key, a repetition after a deploy is the same start")
	require.Equal(t, "k1", req.GetIdempotencyKey())
	require.Equal(t, int32(5), req.GetPriority())
	require.Equal(t, map[string]string{"team": "risk"}, req.GetLabels())
	require.Len(t, req.GetParams(), 3)
	require.JSONEq(t, "20", string(req.GetParams()[0].GetOpenJson()))
	require.Equal(t, "0.001", opened(t, d, req.GetParams()[1]))
	require.Equal(t, uint32(32), req.GetParams()[1].GetSize(), "the size that everybody sees, not the exact one")
	require.Equal(t, `"s3://canary/x"`, opened(t, d, req.GetParams()[2]))
	for _, c := range d.fake.calls {
		sent, err := proto.Marshal(c.msg)
		require.NoError(t, err)
		require.False(t, bytes.Contains(sent, []byte("canary")), "%s carries it in the clear", c.name)
	}

	r = d.run("run", "start", "train", "-p", "lr=1", "-p", "dataset=s3://y")
	require.Zero(t, r.code)
	require.NotContains(t, r.err, "first time")
	require.Equal(t, digest, startRequest(t, d).GetVersion(), "without one, the version that the values were read for")
}

func TestStartChecksParamsBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		args []string
		want []string
	}{
		{"wrong type", []string{"-p", "lr=abc", "-p", "dataset=s3://x"}, []string{`parameter lr: want float, got "abc"`}},
		{"out of range", []string{"-p", "epochs=0", "-p", "dataset=s3://x"}, []string{"parameter epochs: want at least 1, got 0"}},
		{"several", []string{"-p", "epoch=1", "-p", "lr=x", "-p", "lr=1"}, []string{
			"error: 4 parameters are wrong",
			"parameter epoch: the pipeline has none of that name; did you mean epochs?",
			`parameter lr: want float, got "x"`,
			"parameter lr: given twice",
			"parameter dataset: required; give it with -p dataset=…",
		}},
		{"no file", []string{"-p", "lr=@nowhere"}, []string{"parameter lr: open"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := setup(t)
			r := d.run(append([]string{"run", "start", "train"}, c.args...)...)
			require.Equal(t, 65, r.code)
			for _, w := range c.want {
				require.Contains(t, r.err, w)
			}
			require.Empty(t, d.fake.called("StartRun"))
		})
	}
}

func TestStartTakesParamsFromFilesAndInput(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.write("lr.txt", "0.5\n")
	d.input = "s3://from/input\n"
	r := d.run("run", "start", "train", "-p", "lr=@lr.txt", "-p", "dataset=@-")
	require.Zero(t, r.code, r.err)
	req := startRequest(t, d)
	require.Equal(t, "0.5", opened(t, d, req.GetParams()[0]))
	require.Equal(t, `"s3://from/input"`, opened(t, d, req.GetParams()[1]))
}

func TestStartWithoutASealingKeySaysToStartAnAgent(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.fake.key = nil
	r := d.run("run", "start", "train", "-p", "dataset=s3://x")
	require.Equal(t, 6, r.code)
	require.Contains(t, r.err, "workspace acme/main has no sealing key yet")
	require.Contains(t, r.err, "signalbox pool join-token")
	require.Empty(t, d.fake.called("StartRun"))

	r = d.run("run", "start", "train", "-p", "dataset=s3://x", "--json")
	var e map[string]any
	require.NoError(t, json.Unmarshal([]byte(r.err), &e))
	require.Equal(t, "SEALING_KEY_MISSING", e["reason"])
}

func TestAChangedSealingKeyIsRefusedUntilSomebodyTrustsIt(t *testing.T) {
	t.Parallel()
	d := setup(t)
	start := []string{"run", "start", "train", "-p", "dataset=s3://x"}
	require.Zero(t, d.run(start...).code)
	require.Len(t, d.fake.called("StartRun"), 1)

	other, err := seal.Generate(bytes.NewReader(bytes.Repeat([]byte{9}, 32)))
	require.NoError(t, err)
	old := d.fake.key
	d.fake.key = other
	r := d.run(start...)
	require.Equal(t, 5, r.code)
	require.Contains(t, r.err, "the sealing key of acme/main has changed: "+old.Fingerprint()+" since 2026-11-20, now "+other.Fingerprint())
	require.Contains(t, r.err, "signalbox workspace key --trust '"+other.Fingerprint()+"'")
	require.Len(t, d.fake.called("StartRun"), 1, "nothing was sent")
	require.Contains(t, d.run("workspace", "key").out, "NOT the one that is known")

	r = d.run("workspace", "key", "--trust", old.Fingerprint())
	require.Equal(t, 65, r.code)
	require.Equal(t, 5, d.run(start...).code)

	r = d.run("workspace", "key", "--trust", strings.ToUpper(other.Fingerprint()))
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "the one that is known")
	require.Zero(t, d.run(start...).code)
	require.Equal(t, `"s3://x"`, opened(t, d, startRequest(t, d).GetParams()[0]))
}

func TestCurlOfAStartHoldsEnvelopesOnly(t *testing.T) {
	t.Parallel()
	d := setup(t)
	r := d.run("run", "start", "train", "-p", "dataset=s3://canary/x", "--curl")
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "StartRun")
	require.Contains(t, r.out, `"sealed":"`)
	require.Contains(t, r.out, `"Authorization: Bearer $SIGNALBOX_TOKEN"`)
	require.NotContains(t, r.out, "canary")
	require.NotContains(t, r.out, token)
	require.Empty(t, d.fake.called("StartRun"))
}
