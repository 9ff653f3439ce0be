package cli_test

import (
	"os"
	"path/filepath"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
)

const openedValues = `{
	"params": {"epochs": 20, "lr": 0.001},
	"tasks": {"train": {"outputs": {"best": "s3://lake/best"}, "artifacts": {"weights": "file:///data/weights.pt"}, "errors": {"1": "out of memory"}}}
}`

func TestValuesAreOpenedByAnAgent(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.fake.values = openedValues
	r := d.run("run", "values", run12)
	require.Zero(t, r.code, r.err)
	require.Equal(t, `NAME                           TYPE   VALUE
params.epochs                  int    20
params.lr                      float  0.001
tasks.train.outputs.best       uri    s3://lake/best
tasks.train.artifacts.weights  model  file:///data/weights.pt
tasks.train.errors.1           error  out of memory
`, r.out)

	r = d.run("run", "values", run12, "--jq", ".values[1]")
	require.JSONEq(t, `{"name":"params.lr","type":"float","sealed":false,"value":0.001,"size":32}`, r.out)
	require.Equal(t, "s3://lake/best\n", d.run("run", "values", "@latest", "tasks.train.outputs.best").out)
	require.Equal(t, 3, d.run("run", "values", "@latest", "tasks.train.outputs.nothing").code)
}

// What a task left is asked for alone: a run may have left more than one answer
// holds.
func TestValuesOfOneTask(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.fake.values = openedValues
	r := d.run("run", "values", run12, "train", "-o", "name")
	require.Zero(t, r.code, r.err)
	require.Equal(t, "tasks.train.outputs.best\ntasks.train.artifacts.weights\ntasks.train.errors.1\n", r.out)
	require.Equal(t, "out of memory\n", d.run("run", "values", run12, "tasks.train.errors.1").out)
	require.Equal(t, 3, d.run("run", "values", run12, "train[7]").code)
	require.Equal(t, 3, d.run("run", "values", run12, "tasks.test.outputs.auc").code)
}

func TestValuesStaySealedWithoutAnAgent(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.fake.fail["OpenDataStream"] = refusal(connect.CodeUnavailable, faultv1.Reason_REASON_NO_AGENT_ONLINE, "no agent is online, last seen 11:02")
	r := d.run("run", "values", run12)
	require.Zero(t, r.code)
	require.Contains(t, r.out, "params.epochs                  int    20\n")
	require.Contains(t, r.out, "params.lr                      float  sealed\n")
	require.Contains(t, r.err, "Sealed values stay sealed: no agent is online, last seen 11:02.")
	require.Equal(t, 75, d.run("run", "values", run12, "params.lr").code)

	require.Contains(t, d.run("run", "values", run12, "--sealed", "-o", "jsonl").out,
		`{"name":"params.lr","type":"float","sealed":true,"value":null,"size":32}`)
}

func TestValuesAreOpenedWithAnExportedKey(t *testing.T) {
	t.Parallel()
	d := setup(t)
	keys := filepath.Join(d.dir, "keys.txt")
	require.NoError(t, os.WriteFile(keys, []byte(d.fake.key.Export()+"\n"), 0o600))
	r := d.run("run", "values", run12, "--key-file", keys)
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "params.lr                      float  0.001\n")
	require.Contains(t, r.out, "file:///data/weights.pt")
	require.Empty(t, d.fake.called("OpenDataStream"), "nobody was asked")

	require.NoError(t, os.WriteFile(keys, []byte("sbwk_nonsense"), 0o600))
	r = d.run("run", "values", run12, "--key-file", keys)
	require.Equal(t, 65, r.code)
	require.NotContains(t, r.err, "nonsense")
	require.Equal(t, 65, d.run("run", "values", run12, "--key-file", "/nowhere").code)
}

const openedMessage = `{"params": {}, "tasks": {"sign-off": {"outputs": {}, "artifacts": {}, "message": "Promote 0.93?"}}}`

// What an approval asks is opened as other values are, and read before the vote.
func TestWhatAnApprovalAsksIsOpened(t *testing.T) {
	t.Parallel()
	d := setup(t)
	r := d.run("approval", "list")
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "may decide            Promote 0.93?\n")
	require.Contains(t, r.out, "no: you asked for it  To all regions?\n")
	r = d.run("approve", "train#12", "sign-off")
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.err, "sign-off asks: Promote 0.93?\n")
	require.Equal(t, "Promote 0.93?\n", d.run("run", "values", run12, "tasks.sign-off.message").out)

	keys := filepath.Join(d.dir, "keys.txt")
	require.NoError(t, os.WriteFile(keys, []byte(d.fake.key.Export()+"\n"), 0o600))
	require.Contains(t, d.run("approval", "list", "--key-file", keys).out, "Promote 0.93?")
	require.Contains(t, d.run("approve", "train#12", "sign-off", "--key-file", keys).err, "Promote 0.93?")
	require.Contains(t, d.run("approval", "list", "--sealed").out, "may decide            sealed\n")
}

// A vote can be cast where nobody is there to open the question.
func TestAVoteNeedsNoAgent(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.fake.fail["OpenDataStream"] = refusal(connect.CodeUnavailable, faultv1.Reason_REASON_NO_AGENT_ONLINE, "no agent is online, last seen 11:02")
	r := d.run("approve", "train#12", "sign-off")
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.err, "Sealed values stay sealed: no agent is online, last seen 11:02.")
	require.Len(t, d.fake.called("DecideApproval"), 1)
	r = d.run("approval", "list")
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "may decide            sealed\n")
}
