package local

import (
	"net/http"
	"strings"

	"connectrpc.com/connect"

	"github.com/signalboxhq/signalbox/internal/rpc"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1/agentv1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1/relayv1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1/runv1connect"
)

// Handler serves the agent and the reader, each with a token of its own: other
// users of this machine can reach the port, too.
func (p *Plane) Handler() http.Handler {
	errors := connect.WithInterceptors(rpc.NewErrors(p.config.Log))
	mux := http.NewServeMux()
	handle := func(wrap func(http.Handler) http.Handler, path string, h http.Handler) { mux.Handle(path, wrap(h)) }
	path, h := agentv1connect.NewAgentServiceHandler(agentService{p}, errors)
	handle(p.agentOnly, path, h)
	path, h = runv1connect.NewRunServiceHandler(runService{Plane: p}, errors)
	handle(p.readerOnly, path, h)
	path, h = runv1connect.NewApprovalServiceHandler(approvalService{Plane: p}, errors)
	handle(p.readerOnly, path, h)
	path, h = relayv1connect.NewRelayServiceHandler(relayService{p}, errors)
	handle(p.readerOnly, path, h)
	return mux
}

func (p *Plane) readerOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !same(p.ReaderToken, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}
