package agentapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/signalboxhq/signalbox/controlplane/agentdb"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/rpc"
	authzv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/authz/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

type (
	agentKey   struct{}
	addressKey struct{}
)

// Middleware puts the agent of a valid access token into the context, and the
// address that the request came from, by clientIP. A cookie or a user's key means
// nothing here.
func (i *Identity) Middleware(next http.Handler, clientIP func(*http.Request) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, i.authenticated(r, clientIP(r)))
	})
}

// authenticated returns the request with what is known of who asks. It is apart from what then
// serves the request, so that nothing of it stays on the stacks of those who wait.
func (i *Identity) authenticated(r *http.Request, address string) *http.Request {
	ctx := context.WithValue(r.Context(), addressKey{}, address)
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		if a, err := i.verify(token); err == nil {
			ctx = context.WithValue(ctx, agentKey{}, a)
		}
	}
	return r.WithContext(ctx)
}

// from returns the agent that asks. The Authorizer has made sure that there is
// one.
func from(ctx context.Context) agentdb.Agent {
	a, _ := ctx.Value(agentKey{}).(agentdb.Agent)
	return a
}

func addressOf(ctx context.Context) string {
	ip, _ := ctx.Value(addressKey{}).(string)
	return ip
}

// Authorizer lets agents in, and nobody else.
type Authorizer struct{}

// Authorize refuses a call without an agent's token, unless its method is
// public. Whether the agent was revoked is asked with its session, its lease or
// its row at each call.
func (Authorizer) Authorize(ctx context.Context, call rpc.Call) (context.Context, error) {
	if call.Rule.GetScope() != authzv1.Scope_SCOPE_AGENT {
		return nil, fault.PermissionDenied("PERMISSION_DENIED", "agents may not call this")
	}
	if call.Rule.GetPublic() {
		return ctx, nil
	}
	if from(ctx).ID == (id.UUID{}) {
		return nil, fault.Unauthenticated("UNAUTHENTICATED", "this needs an agent's access token")
	}
	return ctx, nil
}
