package cli_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1/pipelinev1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1/poolv1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1/relayv1connect"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1/runv1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/schedule/v1/schedulev1connect"
	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1/tenancyv1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/usage/v1/usagev1connect"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// noon is when all tests happen.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// serverURL is the fake's name: the same in every test run, for the transcripts.
const serverURL = "http://signalbox.test"

const token = "sbu_0123456789abcdefghijklmnopqrstuvwxyz"

// fake is a control plane with one organization in it. It answers every call
// that the command line makes, from a small world that a test may change before
// it starts commands.
type fake struct {
	tenancyv1connect.UnimplementedAccountServiceHandler
	tenancyv1connect.UnimplementedOrganizationServiceHandler
	tenancyv1connect.UnimplementedMemberServiceHandler
	tenancyv1connect.UnimplementedKeyServiceHandler
	tenancyv1connect.UnimplementedAuditServiceHandler
	pipelinev1connect.UnimplementedPipelineServiceHandler
	poolv1connect.UnimplementedPoolServiceHandler
	schedulev1connect.UnimplementedScheduleServiceHandler
	runv1connect.UnimplementedRunServiceHandler
	relayv1connect.UnimplementedRelayServiceHandler
	usagev1connect.UnimplementedUsageServiceHandler

	// address is where it listens; serverURL is what people call it.
	address string

	// key is the workspace's sealing key; nil before the first agent.
	key *seal.WorkspaceKey
	// fail has the errors of procedures that are to fail, by their last name.
	fail map[string]error
	// watch is what WatchRun sends; the stream breaks at each nil.
	watch []*runv1.WatchRunResponse
	// logs and values are what an agent sends.
	logs   map[string][]string
	values string
	// who replaces the answer of WhoAmI, audit that of VerifyAudit.
	who   *tenancyv1.WhoAmIResponse
	audit *tenancyv1.VerifyAuditResponse
	// others lets sources of one line, `name: NAME`, be pipelines too; locked is
	// one that may not be changed.
	others bool
	// placed refuses calls that name no workspace.
	placed bool
	// runState is the state of run 12.
	runState string

	// onWatch is told how often WatchRun was called.
	onWatch func(calls int)

	mu      sync.Mutex
	calls   []call
	watched int
}

// call is one request as the fake saw it.
type call struct {
	name   string
	header http.Header
	msg    proto.Message
}

func newFake(t *testing.T) *fake {
	t.Helper()
	key, err := seal.Generate(bytes.NewReader(bytes.Repeat([]byte{7}, 32)))
	require.NoError(t, err)
	f := &fake{key: key, fail: map[string]error{}, logs: map[string][]string{}, values: openedMessage, runState: "running"}
	mux := http.NewServeMux()
	options := connect.WithInterceptors(recorder{f})
	for _, mount := range []func() (string, http.Handler){
		func() (string, http.Handler) { return tenancyv1connect.NewAccountServiceHandler(f, options) },
		func() (string, http.Handler) { return tenancyv1connect.NewOrganizationServiceHandler(f, options) },
		func() (string, http.Handler) { return tenancyv1connect.NewMemberServiceHandler(f, options) },
		func() (string, http.Handler) { return tenancyv1connect.NewKeyServiceHandler(f, options) },
		func() (string, http.Handler) { return tenancyv1connect.NewAuditServiceHandler(f, options) },
		func() (string, http.Handler) { return pipelinev1connect.NewPipelineServiceHandler(f, options) },
		func() (string, http.Handler) { return poolv1connect.NewPoolServiceHandler(f, options) },
		func() (string, http.Handler) { return schedulev1connect.NewScheduleServiceHandler(f, options) },
		func() (string, http.Handler) { return runv1connect.NewRunServiceHandler(f, options) },
		func() (string, http.Handler) { return runv1connect.NewHistoryServiceHandler(f, options) },
		func() (string, http.Handler) { return runv1connect.NewApprovalServiceHandler(f, options) },
		func() (string, http.Handler) { return runv1connect.NewAlertServiceHandler(f, options) },
		func() (string, http.Handler) { return relayv1connect.NewRelayServiceHandler(f, options) },
		func() (string, http.Handler) { return usagev1connect.NewUsageServiceHandler(f, options) },
	} {
		mux.Handle(mount())
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	f.address = strings.TrimPrefix(server.URL, "http://")
	return f
}

// transport reaches the fake whatever a command calls.
func (f *fake) transport() http.RoundTripper {
	return &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, f.address)
	}}
}

// recorder keeps every request, authenticates, and fails those that are to fail.
type recorder struct{ f *fake }

func (r recorder) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		msg, _ := req.Any().(proto.Message)
		if err := r.f.record(req.Spec().Procedure, req.Header(), msg); err != nil {
			return nil, err
		}
		res, err := next(ctx, req)
		if err == nil && lastName(req.Spec().Procedure) == "SignIn" {
			res.Header().Set("Set-Cookie", "sb=session; Path=/; HttpOnly")
		}
		return res, err
	}
}

func (r recorder) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

func (r recorder) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		if err := r.f.record(conn.Spec().Procedure, conn.RequestHeader(), nil); err != nil {
			return err
		}
		return next(ctx, conn)
	}
}

func lastName(procedure string) string {
	for i := len(procedure) - 1; i >= 0; i-- {
		if procedure[i] == '/' {
			return procedure[i+1:]
		}
	}
	return procedure
}

func (f *fake) record(procedure string, h http.Header, msg proto.Message) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	name := lastName(procedure)
	if msg != nil {
		msg = proto.Clone(msg)
	}
	f.calls = append(f.calls, call{name, h.Clone(), msg})
	known := h.Get("Authorization") == "Bearer "+token || h.Get("Cookie") == "sb=session" || name == "SignIn"
	if !known {
		return refusal(connect.CodeUnauthenticated, faultv1.Reason_REASON_UNAUTHENTICATED, "the credential is not valid")
	}
	if f.placed && name == "ListPools" && h.Get("Signalbox-Workspace") == "" {
		text := "name it in the header Signalbox-Workspace"
		return refusal(connect.CodeInvalidArgument, faultv1.Reason_REASON_INVALID_ARGUMENT, text,
			&faultv1.Violation{Path: "Signalbox-Workspace", Text: text})
	}
	return f.fail[name]
}

// called returns the requests of one procedure.
func (f *fake) called(name string) []call {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []call
	for _, c := range f.calls {
		if c.name == name {
			out = append(out, c)
		}
	}
	return out
}

// refusal is an error as the service sends it.
func refusal(code connect.Code, reason faultv1.Reason, text string, violations ...*faultv1.Violation) error {
	err := connect.NewError(code, errors.New(text))
	detail, detailErr := connect.NewErrorDetail(&faultv1.Detail{Reason: reason, Violations: violations})
	if detailErr == nil {
		err.AddDetail(detail)
	}
	return err
}

// fakeID is the n-th id of a kind, always the same.
func fakeID(kind id.Kind, n byte) string {
	tail := bytes.Repeat([]byte{n}, 10)
	return id.Format(kind, id.NewAt(noon.Add(-time.Hour), bytes.NewReader(tail)))
}

// before is a time before noon.
func before(d time.Duration) *timestamppb.Timestamp { return timestamppb.New(noon.Add(-d)) }
