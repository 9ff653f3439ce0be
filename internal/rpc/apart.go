package rpc

import (
	"context"

	"connectrpc.com/connect"

	"github.com/signalboxhq/signalbox/internal/aside"
)

// Apart is an interceptor that runs unary calls aside, see there: a connection's
// goroutine keeps the stack that its deepest call needed while an agent waits in
// the next one. It stands outside of Errors, so that a panic is translated where
// it happens.
type Apart struct{}

// WrapUnary runs unary calls aside.
func (Apart) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (res connect.AnyResponse, err error) {
		aside.Do(func() { res, err = next(ctx, req) })
		return res, err
	}
}

// WrapStreamingHandler leaves streams alone.
func (Apart) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}

// WrapStreamingClient leaves clients alone.
func (Apart) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}
