package work_test

import (
	"crypto/rand"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/fakeplane"
	"github.com/signalboxhq/signalbox/agent/value"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// TestKeyIsImportedBesideTheRunningAgent is the second agent of a workspace.
func TestKeyIsImportedBesideTheRunningAgent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key, err := seal.Generate(rand.Reader)
	require.NoError(t, err)
	b.plane.SetSealingKey(key.KID().String(), key.Public().Bytes())
	b.start(t)
	require.Empty(t, b.plane.Opened(1)[0].GetSealingKids())

	// It works on what needs no sealed input, and seals its outputs.
	requireOutcome(t, b.plane.Report(b.script(t, "exit 0")), "succeeded", "", "")
	reads := plan.Task{Name: "reads", Run: "test \"$W\" = secret", Env: map[string]string{"W": "${{ params.word }}"}, Reads: plan.Reads{Params: []string{"word"}}}
	word := b.sealed(t, "word", `"secret"`)
	requireOutcome(t, b.plane.Report(b.attempt(t, reads, word)), "rejected", "infra", "which this agent does not hold")

	beside, err := value.OpenKeyring(filepath.Join(b.dir, "workspace.keys"))
	require.NoError(t, err)
	_, err = beside.Import(key.Export())
	require.NoError(t, err)
	require.Equal(t, []string{key.KID().String()}, b.plane.Opened(2)[1].GetSealingKids())
	requireOutcome(t, b.plane.Report(b.attempt(t, reads, word)), "succeeded", "", "")
}

func TestSessionTellsWhatTheAgentIs(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	kid, _ := b.awaitKey()
	opening := b.plane.Opened(1)[0]
	require.Equal(t, []string{kid}, opening.GetSealingKids())
	require.EqualValues(t, 2, opening.GetCapacity().GetSlots())
	require.EqualValues(t, 4000, opening.GetCapacity().GetCpuMillis())
	require.Equal(t, map[string]string{"zone": "test"}, opening.GetLabels())
	require.Equal(t, "v0", opening.GetVersion())
	require.Empty(t, opening.GetReplaces())
}

func TestReadersAreAnswered(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	tell, reached := b.reached(t, "ready")
	gate, open := b.gate(t, "gate")
	version := b.deploy(t, plan.Task{Name: "step", Run: "echo " + canary + "\n" + tell + gate + "echo more"})
	lease := b.plane.Queue(fakeplane.Attempt{Version: version, Run: b.run, Task: "step", Params: []*runv1.Value{b.sealed(t, "word", `"`+canary+`"`)}})
	reached()
	reader, err := seal.NewReaderKey(rand.Reader)
	require.NoError(t, err)
	run := id.Format(id.Run, b.run)
	follow := b.plane.Ask(&agentv1.DataRequest{RunId: run, Task: "step", Kind: relayv1.DataKind_DATA_KIND_LOGS, PublicKey: reader.Public(), Follow: true})
	values := b.plane.Ask(&agentv1.DataRequest{RunId: run, Kind: relayv1.DataKind_DATA_KIND_VALUES, PublicKey: reader.Public()})
	logs := reader.Opener(seal.Stream{Org: b.plane.Org, Run: b.run, What: seal.LogsOf("step", 0)})
	payload, _, err := logs.Open(b.plane.Frames(follow, 0)[0].GetCiphertext())
	require.NoError(t, err)
	require.Contains(t, string(payload), canary)
	document, final, err := reader.Opener(seal.Stream{Org: b.plane.Org, Run: b.run, What: seal.ValuesOfRun}).
		Open(b.plane.Frames(values, 0)[0].GetCiphertext())
	require.NoError(t, err)
	require.True(t, final)
	require.JSONEq(t, `{"params": {"word": "`+canary+`"}, "tasks": {}}`, string(document))

	open()
	b.plane.Report(lease)
	for n := 1; !final || n == 1; n++ {
		payload, final, err = logs.Open(b.plane.Frames(follow, n)[n].GetCiphertext())
		require.NoError(t, err)
		if n == 1 {
			require.Contains(t, string(payload), "more")
		}
	}
	require.NotContains(t, string(b.plane.Sent()), canary)
}
