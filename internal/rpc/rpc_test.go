package rpc_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/rpc"
	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1/runv1connect"
)

// bundle is a server whose one unary method and one stream return err, and
// whose Authorizer returns refusal.
type bundle struct {
	runv1connect.UnimplementedRunServiceHandler

	client  runv1connect.RunServiceClient
	err     error
	panics  bool
	refusal error

	mu      sync.Mutex
	log     bytes.Buffer
	asked   []string
	handled []string // what the handlers found in their context
}

type markKey struct{}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{}
	rules, err := rpc.LoadRules(runv1connect.RunServiceName)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle(runv1connect.NewRunServiceHandler(b, rpc.Options(slog.New(slog.NewTextHandler(b, nil)), rules, b)))
	server := httptest.NewServer(rpc.RequestIDs(mux))
	t.Cleanup(server.Close)
	b.client = runv1connect.NewRunServiceClient(server.Client(), server.URL)
	return b
}

func (b *bundle) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.Write(p)
}

func (b *bundle) Authorize(ctx context.Context, call rpc.Call) (context.Context, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked = append(b.asked, call.Procedure+" "+call.Rule.GetPermission()+" "+call.Header.Get("Signalbox-Workspace"))
	return context.WithValue(ctx, markKey{}, "authorized"), b.refusal
}

func (b *bundle) answer(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	mark, _ := ctx.Value(markKey{}).(string)
	b.handled = append(b.handled, mark)
	if b.panics {
		panic("secret of the panic")
	}
	return b.err
}

func (b *bundle) GetRun(ctx context.Context, _ *runv1.GetRunRequest) (*runv1.GetRunResponse, error) {
	return &runv1.GetRunResponse{}, b.answer(ctx)
}

func (b *bundle) WatchRun(ctx context.Context, _ *runv1.WatchRunRequest, _ *connect.ServerStream[runv1.WatchRunResponse]) error {
	return b.answer(ctx)
}

// unary and stream make one call each and return its error.
func (b *bundle) unary(ctx context.Context) error {
	_, err := b.client.GetRun(ctx, &runv1.GetRunRequest{})
	return err
}

func (b *bundle) stream(ctx context.Context) error {
	s, err := b.client.WatchRun(ctx, &runv1.WatchRunRequest{})
	if err != nil {
		return err
	}
	for s.Receive() {
	}
	return errors.Join(s.Err(), s.Close())
}

func (b *bundle) calls() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{"unary": b.unary, "stream": b.stream}
}

func wire(t *testing.T, err error) *connect.Error {
	t.Helper()
	ce, ok := errors.AsType[*connect.Error](err)
	require.True(t, ok, "%v", err)
	return ce
}

func detail(t *testing.T, err error) *faultv1.Detail {
	t.Helper()
	for _, d := range wire(t, err).Details() {
		value, err := d.Value()
		require.NoError(t, err)
		if v, ok := value.(*faultv1.Detail); ok {
			return v
		}
	}
	t.Fatal("the error carries no detail")
	return nil
}

func TestFaultsKeepCodeReasonAndViolations(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.err = fault.Invalid("PIPELINE_INVALID", "2 errors in the pipeline").
		With(fault.Violation{Path: "tasks.a", Want: "a list", Got: "7", Text: "needs is a list", Line: 3, Column: 9, Excerpt: "  needs: 7"}).
		Because(errors.New("password=hunter2"))
	for name, call := range b.calls() {
		err := call(t.Context())
		require.Equal(t, connect.CodeInvalidArgument, connect.CodeOf(err), name)
		require.Equal(t, "2 errors in the pipeline", wire(t, err).Message(), "the cause stays inside")
		d := detail(t, err)
		require.Equal(t, faultv1.Reason_REASON_PIPELINE_INVALID, d.GetReason())
		require.Len(t, d.GetViolations(), 1)
		require.EqualValues(t, 9, d.GetViolations()[0].GetColumn())
	}
	require.Empty(t, b.log.String(), "a refusal is no news for the log")
}

func TestUnknownErrorsAreOpaqueAndLoggedOnce(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*bundle){
		"error":                  func(b *bundle) { b.err = errors.New("secret in an error") },
		"panic":                  func(b *bundle) { b.panics = true },
		"connect error of a hop": func(b *bundle) { b.err = connect.NewError(connect.CodeNotFound, errors.New("secret address")) },
	} {
		b := setup(t)
		prepare(b)
		for kind, call := range b.calls() {
			b.log.Reset()
			err := call(t.Context())
			require.Equal(t, connect.CodeInternal, connect.CodeOf(err), name+kind)
			require.Equal(t, "internal error", wire(t, err).Message())
			require.Equal(t, faultv1.Reason_REASON_INTERNAL, detail(t, err).GetReason())
			require.Equal(t, 1, bytes.Count(b.log.Bytes(), []byte("level=ERROR")))
			require.Contains(t, b.log.String(), "secret")
			require.Contains(t, b.log.String(), "request_id="+wire(t, err).Meta().Get(rpc.HeaderRequestID))
		}
	}
}

func TestCanceledCallerIsNotLogged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.err = context.Canceled
	interceptor := rpc.NewErrors(slog.New(slog.NewTextHandler(b, nil)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := interceptor.WrapUnary(func(ctx context.Context, _ connect.AnyRequest) (connect.AnyResponse, error) {
		return nil, b.answer(ctx)
	})(ctx, connect.NewRequest(&runv1.GetRunRequest{}))
	require.Equal(t, connect.CodeCanceled, connect.CodeOf(err))
	require.Empty(t, b.log.String())

	b.err = context.Canceled // Of something inside: the caller is still there.
	require.Equal(t, connect.CodeInternal, connect.CodeOf(b.unary(t.Context())))
}

func TestAuthorizerIsAskedBeforeUnaryCallsAndStreams(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.refusal = fault.PermissionDenied("PERMISSION_DENIED", "you may not")
	for name, call := range b.calls() {
		require.Equal(t, connect.CodePermissionDenied, connect.CodeOf(call(t.Context())), name)
	}
	require.Empty(t, b.handled, "no handler ran")

	b.refusal, b.asked = nil, nil
	require.NoError(t, b.unary(t.Context()))
	require.NoError(t, b.stream(t.Context()))
	require.Equal(t, []string{"authorized", "authorized"}, b.handled)
	require.Equal(t, []string{
		runv1connect.RunServiceGetRunProcedure + " runs.read ",
		runv1connect.RunServiceWatchRunProcedure + " runs.read ",
	}, b.asked)
}

func TestMethodWithoutRuleIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	mux := http.NewServeMux()
	mux.Handle(runv1connect.NewRunServiceHandler(b, rpc.Options(slog.New(slog.NewTextHandler(b, nil)), rpc.Rules{}, b)))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	b.client = runv1connect.NewRunServiceClient(server.Client(), server.URL)
	for name, call := range b.calls() {
		require.Equal(t, connect.CodeUnimplemented, connect.CodeOf(call(t.Context())), name)
	}
	require.Empty(t, b.asked)
	require.Empty(t, b.handled)
}

func TestEachKindHasACode(t *testing.T) {
	t.Parallel()
	b := setup(t)
	codes := map[connect.Code]fault.Kind{}
	for _, kind := range fault.Kinds() {
		b.err = &fault.Error{Kind: kind, Reason: "CONFLICT", Text: "x"}
		code := connect.CodeOf(b.unary(t.Context()))
		require.NotContains(t, codes, code)
		codes[code] = kind
	}
	require.Equal(t, fault.KindConflict, codes[connect.CodeAborted])
}
