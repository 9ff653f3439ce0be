package runapi_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// glance reads a run that may change meanwhile.
func (b *bundle) glance(run string) *runv1.Run {
	got, err := b.h.GetRun(b.ctx(), &runv1.GetRunRequest{Id: run})
	if err != nil {
		return nil
	}
	return got.GetRun()
}

func TestWhatPendingRunsWaitFor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{
		Name: "busy", Params: []plan.Param{{Name: "dataset", Type: plan.TypeString, Open: true, Default: []byte(`"latest"`)}},
		Concurrency: &plan.Concurrency{Key: "${{ params.dataset }}", Limit: 1, Policy: plan.PolicyStrict}, Tasks: []plan.Task{{Name: "a"}},
	})
	first, second, third := b.start("busy"), b.start("busy"), b.start("busy")
	other, err := b.h.StartRun(b.ctx(), &runv1.StartRunRequest{Pipeline: "busy", Params: []*runv1.Value{open("dataset", `"old"`)}})
	require.NoError(t, err)
	require.Equal(t, "running", other.GetRun().GetState(), "another key")
	require.Equal(t, "running", first.GetState())
	require.Equal(t, "concurrency(latest, 1)", second.GetReason())
	require.Equal(t, "concurrency(latest, 2)", third.GetReason())
	require.Equal(t, uint32(2), third.GetWaiting().GetPosition())
	w := b.worker("box-1")
	w.end(w.poll(1).Leases[0], engine.OutcomeFailed, 1, nil)
	require.Eventually(t, func() bool {
		r := b.glance(third.GetId())
		return r.GetReason() == "blocked_by("+first.GetId()+")" && r.GetWaiting().GetBlockedBy() == first.GetId()
	}, 10*time.Second, 10*time.Millisecond)
	list, err := b.h.ListRuns(b.ctx(), &runv1.ListRunsRequest{States: []string{"pending"}})
	require.NoError(t, err)
	require.Equal(t, "blocked_by", list.GetRuns()[0].GetWaiting().GetReason())
	for range 2 {
		_, err = b.h.UnblockRun(b.ctx(), &runv1.UnblockRunRequest{Id: first.GetId()})
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		r := b.glance(second.GetId())
		return r.GetState() == "running" && r.GetWaiting() == nil && r.GetReason() == ""
	}, 10*time.Second, 10*time.Millisecond)
	_, err = b.h.UnblockRun(b.neighbour(), &runv1.UnblockRunRequest{Id: first.GetId()})
	require.Equal(t, fault.KindNotFound, fault.KindOf(err))
}

func TestARunThatStartsLater(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{Name: "plain", Tasks: []plan.Task{{Name: "a"}}})
	at := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	res, err := b.h.StartRun(b.ctx(), &runv1.StartRunRequest{Pipeline: "plain", StartAt: timestamppb.New(at)})
	require.NoError(t, err)
	require.Equal(t, "pending", res.GetRun().GetState())
	require.Equal(t, "start_at("+at.Format(time.RFC3339)+")", res.GetRun().GetReason())
	require.Equal(t, at, res.GetRun().GetWaiting().GetStartAt().AsTime())
}

func TestAKeyWhoseRunHasEnded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{Name: "plain", Tasks: []plan.Task{{Name: "a"}}})
	req := &runv1.StartRunRequest{Pipeline: "plain", IdempotencyKey: "k", IfDone: "failed_only"}
	first, err := b.h.StartRun(b.ctx(), req)
	require.NoError(t, err)
	w := b.worker("box-1")
	w.end(w.poll(1).Leases[0], engine.OutcomeSucceeded, 0, nil)
	_, err = b.h.StartRun(b.ctx(), req)
	require.Equal(t, fault.KindAlreadyExists, fault.KindOf(err))
	require.Contains(t, err.Error(), first.GetRun().GetId())
	again, err := b.h.StartRun(b.ctx(), &runv1.StartRunRequest{Pipeline: "plain", IdempotencyKey: "k"})
	require.NoError(t, err)
	require.False(t, again.GetCreated())
}
