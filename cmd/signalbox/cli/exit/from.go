package exit

import (
	"context"
	"errors"
	"strings"

	"connectrpc.com/connect"

	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
)

// headerRequestID is where the service says which request this was.
const headerRequestID = "Signalbox-Request-Id"

// CodeOf returns the exit code of err, OK for nil.
func CodeOf(err error) Code {
	if err == nil {
		return OK
	}
	if quiet, ok := errors.AsType[*QuietError](err); ok {
		return quiet.Code
	}
	return From(err).Code
}

// From turns any error into one that can be told: a refusal of the service with
// its reason, a service that cannot be reached, an interrupted command.
func From(err error) *Error {
	if own, ok := errors.AsType[*Error](err); ok {
		return own
	}
	if errors.Is(err, context.Canceled) {
		return New(Interrupted, "interrupted").Because(err)
	}
	if refused, ok := errors.AsType[*connect.Error](err); ok {
		return fromConnect(refused)
	}
	return New(Failed, "%s", err.Error()).Because(err)
}

func fromConnect(err *connect.Error) *Error {
	if !connect.IsWireError(err) {
		return fromTransport(err)
	}
	e := &Error{Code: codeOf(err.Code()), Name: err.Code().String(), Text: err.Message(), cause: err}
	for _, d := range err.Details() {
		msg, decodeErr := d.Value()
		detail, ok := msg.(*faultv1.Detail)
		if decodeErr != nil || !ok {
			continue
		}
		e.Violations = detail.GetViolations()
		if r := detail.GetReason(); r != faultv1.Reason_REASON_UNSPECIFIED {
			e.Reason = strings.TrimPrefix(r.String(), "REASON_")
			refine(e, r)
		}
	}
	placeless(e)
	if e.Text == "" {
		e.Text = "the service answered " + e.Name
	}
	if e.Hint == "" {
		e.Hint = adviceFor(err.Code())
	}
	if e.Code == Failed {
		e.Request = err.Meta().Get(headerRequestID)
	}
	return e
}

// placeless says in this program's words that a call needs an organization or
// a workspace and none is set: the service speaks of headers.
func placeless(e *Error) {
	for _, v := range e.Violations {
		switch v.GetPath() {
		case "Signalbox-Workspace":
			e.Text = "no workspace is named"
			e.Hint = "say it with --workspace ORG/WORKSPACE, or once for all with `signalbox workspace use NAME`; `signalbox whoami` lists yours"
		case "Signalbox-Organization":
			e.Text = "no organization is named"
			e.Hint = "say it with --org NAME, or once for all with `signalbox workspace use NAME`; `signalbox whoami` lists yours"
		default:
			continue
		}
		e.Code, e.Violations = Usage, nil
		return
	}
}

// fromTransport is about errors that did not come from the service.
func fromTransport(err *connect.Error) *Error {
	e := &Error{Name: err.Code().String(), Text: err.Message(), Code: Failed, cause: err}
	switch err.Code() { //nolint:exhaustive // the others have no better text than their own
	case connect.CodeUnavailable:
		e.Code, e.Text = Later, "cannot reach the server: "+root(err)
		e.Hint = "is it running, and is --server right? `signalbox config view --origin` shows where the address comes from; `signalbox dev` starts a server on this machine"
	case connect.CodeDeadlineExceeded:
		e.Code, e.Text = Later, "the server did not answer in time"
	case connect.CodeUnimplemented:
		e.Text = "the server does not know this call: it is no Signalbox server, or of another release than this program"
	}
	return e
}

// codeOf is the exit code of a wire code, where no reason says it better.
func codeOf(code connect.Code) Code {
	switch code {
	case connect.CodeNotFound:
		return NotFound
	case connect.CodeUnauthenticated:
		return Auth
	case connect.CodePermissionDenied, connect.CodeResourceExhausted:
		return Denied
	case connect.CodeAlreadyExists, connect.CodeAborted, connect.CodeFailedPrecondition:
		return Conflict
	case connect.CodeInvalidArgument, connect.CodeOutOfRange:
		return Wrong
	case connect.CodeUnavailable, connect.CodeDeadlineExceeded:
		return Later
	case connect.CodeCanceled:
		return Interrupted
	case connect.CodeUnknown, connect.CodeUnimplemented, connect.CodeInternal, connect.CodeDataLoss:
		return Failed
	}
	return Failed
}

// root is the innermost text of an error: the dial's, not the layers' around it.
func root(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		if _, many := inner.(interface{ Unwrap() []error }); many {
			return inner.Error()
		}
		err = inner
		if strings.HasPrefix(err.Error(), "dial ") {
			return err.Error()
		}
	}
}
