package runapi_test

import (
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
)

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{Name: "plain", Tasks: []plan.Task{{Name: "a"}, {Name: "b"}}})
	run := b.start("plain").GetId()
	w := b.worker("box-1")
	lease := w.poll(1).Leases[0]
	res, err := b.h.PauseRun(b.ctx(), &runv1.PauseRunRequest{Id: run})
	require.NoError(t, err)
	require.Equal(t, "paused", res.GetRun().GetState())
	require.Empty(t, res.GetRun().GetReason())
	res, err = b.h.PauseRun(b.ctx(), &runv1.PauseRunRequest{Id: run, Suspend: true})
	require.NoError(t, err)
	require.Equal(t, "suspended", res.GetRun().GetReason())
	w.end(lease, engine.OutcomeCanceled, 0, nil)
	_, tasks := b.get(run)
	require.Equal(t, "suspended", tasks["a"].GetAttempts()[0].GetState())
	require.Empty(t, w.poll(2).Leases)
	resumed, err := b.h.ResumeRun(b.ctx(), &runv1.ResumeRunRequest{Id: run})
	require.NoError(t, err)
	require.Equal(t, "running", resumed.GetRun().GetState())
	for _, l := range w.poll(2).Leases {
		w.end(l, engine.OutcomeSucceeded, 0, nil)
	}
	_, err = b.h.ResumeRun(b.ctx(), &runv1.ResumeRunRequest{Id: run})
	require.Equal(t, fault.Reason("RUN_TERMINAL"), fault.ReasonOf(err))
}

func TestASignalIsTheOutputOfItsTask(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{Name: "waiting", Tasks: []plan.Task{
		{Name: "data", Signal: &plan.Signal{Name: "ready", Type: plan.TypeString}},
		{Name: "more", Signal: &plan.Signal{Name: "bare"}},
	}})
	run := b.start("waiting").GetId()
	_, tasks := b.get(run)
	require.Equal(t, []any{"held", "signal", "ready", "string"},
		[]any{tasks["data"].GetState(), tasks["data"].GetHold().GetKind(), tasks["data"].GetHold().GetSignal(), tasks["data"].GetHold().GetSignalType()})

	payload := b.sealTo(b.key, "payload", `"s3://lake"`)
	send := func(name, key string, v *runv1.Value) error {
		_, err := b.h.SignalRun(b.ctx(), &runv1.SignalRunRequest{Id: run, Name: name, Key: key, Payload: v})
		return err
	}
	other, err := seal.Generate(rand.Reader)
	require.NoError(t, err)
	for reason, err := range map[fault.Reason]error{
		"PARAM_NOT_SEALED": send("ready", "", open("payload", `"x"`)),
		"PARAM_INVALID":    send("ready", "", b.sealTo(other, "payload", `"x"`)),
		"SIGNAL_UNKNOWN":   send("raedy", "", payload),
	} {
		require.Equal(t, reason, fault.ReasonOf(err))
	}
	require.Equal(t, fault.Reason("PARAM_INVALID"), fault.ReasonOf(send("ready", "", nil)), "it has a type")
	require.Equal(t, fault.Reason("PARAM_INVALID"), fault.ReasonOf(send("bare", "", payload)), "it has none")

	require.NoError(t, send("ready", "k", payload))
	require.NoError(t, send("ready", "k", payload))
	values, err := b.h.GetRunValues(b.ctx(), &runv1.GetRunValuesRequest{Id: run})
	require.NoError(t, err)
	out := values.GetTasks()[0]
	require.Equal(t, "data", out.GetTask())
	require.Equal(t, "payload", out.GetOutputs()[0].GetName())
	require.Equal(t, payload.GetSealed(), out.GetOutputs()[0].GetSealed())
	require.NoError(t, send("bare", "", nil))
	r, _ := b.get(run)
	require.Equal(t, "succeeded", r.GetState())
}
