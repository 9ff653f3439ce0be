package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"connectrpc.com/connect"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
)

// What a customer reads of an error that is none of his.
var (
	errInternal    = errors.New("internal error")
	errUnavailable = errors.New("the service cannot answer at the moment; repeat the request")
)

// errUnstorable answers to a NUL in any text of a request, wherever it came to
// light: it must not fill the log with failures of ours.
var errUnstorable = fault.Invalid("INVALID_ARGUMENT", "a text in the request holds a NUL character or is not UTF-8")

// Errors translates what handlers return into what leaves the process. A fault
// becomes its code, its text and a signalbox.fault.v1.Detail. Anything else is
// logged here, once, and leaves as an opaque error; so does a panic.
type Errors struct{ log *slog.Logger }

// NewErrors makes the interceptor.
func NewErrors(log *slog.Logger) *Errors {
	return &Errors{log: log.With(slog.String("component", "rpc"))}
}

// WrapUnary translates the errors of unary calls.
func (e *Errors) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (res connect.AnyResponse, err error) {
		if req.Spec().IsClient {
			return next(ctx, req)
		}
		defer func() {
			err = e.translate(ctx, req.Spec().Procedure, asError(recover(), err))
		}()
		return next(ctx, req)
	}
}

// WrapStreamingHandler translates the errors that end streams.
func (e *Errors) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) (err error) {
		defer func() {
			err = e.translate(ctx, conn.Spec().Procedure, asError(recover(), err))
		}()
		return next(ctx, conn)
	}
}

// WrapStreamingClient leaves clients alone.
func (e *Errors) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// asError makes an error of a panic; net/http's own way to end a request goes on.
func asError(panicked any, err error) error {
	if panicked == nil {
		return err
	}
	if panicked == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so too.
		panic(panicked)
	}
	return fmt.Errorf("panic: %v\n%s", panicked, debug.Stack())
}

func (e *Errors) translate(ctx context.Context, procedure string, err error) error {
	if err == nil {
		return nil
	}
	if f, ok := fault.As(err); ok {
		return e.ofFault(ctx, procedure, f, err)
	}
	if done := ctx.Err(); done != nil && errors.Is(err, done) {
		if errors.Is(done, context.DeadlineExceeded) {
			return connect.NewError(connect.CodeDeadlineExceeded, done)
		}
		return connect.NewError(connect.CodeCanceled, done)
	}
	// Connect's own refusals of what it was sent. Other codes may come from a
	// call that a handler made itself, and name addresses of ours.
	if ce, ok := errors.AsType[*connect.Error](err); ok && ownCodes[ce.Code()] {
		return ce
	}
	if pg.Unstorable(err) {
		return e.ofFault(ctx, procedure, errUnstorable, err)
	}
	if pg.Unreachable(err) {
		e.report(ctx, "database does not answer", procedure, err)
		return detailed(connect.CodeUnavailable, errUnavailable, fault.Unavailable("UNAVAILABLE", "%v", errUnavailable))
	}
	e.report(ctx, "request failed", procedure, err)
	return detailed(connect.CodeInternal, errInternal, fault.Internal("INTERNAL", "%v", errInternal))
}

var ownCodes = map[connect.Code]bool{
	connect.CodeInvalidArgument:   true,
	connect.CodeUnimplemented:     true,
	connect.CodeResourceExhausted: true,
}

func (e *Errors) ofFault(ctx context.Context, procedure string, f *fault.Error, err error) error {
	if f.Kind == fault.KindInternal || f.Kind == fault.KindUnavailable {
		e.report(ctx, "request failed", procedure, err)
	}
	return detailed(codeOf(f.Kind), errors.New(f.Text), f)
}

func (e *Errors) report(ctx context.Context, message, procedure string, err error) {
	e.log.LogAttrs(ctx, slog.LevelError, message, //nolint:sloglint // Two constants of this file.
		slog.String("procedure", procedure), slog.String("request_id", RequestID(ctx)), slog.Any("error", err))
}

func detailed(code connect.Code, text error, f *fault.Error) *connect.Error {
	ce := connect.NewError(code, text)
	d := &faultv1.Detail{Reason: faultv1.Reason(faultv1.Reason_value["REASON_"+string(f.Reason)])}
	for _, v := range f.Violations {
		d.Violations = append(d.Violations, &faultv1.Violation{
			Path: v.Path, Want: v.Want, Got: v.Got, Text: v.Text,
			Line: uint32(max(v.Line, 0)), Column: uint32(max(v.Column, 0)), Excerpt: v.Excerpt,
		})
	}
	if detail, err := connect.NewErrorDetail(d); err == nil { // It fails for a nil message only.
		ce.AddDetail(detail)
	}
	return ce
}

func codeOf(kind fault.Kind) connect.Code {
	switch kind {
	case fault.KindInvalid:
		return connect.CodeInvalidArgument
	case fault.KindNotFound:
		return connect.CodeNotFound
	case fault.KindUnauthenticated:
		return connect.CodeUnauthenticated
	case fault.KindPermissionDenied:
		return connect.CodePermissionDenied
	case fault.KindFailedPrecondition:
		return connect.CodeFailedPrecondition
	case fault.KindAlreadyExists:
		return connect.CodeAlreadyExists
	case fault.KindConflict:
		return connect.CodeAborted
	case fault.KindResourceExhausted:
		return connect.CodeResourceExhausted
	case fault.KindUnavailable:
		return connect.CodeUnavailable
	case fault.KindInternal, fault.KindNone:
		return connect.CodeInternal
	}
	return connect.CodeInternal
}
