package runapi_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/watch"
	"github.com/signalboxhq/signalbox/internal/rpc"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1/runv1connect"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// client talks to the service over HTTP as the bundle's owner.
func (b *bundle) client() runv1connect.RunServiceClient {
	b.t.Helper()
	errors := connect.WithInterceptors(rpc.NewErrors(slog.New(slog.DiscardHandler)))
	path, h := runv1connect.NewRunServiceHandler(b.h, errors)
	mux := http.NewServeMux()
	mux.Handle(path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(caller.With(r.Context(), b.by)))
	}))
	server := httptest.NewServer(mux)
	b.t.Cleanup(server.Close)
	return runv1connect.NewRunServiceClient(server.Client(), server.URL)
}

func TestWatchingShowsEachStepAndEnds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{Name: "chain", Tasks: []plan.Task{{Name: "a"}, {Name: "b", Needs: []int{0}}}})
	run := b.start("chain").GetId()
	w := b.worker("box-1")
	stream, err := b.client().WatchRun(t.Context(), &runv1.WatchRunRequest{Id: "@latest"})
	require.NoError(t, err)
	next := func() *runv1.WatchRunResponse {
		require.True(t, stream.Receive(), "%v", stream.Err())
		require.Equal(t, run, stream.Msg().GetRun().GetId())
		return stream.Msg()
	}

	require.Equal(t, "ready", next().GetTasks()[0].GetState(), "whole, at once")
	lease := w.poll(1).Leases[0]
	require.Equal(t, "leased", next().GetTasks()[0].GetAttempts()[0].GetState(), "a grant is no entry, and shown all the same")
	w.end(lease, engine.OutcomeSucceeded, 0, nil)
	msg := next()
	require.Equal(t, "succeeded", msg.GetTasks()[0].GetState())
	require.Equal(t, "ready", msg.GetTasks()[1].GetState())
	w.end(w.poll(1).Leases[0], engine.OutcomeSucceeded, 0, nil)
	for msg = next(); msg.GetRun().GetState() != "succeeded"; msg = next() {
		require.Equal(t, "running", msg.GetRun().GetState())
	}
	require.False(t, stream.Receive())
	require.NoError(t, stream.Err())
}

func TestWatchingAnEndedRunSendsItOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{Name: "one", Tasks: []plan.Task{{Name: "a"}}})
	b.start("one")
	_, err := b.h.CancelRun(b.ctx(), &runv1.CancelRunRequest{Id: "@latest"})
	require.NoError(t, err)
	stream, err := b.client().WatchRun(t.Context(), &runv1.WatchRunRequest{Id: "one#1"})
	require.NoError(t, err)
	require.True(t, stream.Receive())
	require.Equal(t, "canceled", stream.Msg().GetRun().GetState())
	require.False(t, stream.Receive())
	require.NoError(t, stream.Err())
}

func TestAStoppingReplicaSendsWatchersElsewhere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{Name: "one", Tasks: []plan.Task{{Name: "a"}}})
	b.start("one")
	stream, err := b.client().WatchRun(t.Context(), &runv1.WatchRunRequest{Id: "@latest"})
	require.NoError(t, err)
	require.True(t, stream.Receive())
	b.w.Stop()
	require.False(t, stream.Receive())
	require.Equal(t, connect.CodeAborted, connect.CodeOf(stream.Err()))
}

func TestAWatcherThatLeavesFreesItsPlace(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{Name: "one", Tasks: []plan.Task{{Name: "a"}}})
	b.start("one")
	client := b.client()
	room := func() bool {
		s, err := b.w.Subscribe(watch.Run{Org: b.by.OrgID})
		if err == nil {
			s.Close()
		}
		return err == nil
	}
	for range watch.MaxPerOrganization - 1 {
		s, err := b.w.Subscribe(watch.Run{Org: b.by.OrgID})
		require.NoError(t, err)
		t.Cleanup(s.Close)
	}
	require.True(t, room())
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := client.WatchRun(ctx, &runv1.WatchRunRequest{Id: "@latest"})
	require.NoError(t, err)
	require.True(t, stream.Receive())
	require.False(t, room())
	full, err := client.WatchRun(t.Context(), &runv1.WatchRunRequest{Id: "@latest"})
	require.NoError(t, err)
	require.False(t, full.Receive())
	require.Equal(t, connect.CodeResourceExhausted, connect.CodeOf(full.Err()))
	cancel()
	require.Eventually(t, room, 20*time.Second, 10*time.Millisecond)
}
