package runapi_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func TestCancelAndRetry(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{Name: "plain", Tasks: []plan.Task{{Name: "a"}, {Name: "b"}}})
	run := b.start("plain").GetId()
	w := b.worker("box-1")
	lease := w.poll(1).Leases[0]

	_, err := b.h.RetryRun(b.ctx(), &runv1.RetryRunRequest{Id: run})
	require.Equal(t, fault.Reason("RUN_NOT_TERMINAL"), fault.ReasonOf(err))
	res, err := b.h.CancelRun(b.ctx(), &runv1.CancelRunRequest{Id: "@latest"})
	require.NoError(t, err)
	require.Equal(t, "canceling", res.GetRun().GetState())
	_, tasks := b.get(run)
	require.Equal(t, "asked to stop", tasks["a"].GetAttempts()[0].GetReason())
	require.Equal(t, "canceled", tasks["b"].GetState())
	_, err = b.h.CancelRun(b.ctx(), &runv1.CancelRunRequest{Id: run})
	require.NoError(t, err, "again")

	w.end(lease, engine.OutcomeCanceled, 0, nil)
	r, _ := b.get(run)
	require.Equal(t, "canceled", r.GetState())
	require.Equal(t, id.Format(id.User, b.by.UserID), queryOne[string](b, `SELECT actor FROM journal WHERE kind = 'run_canceled'`, nil))
	_, err = b.h.RetryRun(b.ctx(), &runv1.RetryRunRequest{Id: "plain#1"})
	require.NoError(t, err)
	forced, err := b.h.CancelRun(b.ctx(), &runv1.CancelRunRequest{Id: run, Force: true})
	require.NoError(t, err)
	require.Equal(t, "canceled", forced.GetRun().GetState())
}

func TestRunsHaveManyNames(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{Name: "plain", Tasks: []plan.Task{{Name: "a"}}})
	w := b.worker("box-1")
	first := b.start("plain")
	w.end(w.poll(1).Leases[0], engine.OutcomeFailed, 1, nil)
	second := b.start("plain")
	for ref, want := range map[string]string{
		first.GetId(): first.GetId(), "@failed": first.GetId(), "@latest": second.GetId(), "plain#1": first.GetId(), "plain#2": second.GetId(),
	} {
		got, _ := b.get(ref)
		require.Equal(t, want, got.GetId(), ref)
	}
	for ref, want := range map[string]fault.Reason{
		"plain#3": "NOT_FOUND", "other#1": "NOT_FOUND", id.Format(id.Run, id.New()): "NOT_FOUND",
		"plain#0": "INVALID_ARGUMENT", "#1": "INVALID_ARGUMENT", "": "INVALID_ARGUMENT", "@newest": "INVALID_ARGUMENT",
		id.Format(id.Pool, id.New()): "INVALID_ARGUMENT", "plain": "INVALID_ARGUMENT",
	} {
		_, err := b.h.GetRun(b.ctx(), &runv1.GetRunRequest{Id: ref})
		require.Equal(t, want, fault.ReasonOf(err), ref)
	}
}

func TestForeignRunsAreMissing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{Name: "secret", Tasks: []plan.Task{{Name: "a"}}})
	run := b.start("secret").GetId()
	missing := id.Format(id.Run, id.New())

	for name, ctx := range map[string]context.Context{"organization": b.tenant("rival"), "workspace": b.neighbour()} {
		for call, fn := range map[string]func(ref string) error{
			"GetRun": func(ref string) error {
				_, err := b.h.GetRun(ctx, &runv1.GetRunRequest{Id: ref})
				return err
			},
			"GetRunValues": func(ref string) error {
				_, err := b.h.GetRunValues(ctx, &runv1.GetRunValuesRequest{Id: ref})
				return err
			},
			"CancelRun": func(ref string) error {
				_, err := b.h.CancelRun(ctx, &runv1.CancelRunRequest{Id: ref, Force: true})
				return err
			},
			"RetryRun": func(ref string) error {
				_, err := b.h.RetryRun(ctx, &runv1.RetryRunRequest{Id: ref})
				return err
			},
			"WatchRun": func(ref string) error {
				return b.h.WatchRun(ctx, &runv1.WatchRunRequest{Id: ref}, nil)
			},
		} {
			changes := pgtest.Changes(t, b.db, func() {
				errForeign, errMissing := fn(run), fn(missing)
				require.Equal(t, fault.KindNotFound, fault.KindOf(errForeign), "%s in another %s", call, name)
				require.Equal(t, strings.ReplaceAll(errMissing.Error(), missing, run), errForeign.Error(), call)
				for ref := range map[string]bool{"@latest": true, "@failed": true, "secret#1": true} {
					require.Equal(t, fault.KindNotFound, fault.KindOf(fn(ref)), "%s %s", call, ref)
				}
			})
			require.Empty(t, changes, call)
		}
		_, err := b.h.StartRun(ctx, &runv1.StartRunRequest{Pipeline: "secret"})
		require.Equal(t, fault.NotFound("pipeline", "secret").Text, err.Error())
		_, err = b.h.ListRuns(ctx, &runv1.ListRunsRequest{Pipeline: "secret"})
		require.Equal(t, fault.NotFound("pipeline", "secret").Text, err.Error())
		list, err := b.h.ListRuns(ctx, &runv1.ListRunsRequest{})
		require.NoError(t, err)
		require.Empty(t, list.GetRuns())
	}
	require.Equal(t, "running", queryOne[string](b, `SELECT state FROM run`, nil))
}
