package runapi_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// spans are the first start and the last end of attempts at tasks.
func spans(tasks []*runv1.Task) (first, last *timestamppb.Timestamp) {
	for _, t := range tasks {
		for _, a := range t.GetAttempts() {
			if s := a.GetStartedAt(); s != nil && (first == nil || s.AsTime().Before(first.AsTime())) {
				first = s
			}
			if f := a.GetFinishedAt(); f != nil && (last == nil || f.AsTime().After(last.AsTime())) {
				last = f
			}
		}
	}
	return first, last
}

func TestWhatHasPartsTellsWhenTheyRan(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := many(4)
	p.Tasks[1].Needs, p.Tasks[2].Needs = []int{0}, []int{0}
	b.deploy(p)
	run := b.start("many").GetId()
	w := b.worker("box-1")
	_, tasks := b.get(run)
	require.Nil(t, tasks["train"].GetItems().GetFirstStart())
	require.Nil(t, tasks["train"].GetItems().GetLastEnd())

	leases := w.poll(1).Leases
	_, tasks = b.get(run)
	require.Nil(t, tasks["train"].GetItems().GetFirstStart(), "it was handed out, and has not started")
	w.poll(0, advance.Held{Lease: leases[0].ID, Phase: "running", Started: true, Since: time.Millisecond})
	_, tasks = b.get(run)
	first, _ := spans(b.list(&runv1.ListTasksRequest{RunId: run, Parent: "train"}).GetTasks())
	require.NotNil(t, first)
	require.True(t, proto.Equal(first, tasks["train"].GetItems().GetFirstStart()))
	require.Nil(t, tasks["fold"].GetItems().GetFirstStart())

	w.end(leases[0], engine.OutcomeFailed, 1, nil)
	_, tasks = b.get(run)
	require.NotNil(t, tasks["train"].GetItems().GetFirstStart())
	require.Nil(t, tasks["train"].GetItems().GetLastEnd(), "others are to come")
	w.all(func(advance.Lease) engine.Outcome { return engine.OutcomeSucceeded })
	r, tasks := b.get(run)
	require.Equal(t, "succeeded", r.GetState())
	for _, owner := range []string{"train", "fold", "pack"} {
		first, last := spans(b.list(&runv1.ListTasksRequest{RunId: run, Parent: owner}).GetTasks())
		require.NotNil(t, first, owner)
		require.True(t, proto.Equal(first, tasks[owner].GetItems().GetFirstStart()), owner)
		require.True(t, proto.Equal(last, tasks[owner].GetItems().GetLastEnd()), owner)
	}
}

// What waits takes its time too.
func TestPartsThatWaitAreInTheSpan(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{Name: "outer", Tasks: []plan.Task{
		{Name: "ask", Group: true},
		{Name: "ask/data", In: 1, Signal: &plan.Signal{Name: "ready"}},
	}})
	run := b.start("outer").GetId()
	_, tasks := b.get(run)
	since := tasks["ask/data"].GetHold().GetSince()
	require.NotNil(t, since)
	require.True(t, proto.Equal(since, tasks["ask"].GetItems().GetFirstStart()))
	require.Nil(t, tasks["ask"].GetItems().GetLastEnd())

	_, err := b.h.SignalRun(b.ctx(), &runv1.SignalRunRequest{Id: run, Name: "ready"})
	require.NoError(t, err)
	r, tasks := b.get(run)
	require.Equal(t, "succeeded", r.GetState())
	items := tasks["ask"].GetItems()
	require.True(t, proto.Equal(since, items.GetFirstStart()))
	require.False(t, items.GetLastEnd().AsTime().Before(since.AsTime()))
	require.NotNil(t, items.GetLastEnd())
}
