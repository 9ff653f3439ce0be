package runapi_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// many has a map of n items, a map of groups, and a group.
func many(n int) *plan.Plan {
	return &plan.Plan{Name: "many", Tasks: []plan.Task{
		{
			Name: "train", ForEach: &plan.ForEach{Count: n, Type: plan.TypeInt, Tolerate: 1},
			Outputs: []plan.Output{{Name: "auc", Type: plan.TypeFloat, Open: true}},
		},
		{Name: "fold", Group: true, ForEach: &plan.ForEach{Count: 2, Type: plan.TypeInt}},
		{Name: "pack", Group: true},
		{Name: "last", Needs: []int{0, 1, 2}},
		{Name: "fold/fit", In: 2},
		{Name: "fold/score", In: 2, Needs: []int{4}},
		{Name: "pack/up", In: 3},
	}}
}

func (b *bundle) list(req *runv1.ListTasksRequest) *runv1.ListTasksResponse {
	b.t.Helper()
	res, err := b.h.ListTasks(b.ctx(), req)
	require.NoError(b.t, err)
	return res
}

func names(tasks []*runv1.Task) []string {
	var out []string
	for _, t := range tasks {
		out = append(out, t.GetName())
	}
	return out
}

// all ends every lease there is, as end says, until none comes.
func (w *worker) all(end func(l advance.Lease) engine.Outcome) {
	w.t.Helper()
	for {
		leases := w.poll(8).Leases
		if len(leases) == 0 {
			return
		}
		for _, l := range leases {
			body, err := proto.Marshal(&runv1.Body{Outputs: []*runv1.Value{open("auc", "0.5")}, SealedError: []byte("why " + l.Task)})
			require.NoError(w.t, err)
			w.end(l, end(l), 1, body)
		}
	}
}

func TestARunOfManyTasksIsShownInParts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(many(40))
	run := b.start("many").GetId()
	w := b.worker("box-1")

	_, tasks := b.get(run)
	require.Len(t, tasks, 5, "%v", tasks)
	require.Equal(t, "map", tasks["train"].GetKind())
	require.EqualValues(t, 40, tasks["train"].GetItems().GetTotal())
	require.EqualValues(t, 40, tasks["train"].GetItems().GetWaiting())
	require.Equal(t, "group", tasks["pack"].GetKind())
	require.Equal(t, "pack", tasks["pack/up"].GetParent())
	require.Equal(t, []string{"train", "fold", "pack"}, tasks["last"].GetNeeds())

	w.all(func(l advance.Lease) engine.Outcome {
		if l.Task == "train[3]" {
			return engine.OutcomeFailed
		}
		return engine.OutcomeSucceeded
	})
	r, tasks := b.get(run)
	require.Equal(t, "succeeded", r.GetState())
	require.EqualValues(t, 4, r.GetTasksTotal())
	require.EqualValues(t, 4, r.GetTasksDone())
	items := tasks["train"].GetItems()
	require.EqualValues(t, []uint32{40, 40, 39, 1, 0}, []uint32{items.GetTotal(), items.GetDone(), items.GetSucceeded(), items.GetTolerated(), items.GetFailed()})
	items = tasks["fold"].GetItems()
	require.EqualValues(t, []uint32{2, 2, 2}, []uint32{items.GetTotal(), items.GetDone(), items.GetSucceeded()})

	first := b.list(&runv1.ListTasksRequest{RunId: run, Parent: "train", PageSize: 30})
	require.EqualValues(t, 40, first.GetMatching())
	require.Len(t, first.GetTasks(), 30)
	require.Equal(t, "train[29]", first.GetTasks()[29].GetName())
	require.EqualValues(t, 29, first.GetTasks()[29].GetItem())
	rest := b.list(&runv1.ListTasksRequest{RunId: run, Parent: "train", PageSize: 30, PageToken: first.GetNextPageToken()})
	require.Len(t, rest.GetTasks(), 10)
	require.Empty(t, rest.GetNextPageToken())
	require.Equal(t, []string{"train[3]"}, names(b.list(&runv1.ListTasksRequest{RunId: run, Task: "train", States: []string{"tolerated"}}).GetTasks()))
	require.Equal(t, []string{"fold[0]/fit", "fold[0]/score", "fold[1]/fit", "fold[1]/score"}, names(b.list(&runv1.ListTasksRequest{RunId: run, Parent: "fold"}).GetTasks()))
	require.Equal(t, []string{"fold[0]/score", "fold[1]/score"}, names(b.list(&runv1.ListTasksRequest{RunId: run, Task: "fold/score"}).GetTasks()))
	require.EqualValues(t, 4+40+4+1, b.list(&runv1.ListTasksRequest{RunId: run}).GetMatching())

	one, err := b.h.GetTask(b.ctx(), &runv1.GetTaskRequest{RunId: run, Task: "fold[1]/score"})
	require.NoError(t, err)
	require.Equal(t, []string{"fold[1]/fit"}, one.GetTask().GetNeeds())
	require.Equal(t, "fold/score", one.GetTask().GetPlanTask())
	one, err = b.h.GetTask(b.ctx(), &runv1.GetTaskRequest{RunId: run, Task: "train[3]"})
	require.NoError(t, err)
	require.Equal(t, "why train[3]", string(one.GetTask().GetAttempts()[0].GetSealedError()))
	require.Equal(t, "box-1", one.GetTask().GetAttempts()[0].GetAgentName())

	values, err := b.h.GetRunValues(b.ctx(), &runv1.GetRunValuesRequest{Id: run, Task: "train[39]"})
	require.NoError(t, err)
	require.Equal(t, "train[39]", values.GetTasks()[0].GetTask())

	for _, path := range []string{"", "train[40]", "train[03]", "train[-1]", "fold[1]", "fold[1]/none", "pack/up/x", "last[0]", "nobody"} {
		_, err = b.h.GetTask(b.ctx(), &runv1.GetTaskRequest{RunId: run, Task: path})
		require.Equal(t, fault.KindNotFound, fault.KindOf(err), path)
	}
	_, err = b.h.ListTasks(b.ctx(), &runv1.ListTasksRequest{RunId: run, States: []string{"open"}})
	require.Equal(t, fault.Reason("INVALID_ARGUMENT"), fault.ReasonOf(err))
	_, err = b.h.ListTasks(b.neighbour(), &runv1.ListTasksRequest{RunId: run})
	require.Equal(t, fault.KindNotFound, fault.KindOf(err))
}

// What a task left that was taken over is where it was made, however often runs
// took it over.
func TestValuesOfReusedTasksAreThoseOfTheRunThatMadeThem(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(many(5))
	first := b.start("many").GetId()
	w := b.worker("box-1")
	fails := "train[1] train[4]"
	ends := func(l advance.Lease) engine.Outcome {
		if len(fails) > 0 && (l.Task == fails[:8] || l.Task == fails[9:]) {
			return engine.OutcomeFailed
		}
		return engine.OutcomeSucceeded
	}
	w.all(ends)
	r, _ := b.get(first)
	require.Equal(t, "failed", r.GetState())

	fails = ""
	run := first
	for _, from := range []string{"", "last"} {
		res, err := b.h.RestartRun(b.ctx(), &runv1.RestartRunRequest{RunId: run, FromTask: from})
		require.NoError(t, err)
		run = res.GetRun().GetId()
		w.all(ends)
	}
	r, tasks := b.get(run)
	require.Equal(t, "succeeded", r.GetState(), "%v", tasks)
	list := b.list(&runv1.ListTasksRequest{RunId: run, Task: "train", States: []string{"reused"}})
	require.NotEmpty(t, list.GetTasks())
	folds := b.list(&runv1.ListTasksRequest{RunId: run, Parent: "fold", States: []string{"reused"}})
	require.Equal(t, []string{"fold[0]/fit", "fold[0]/score", "fold[1]/fit", "fold[1]/score"}, names(folds.GetTasks()))
	values, err := b.h.GetRunValues(b.ctx(), &runv1.GetRunValuesRequest{Id: run, Task: "train"})
	require.NoError(t, err)
	require.Len(t, values.GetTasks(), 5, "%v", values.GetTasks())
	one, err := b.h.GetTask(b.ctx(), &runv1.GetTaskRequest{RunId: run, Task: "train[0]"})
	require.NoError(t, err)
	require.Equal(t, first, one.GetTask().GetOriginRunId())
	require.Empty(t, one.GetTask().GetAttempts())
}
