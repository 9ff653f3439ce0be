package rpc

import (
	"context"
	"net/http"

	"github.com/signalboxhq/signalbox/proto/id"
)

// HeaderRequestID carries a request's id in every response, so that a customer
// can name the request that failed.
const HeaderRequestID = "Signalbox-Request-Id"

type requestIDKey struct{}

// RequestIDs is HTTP middleware that gives every request an id of ours. One
// that a client sends is not taken: it would end up in our logs.
func RequestIDs(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rid := id.New().String()
		w.Header().Set(HeaderRequestID, rid)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, rid)))
	})
}

// RequestID is the id of the request that ctx belongs to, or "".
func RequestID(ctx context.Context) string {
	rid, _ := ctx.Value(requestIDKey{}).(string)
	return rid
}
