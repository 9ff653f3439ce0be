package runapi_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// diamond has a task of every fate: it is retried, skipped, failed, stranded.
func diamond() *plan.Plan {
	return &plan.Plan{Name: "diamond", Tasks: []plan.Task{
		{
			Name: "prepare", Outputs: []plan.Output{{Name: "rows", Type: plan.TypeInt, Open: true}},
			Retry: plan.Retry{User: 1, Infra: 1, Steps: []plan.Millis{60_000}, Jitter: plan.JitterNone},
		},
		{Name: "train", Needs: []int{0}, Timeouts: plan.Timeouts{Grace: 1000}},
		{Name: "optional", Needs: []int{0}},
		{Name: "report", Needs: []int{1, 2}},
		{Name: "notify", Needs: []int{1}, Rule: "one_failed"},
		{Name: "clean", Exit: plan.ExitAlways},
	}}
}

func states(tasks map[string]*runv1.Task) map[string]string {
	out := map[string]string{}
	for name, t := range tasks {
		out[name] = t.GetState()
	}
	return out
}

func TestTheViewFollowsARunThroughItsLife(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(diamond())
	run := b.start("diamond").GetId()
	w := b.worker("box-1")

	_, tasks := b.get(run)
	require.Equal(t, map[string]string{
		"prepare": "ready", "train": "pending", "optional": "pending", "report": "pending", "notify": "pending", "clean": "pending",
	}, states(tasks))
	require.Equal(t, []string{"train", "optional"}, tasks["report"].GetNeeds())
	require.Equal(t, "always", tasks["clean"].GetExit())
	require.Equal(t, "one_failed", tasks["notify"].GetRule())
	require.Equal(t, "default", tasks["prepare"].GetPool())

	lease := w.poll(8).Leases[0]
	_, tasks = b.get(run)
	require.Equal(t, "running", tasks["prepare"].GetState())
	live := tasks["prepare"].GetAttempts()[0]
	require.Equal(t, "leased", live.GetState())
	require.Equal(t, "box-1", live.GetAgentName())
	require.Equal(t, id.Format(id.Agent, w.agent), live.GetAgentId())
	require.NotNil(t, live.GetReadyAt())
	require.NotNil(t, live.GetGrantedAt())
	require.Nil(t, live.GetStartedAt())

	w.poll(0, advance.Held{Lease: lease.ID, Phase: "running", Started: true, Since: time.Millisecond})
	_, tasks = b.get(run)
	require.Equal(t, "running", tasks["prepare"].GetAttempts()[0].GetState())
	require.NotNil(t, tasks["prepare"].GetAttempts()[0].GetStartedAt())

	body, err := proto.Marshal(&runv1.Body{SealedError: []byte("sealed text")})
	require.NoError(t, err)
	w.end(lease, engine.OutcomeFailed, 3, body)
	_, tasks = b.get(run)
	require.Equal(t, "backoff", tasks["prepare"].GetState())
	require.NotNil(t, tasks["prepare"].GetRetryAt())
	require.Contains(t, tasks["prepare"].GetReason(), "exit code 3")
	require.EqualValues(t, 1, tasks["prepare"].GetUsedUser())
	first := tasks["prepare"].GetAttempts()[0]
	require.Equal(t, "failed", first.GetState())
	require.Equal(t, "user", first.GetCause())
	require.EqualValues(t, 3, first.GetExitCode())
	require.Equal(t, "sealed text", string(first.GetSealedError()))
	require.NotNil(t, first.GetReadyAt(), "from the fold: the journal has no grants")
	require.EqualValues(t, 5, first.GetBilledMs())

	b.exec(`UPDATE timer SET at = now() WHERE kind = 'retry'`, nil)
	require.NoError(t, b.a.Fire(t.Context(), advance.Due{RunKey: advance.RunKey{Org: b.by.OrgID, Run: lease.Run}, Kind: "retry", Attempt: 2}))
	lease = w.poll(8).Leases[0]
	outputs, err := proto.Marshal(&runv1.Body{Outputs: []*runv1.Value{open("rows", "42")}})
	require.NoError(t, err)
	w.end(lease, engine.OutcomeSucceeded, 0, outputs)
	for _, l := range w.poll(8).Leases {
		if l.Task == "train" {
			w.end(l, engine.OutcomeFailed, 1, nil)
		} else {
			w.end(l, engine.OutcomeSkipped, 77, nil)
		}
	}
	_, tasks = b.get(run)
	require.Equal(t, map[string]string{
		"prepare": "succeeded", "train": "failed", "optional": "skipped", "report": "upstream_failed", "notify": "ready", "clean": "pending",
	}, states(tasks))
	require.Contains(t, tasks["report"].GetReason(), "train")
	require.Empty(t, tasks["report"].GetAttempts())
	require.Len(t, tasks["prepare"].GetAttempts(), 2)

	for range 2 {
		for _, l := range w.poll(8).Leases {
			w.end(l, engine.OutcomeSucceeded, 0, nil)
		}
	}
	r, tasks := b.get(run)
	require.Equal(t, "failed", r.GetState())
	require.Equal(t, "failed", r.GetOutcome())
	require.NotNil(t, r.GetFinishedAt())
	require.EqualValues(t, 6, r.GetTasksTotal())
	require.Equal(t, "succeeded", tasks["clean"].GetState())

	values, err := b.h.GetRunValues(b.ctx(), &runv1.GetRunValuesRequest{Id: run})
	require.NoError(t, err)
	require.Len(t, values.GetTasks(), 1)
	require.Equal(t, "prepare", values.GetTasks()[0].GetTask())
	require.EqualValues(t, 2, values.GetTasks()[0].GetAttempt())
	require.Equal(t, "42", string(values.GetTasks()[0].GetOutputs()[0].GetOpenJson()))

	retried, err := b.h.RetryRun(b.ctx(), &runv1.RetryRunRequest{Id: run})
	require.NoError(t, err)
	require.EqualValues(t, 2, retried.GetRun().GetGeneration())
	_, tasks = b.get(run)
	require.Equal(t, map[string]string{
		"prepare": "succeeded", "train": "ready", "optional": "skipped", "report": "pending", "notify": "pending", "clean": "pending",
	}, states(tasks))
	require.Empty(t, tasks["train"].GetReason(), "of the generation before")
	require.EqualValues(t, 1, tasks["train"].GetAttempts()[0].GetGeneration())
	next := w.poll(8).Leases[0]
	_, tasks = b.get(run)
	require.EqualValues(t, 2, tasks["train"].GetAttempts()[1].GetGeneration())
	require.EqualValues(t, next.Attempt, tasks["train"].GetAttempts()[1].GetNumber())
}

func TestALostAttemptIsShown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{Name: "lossy", Tasks: []plan.Task{{Name: "a", Retry: plan.Retry{Infra: 2}}}})
	run := b.start("lossy").GetId()
	w := b.worker("box-1")
	lease := w.poll(1).Leases[0]
	_, err := b.a.EndSession(t.Context(), advance.EndSession{Org: b.by.OrgID, Session: w.session, Force: true})
	require.NoError(t, err)
	lose := advance.Lose{RunKey: advance.RunKey{Org: b.by.OrgID, Run: lease.Run}, Lease: lease.ID, Session: w.session}
	require.NoError(t, b.a.Lose(t.Context(), lose))
	_, tasks := b.get(run)
	require.Equal(t, "ready", tasks["a"].GetState())
	require.Equal(t, "lost", tasks["a"].GetAttempts()[0].GetState())
	require.EqualValues(t, 1, tasks["a"].GetUsedInfra())
	require.Zero(t, tasks["a"].GetUsedUser())
}

func TestLargeAnswersLoseContentNotNames(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := &plan.Plan{Name: "large"}
	for i := range 40 {
		p.Tasks = append(p.Tasks, plan.Task{Name: "t" + string(rune('a'+i%26)) + string(rune('a'+i/26))})
	}
	b.deploy(p)
	run := b.start("large").GetId()
	w := b.worker("box-1")
	body := &runv1.Body{}
	for i := range 4 {
		body.Outputs = append(body.Outputs, &runv1.Value{
			Name: "o" + string(rune('a'+i)), Type: "string", Content: &runv1.Value_Sealed{Sealed: make([]byte, 60<<10)}, Size: 60 << 10,
		})
	}
	bytes, err := proto.Marshal(body)
	require.NoError(t, err)
	for range 5 {
		for _, l := range w.poll(8).Leases {
			w.end(l, engine.OutcomeSucceeded, 0, bytes)
		}
	}
	values, err := b.h.GetRunValues(b.ctx(), &runv1.GetRunValuesRequest{Id: run})
	require.NoError(t, err)
	require.Len(t, values.GetTasks(), 40)
	require.Less(t, proto.Size(values), 9<<20)
	last := values.GetTasks()[39].GetOutputs()[3]
	require.Equal(t, "od", last.GetName())
	require.EqualValues(t, 60<<10, last.GetSize())
	require.Nil(t, last.GetContent())
}
