package rpc

import (
	"context"
	"errors"
	"net/http"

	"connectrpc.com/connect"

	authzv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/authz/v1"
)

// Call is one call that is about to be handled.
type Call struct {
	Procedure string
	Rule      *authzv1.Rule
	Header    http.Header
}

// Authorizer decides whether a call may go on. Who asks is in ctx, put there by
// the middleware that authenticated the request. The context it returns is the
// handler's: it carries what the decision found out, such as the organization.
// An error that is no fault is an outage, never a refusal.
type Authorizer interface {
	Authorize(ctx context.Context, call Call) (context.Context, error)
}

// Authorization asks the Authorizer before every unary call and stream.
type Authorization struct {
	rules      Rules
	authorizer Authorizer
}

// NewAuthorization makes the interceptor. A procedure that rules lacks is
// refused as unimplemented.
func NewAuthorization(rules Rules, a Authorizer) *Authorization {
	return &Authorization{rules: rules, authorizer: a}
}

// WrapUnary authorizes unary calls.
func (a *Authorization) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		if req.Spec().IsClient {
			return next(ctx, req)
		}
		ctx, err := a.authorize(ctx, req.Spec().Procedure, req.Header())
		if err != nil {
			return nil, err
		}
		return next(ctx, req)
	}
}

// WrapStreamingHandler authorizes streams, before their first message.
func (a *Authorization) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		ctx, err := a.authorize(ctx, conn.Spec().Procedure, conn.RequestHeader())
		if err != nil {
			return err
		}
		return next(ctx, conn)
	}
}

// WrapStreamingClient leaves clients alone.
func (a *Authorization) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

func (a *Authorization) authorize(ctx context.Context, procedure string, header http.Header) (context.Context, error) {
	rule, ok := a.rules[procedure]
	if !ok {
		return nil, connect.NewError(connect.CodeUnimplemented, errors.New("this method has no rule"))
	}
	return a.authorizer.Authorize(ctx, Call{Procedure: procedure, Rule: rule, Header: header})
}
