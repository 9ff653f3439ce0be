package session_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/internal/rpc"
	_ "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	authzv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/authz/v1"
	_ "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
	_ "github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1"
	_ "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	_ "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	_ "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
	_ "github.com/signalboxhq/signalbox/proto/gen/signalbox/usage/v1"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/password"
	"github.com/signalboxhq/signalbox/tenancy/session"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
	"github.com/signalboxhq/signalbox/tenancy/tenancytest"
)

// gate is every method of the contract behind the real middleware, Authorizer
// and database, with a handler that says only that it was reached.
type gate struct {
	world   tenancytest.World
	rules   rpc.Rules
	handler http.Handler
	cookies session.Cookies
	asked   atomic.Uint32
}

func newGate(t *testing.T) *gate {
	t.Helper()
	hasher, err := password.NewHasher(t.Context(), rand.Reader)
	require.NoError(t, err)
	db := pgtest.DB(t)
	store := tenancydb.NewStore(db, hasher, rand.Reader, time.Now)
	g := &gate{}
	g.world, err = tenancytest.Build(t.Context(), db, store)
	require.NoError(t, err)
	g.rules, err = rpc.LoadRules(services()...)
	require.NoError(t, err)

	log := slog.New(slog.DiscardHandler)
	options := rpc.Options(log, g.rules, session.NewAuthorizer(store, log))
	mux := http.NewServeMux()
	for procedure := range g.rules {
		mux.Handle(procedure, connect.NewUnaryHandler(procedure, reached, options))
	}
	g.handler = session.NewMiddleware(store, g.cookies, session.RemoteIP).Wrap(mux)
	return g
}

func reached(context.Context, *connect.Request[emptypb.Empty]) (*connect.Response[emptypb.Empty], error) {
	return connect.NewResponse(&emptypb.Empty{}), nil
}

// services lists all of the contract's.
func services() []string {
	var names []string
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if strings.HasPrefix(string(file.Package()), "signalbox.") {
			for i := range file.Services().Len() {
				names = append(names, string(file.Services().Get(i).FullName()))
			}
		}
		return true
	})
	return names
}

// call sends an empty message and returns the answer and its whole body.
func (g *gate) call(t *testing.T, procedure string, actor tenancytest.Actor, place tenancytest.Place) (tenancytest.Answer, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, procedure, bytes.NewReader([]byte("{}")))
	r.Header.Set("Content-Type", "application/json")
	// From somewhere else each time: nobody shall be slowed down.
	r.RemoteAddr = netip.AddrPortFrom(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, g.asked.Add(1)))), 1).String()
	actor.Authenticate(r, g.cookies)
	place.Send(r.Header)
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, r)
	if w.Code == http.StatusOK {
		return tenancytest.Allowed, ""
	}
	var refusal struct{ Code string }
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &refusal), w.Body.String())
	answer, ok := map[string]tenancytest.Answer{
		"permission_denied": tenancytest.Denied, "not_found": tenancytest.NotFound,
		"unauthenticated": tenancytest.Unauthenticated, "invalid_argument": tenancytest.Unnamed,
	}[refusal.Code]
	require.True(t, ok, "%s", w.Body)
	return answer, w.Body.String()
}

// TestEveryMethodForEveryActorInEveryPlace walks the descriptors, so that a new
// method is in the matrix from its first day.
func TestEveryMethodForEveryActorInEveryPlace(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	scopes := map[authzv1.Scope]authz.Scope{
		authzv1.Scope_SCOPE_ORGANIZATION: authz.ScopeOrganization, authzv1.Scope_SCOPE_WORKSPACE: authz.ScopeWorkspace,
		authzv1.Scope_SCOPE_USER: authz.ScopeUser, authzv1.Scope_SCOPE_AGENT: authz.ScopeAgent,
	}
	calls, seen := 0, map[tenancytest.Answer]int{}
	for procedure, rule := range g.rules {
		for _, actor := range g.world.Actors {
			for _, place := range g.world.Places() {
				want := tenancytest.Allowed
				if !rule.GetPublic() || rule.GetScope() == authzv1.Scope_SCOPE_AGENT {
					want = actor.Want(scopes[rule.GetScope()], authz.Permission(rule.GetPermission()), place)
				}
				got, body := g.call(t, procedure, actor, place)
				require.Equal(t, want, got, "%s (%s) by %s in %s: %s", procedure, rule, actor.Name, place.Name, body)
				seen[got]++
				calls++
			}
		}
	}
	require.Len(t, seen, 5, "each kind of answer was met")
	require.Equal(t, len(g.rules)*len(g.world.Actors)*len(g.world.Places()), calls)
}

// TestForeignIsAnsweredLikeMissing compares whole answers, byte for byte, but for
// the name that the caller itself has sent.
func TestForeignIsAnsweredLikeMissing(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	places := map[string]tenancytest.Place{}
	for _, p := range g.world.Places() {
		places[p.Name] = p
	}
	normalized := func(procedure string, actor tenancytest.Actor, place tenancytest.Place) string {
		_, body := g.call(t, procedure, actor, place)
		return strings.NewReplacer(place.Organization, "ORG", place.Workspace, "WS").Replace(body)
	}
	for procedure, rule := range g.rules {
		for _, actor := range g.world.Actors {
			if actor.Name == "owner of another organization" || rule.GetPublic() {
				continue
			}
			for _, spelling := range []string{"", " by ids"} {
				require.Equal(t,
					normalized(procedure, actor, places["missing"+spelling]),
					normalized(procedure, actor, places["foreign"+spelling]), "%s by %s", procedure, actor.Name)
			}
		}
	}
}
