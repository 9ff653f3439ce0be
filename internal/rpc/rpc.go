// Package rpc is the plumbing between Connect and the handlers: who may call
// what, what an error looks like outside, and which request a log line belongs
// to.
//
// Authentication is HTTP middleware around the mux, before anything is decoded;
// here a procedure's rule (the option signalbox.authz.v1.rule) is handed to an
// Authorizer before the handler runs, and errors are translated after it. Both
// are interceptors with all three Wrap methods: a connect.UnaryInterceptorFunc
// lets streams through. The package knows no permission, role or service.
package rpc

import (
	"log/slog"

	"connectrpc.com/connect"
)

// Options are what every handler is made with: errors outermost, so that a
// refusal of the Authorizer and a panic are translated too.
func Options(log *slog.Logger, rules Rules, a Authorizer) connect.HandlerOption {
	return connect.WithInterceptors(NewErrors(log), NewAuthorization(rules, a))
}
