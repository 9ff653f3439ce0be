package agentapi

import (
	"connectrpc.com/connect"

	"github.com/signalboxhq/signalbox/internal/rpc"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1/agentv1connect"
)

// Apart has all calls run aside that ask the database themselves, which takes a
// deep stack. Polls and reports do not: the loop of controlplane/advance asks for
// them, and agents' steps wait until they are answered.
func Apart() connect.HandlerOption {
	return connect.WithConditionalHandlerOptions(func(spec connect.Spec) []connect.HandlerOption {
		switch spec.Procedure {
		case agentv1connect.AgentServicePollProcedure, agentv1connect.AgentServiceReportProcedure:
			return nil
		}
		return []connect.HandlerOption{connect.WithInterceptors(rpc.Apart{})}
	})
}
