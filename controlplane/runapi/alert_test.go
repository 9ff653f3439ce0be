package runapi_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func (b *bundle) alerts(size uint32, token string) *runv1.ListAlertsResponse {
	b.t.Helper()
	res, err := b.h.Alerts().ListAlerts(b.ctx(), &runv1.ListAlertsRequest{PageSize: size, PageToken: token})
	require.NoError(b.t, err)
	return res
}

// finish runs the task and the exit handler of a run, which fail or not.
func (w *worker) finish(task, handler int32) {
	w.t.Helper()
	for _, exit := range []int32{task, handler} {
		outcome := engine.OutcomeSucceeded
		if exit != 0 {
			outcome = engine.OutcomeFailed
		}
		w.end(w.poll(8).Leases[0], outcome, exit, nil)
	}
}

func TestFailedExitHandlersAlert(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{Name: "train", Tasks: []plan.Task{{Name: "fit"}, {Name: "tidy", Exit: plan.ExitAlways}}})
	w := b.worker("box-1")

	good := b.start("train").GetId()
	w.finish(0, 0)
	run, _ := b.get(good)
	require.False(t, run.GetExitHandlerFailed())
	require.Empty(t, b.alerts(0, "").GetAlerts())

	second := b.start("train").GetId()
	w.finish(0, 1)
	run, _ = b.get(second)
	require.Equal(t, "succeeded", run.GetState(), "a handler changes no outcome")
	require.True(t, run.GetExitHandlerFailed())
	require.Len(t, b.alerts(0, "").GetAlerts(), 1)
	alert := b.alerts(0, "").GetAlerts()[0]
	require.Equal(t, "P2", alert.GetTier())
	require.Equal(t, "exit_handler_failed", alert.GetKind())
	require.Equal(t, second, alert.GetRunId())
	require.Equal(t, "An exit handler failed; the run succeeded all the same.", alert.GetText())
	require.Equal(t, run.GetFinishedAt().AsTime(), alert.GetSince().AsTime())

	third := b.start("train").GetId()
	w.finish(1, 1)
	require.Len(t, b.alerts(0, "").GetAlerts(), 1, "of each pipeline one")
	b.deploy(&plan.Plan{Name: "other", Tasks: []plan.Task{{Name: "fit"}, {Name: "tidy", Exit: plan.ExitAlways}}})
	fourth := b.start("other").GetId()
	w.finish(0, 1)
	page := b.alerts(1, "")
	require.Equal(t, fourth, page.GetAlerts()[0].GetRunId(), "newest first")
	page = b.alerts(1, page.GetNextPageToken())
	require.Equal(t, third, page.GetAlerts()[0].GetRunId())
	require.Empty(t, page.GetNextPageToken())

	// Retried well, it alerts no more; nor does the one before it.
	_, err := b.h.RetryRun(b.ctx(), &runv1.RetryRunRequest{Id: third})
	require.NoError(t, err)
	w.finish(0, 0)
	run, _ = b.get(third)
	require.False(t, run.GetExitHandlerFailed())
	require.Len(t, b.alerts(0, "").GetAlerts(), 1)
	b.start("other")
	w.finish(1, 0)
	require.Empty(t, b.alerts(0, "").GetAlerts(), "a later run made it good")

	_, err = b.h.Alerts().ListAlerts(b.ctx(), &runv1.ListAlertsRequest{PageToken: "?"})
	require.Error(t, err)
}
