package runapi_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func threeSteps() *plan.Plan {
	return &plan.Plan{
		Name:   "steps",
		Params: []plan.Param{{Name: "lr", Type: plan.TypeFloat, Open: true, Default: []byte("0.1")}},
		Tasks: []plan.Task{
			{Name: "a", Outputs: []plan.Output{{Name: "x", Type: plan.TypeInt, Open: true}}},
			{Name: "b", Needs: []int{0}, Reads: plan.Reads{Params: []string{"lr"}, Outputs: []plan.OutputRef{{Task: "a", Output: "x"}}}},
			{Name: "c", Needs: []int{1}},
		},
	}
}

func (b *bundle) stands(run string) map[string]string {
	b.t.Helper()
	_, tasks := b.get(run)
	out := map[string]string{}
	for name, task := range tasks {
		out[name] = task.GetState()
	}
	return out
}

// next takes a step, which must be the one named, and ends it.
func (w *worker) next(task string, outcome engine.Outcome) {
	w.t.Helper()
	leases := w.poll(1).Leases
	require.Len(w.t, leases, 1)
	require.Equal(w.t, task, leases[0].Task)
	w.end(leases[0], outcome, 1, nil)
}

func TestARestartTakesOverWhatSucceeded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(threeSteps())
	run := b.start("steps").GetId()
	w := b.worker("box-1")
	w.next("a", engine.OutcomeSucceeded)
	w.next("b", engine.OutcomeFailed)
	before := b.stands(run)
	require.Equal(t, "failed", before["b"])

	plan, err := b.h.RestartRun(b.ctx(), &runv1.RestartRunRequest{RunId: run, DryRun: true})
	require.NoError(t, err)
	require.Nil(t, plan.GetRun())
	require.True(t, plan.GetTasks()[0].GetReused())
	require.Equal(t, "it was failed", plan.GetTasks()[1].GetReason())

	res, err := b.h.RestartRun(b.ctx(), &runv1.RestartRunRequest{RunId: run, IdempotencyKey: "once"})
	require.NoError(t, err)
	require.True(t, res.GetCreated())
	same, err := b.h.RestartRun(b.ctx(), &runv1.RestartRunRequest{RunId: run, IdempotencyKey: "once"})
	require.NoError(t, err)
	require.Equal(t, res.GetRun().GetId(), same.GetRun().GetId())
	require.Equal(t, "reused", b.stands(res.GetRun().GetId())["a"])
	w.next("b", engine.OutcomeSucceeded)
	w.next("c", engine.OutcomeSucceeded)
	require.Equal(t, map[string]string{"a": "reused", "b": "succeeded", "c": "succeeded"}, b.stands(res.GetRun().GetId()))

	// Another value for what b reads: a is taken over still.
	res, err = b.h.RestartRun(b.ctx(), &runv1.RestartRunRequest{RunId: res.GetRun().GetId(), Params: []*runv1.Value{open("lr", "0.2")}})
	require.NoError(t, err)
	require.True(t, res.GetTasks()[0].GetReused())
	require.Equal(t, "param lr changed", res.GetTasks()[1].GetReason())
	require.Equal(t, before, b.stands(run), "the first run is as it was")

	_, err = b.h.RestartRun(b.ctx(), &runv1.RestartRunRequest{RunId: run, FromTask: "nobody"})
	require.Equal(t, fault.KindNotFound, fault.KindOf(err))
}

// A param goes back to its default, and who reads it runs again.
func TestARestartPutsParamsBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(threeSteps())
	w := b.worker("box-1")
	first, err := b.h.StartRun(b.ctx(), &runv1.StartRunRequest{Pipeline: "steps", Params: []*runv1.Value{open("lr", "0.2")}})
	require.NoError(t, err)
	run := first.GetRun().GetId()
	for _, task := range []string{"a", "b", "c"} {
		w.next(task, engine.OutcomeSucceeded)
	}
	res, err := b.h.RestartRun(b.ctx(), &runv1.RestartRunRequest{RunId: run, Unset: []string{"lr"}})
	require.NoError(t, err)
	require.True(t, res.GetTasks()[0].GetReused())
	require.Equal(t, "param lr changed", res.GetTasks()[1].GetReason())
	values, err := b.h.GetRunValues(b.ctx(), &runv1.GetRunValuesRequest{Id: res.GetRun().GetId()})
	require.NoError(t, err)
	require.Equal(t, "0.1", string(values.GetParams()[0].GetOpenJson()))

	_, err = b.h.RestartRun(b.ctx(), &runv1.RestartRunRequest{RunId: run, Unset: []string{"rl"}})
	require.ErrorContains(t, err, `there is no param "rl"`)
	_, err = b.h.RestartRun(b.ctx(), &runv1.RestartRunRequest{RunId: run, Unset: []string{"lr"}, Params: []*runv1.Value{open("lr", "0.3")}})
	require.ErrorContains(t, err, "cannot be both")
}

func TestATaskIsTestedByItself(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(threeSteps())
	run := b.start("steps").GetId()
	w := b.worker("box-1")
	_, err := b.h.TestTask(b.ctx(), &runv1.TestTaskRequest{RunId: run, Task: "b"})
	require.Equal(t, fault.Reason("INPUTS_MISSING"), fault.ReasonOf(err))
	w.next("a", engine.OutcomeSucceeded)
	w.next("b", engine.OutcomeFailed)
	before := b.stands(run)
	res, err := b.h.TestTask(b.ctx(), &runv1.TestTaskRequest{RunId: run, Task: "b"})
	require.NoError(t, err)
	w.next("b", engine.OutcomeSucceeded)
	require.Equal(t, map[string]string{"a": "reused", "b": "succeeded", "c": "skipped"}, b.stands(res.GetRun().GetId()))
	require.Equal(t, before, b.stands(run))
}

func TestAnItemIsNotTestedByItself(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{Name: "items", Tasks: []plan.Task{{Name: "each", ForEach: &plan.ForEach{Count: 2, Type: plan.TypeInt}}}})
	run := b.start("items").GetId()
	require.Eventually(t, func() bool {
		_, err := b.h.TestTask(b.ctx(), &runv1.TestTaskRequest{RunId: run, Task: "each[1]"})
		return err != nil && err.Error() == `"each[1]" is a part of "each", and a task is tested as a whole: name that one`
	}, 10*time.Second, 10*time.Millisecond, "once there are items")
	_, err := b.h.TestTask(b.ctx(), &runv1.TestTaskRequest{RunId: run, Task: "each[7]"})
	require.Equal(t, fault.KindNotFound, fault.KindOf(err))
}
