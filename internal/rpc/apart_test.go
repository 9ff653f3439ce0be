package rpc_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/rpc"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1/runv1connect"
)

func TestACallApartIsAnsweredAsAnyOther(t *testing.T) {
	t.Parallel()
	b := &bundle{}
	rules, err := rpc.LoadRules(runv1connect.RunServiceName)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle(runv1connect.NewRunServiceHandler(b,
		connect.WithInterceptors(rpc.Apart{}), rpc.Options(slog.New(slog.NewTextHandler(b, nil)), rules, b)))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	client := runv1connect.NewRunServiceClient(server.Client(), server.URL)

	_, err = client.GetRun(t.Context(), &runv1.GetRunRequest{})
	require.NoError(t, err)
	require.Equal(t, []string{"authorized"}, b.handled)

	b.panics = true
	_, err = client.GetRun(t.Context(), &runv1.GetRunRequest{})
	require.Equal(t, connect.CodeInternal, connect.CodeOf(err), "and the server lives")
}
