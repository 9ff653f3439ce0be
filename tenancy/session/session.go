// Package session finds out who sends a request, and whether they may.
//
//	http  ── CrossOriginProtection ── Middleware ── mux ── errors ── Authorizer ── handler
//	         refuses other sites'     cookie or bearer      │        the method's rule
//	         unsafe requests          → caller in ctx       └ internal/rpc
//
// The middleware authenticates every request to the RPCs of people and keys,
// unary or stream, with one query, which requests that show the same key and wait
// at the same time share; the Authorizer, which internal/rpc asks
// before each call, refuses what the method's rule does not allow. A credential
// that is not good is refused there too, because methods such as SignIn need
// none, whatever old cookie comes along.
//
// The agents' service has a mux and a middleware of its own: a cookie or a
// person's key means nothing there, and an agent's token nothing here. The
// package decides nothing itself: rights are authz's, credentials tenancydb's.
package session

import (
	"context"
	"crypto/sha256"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/signalboxhq/signalbox/internal/pace"
	"github.com/signalboxhq/signalbox/internal/rpc"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
	"github.com/signalboxhq/signalbox/tenancy/token"
)

// The headers in which a request names its place, by id or slug. A workspace may
// be named with its organization, "acme/dev".
const (
	HeaderOrganization = "Signalbox-Organization"
	HeaderWorkspace    = "Signalbox-Workspace"
)

// maxUserAgent is how much of a browser's name is kept.
const maxUserAgent = 256

// Authenticator knows the credentials; tenancydb.Store is one. An error that is
// no fault is an outage.
type Authenticator interface {
	AuthenticateSession(ctx context.Context, cookie token.Cookie, place tenancydb.Place) (authz.Principal, error)
	AuthenticateKey(ctx context.Context, key token.Token, place tenancydb.Place, ip string) (authz.Principal, error)
}

// Middleware puts the caller of each request into its context.
type Middleware struct {
	authenticator Authenticator
	cookies       Cookies
	clientIP      func(*http.Request) string
	strangers     *pace.Pacer
	familiar      pace.Familiar[[sha256.Size]byte]
	together      together
}

// NewMiddleware makes a Middleware. clientIP is RemoteIP, or Forwarded behind
// proxies.
func NewMiddleware(a Authenticator, cookies Cookies, clientIP func(*http.Request) string) *Middleware {
	return &Middleware{
		authenticator: a, cookies: cookies, clientIP: clientIP,
		strangers: pace.New(strangersRate, strangersBurst, time.Now),
	}
}

// Wrap authenticates the requests to next, which are those of people and keys.
// Unsafe requests that a browser sends from another site are refused at once.
// Answers are for the caller alone: no cache may keep one, and no browser take
// it for a page or a script.
func (m *Middleware) Wrap(next http.Handler) http.Handler {
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		next.ServeHTTP(w, r.WithContext(m.authenticate(r.Context(), r)))
	}))
}

func (m *Middleware) authenticate(ctx context.Context, r *http.Request) context.Context {
	c := caller.Caller{
		IP:        m.clientIP(r),
		UserAgent: printable(r.UserAgent()),
		RequestID: rpc.RequestID(ctx),
	}
	found, err := m.paced(ctx, r, c.IP)
	c.Principal = found
	ctx = caller.With(ctx, c)
	if err != nil {
		ctx = context.WithValue(ctx, failureKey{}, err)
	}
	return ctx
}

// principal looks the request's credential up. A bearer token is what a program
// means, so that a cookie beside it does not count; none at all is nobody.
func (m *Middleware) principal(ctx context.Context, r *http.Request, ip string) (authz.Principal, error) {
	organization, workspace := r.Header.Get(HeaderOrganization), r.Header.Get(HeaderWorkspace)
	place := tenancydb.ParsePlace(organization, workspace)
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, text, _ := strings.Cut(header, " ")
		key, err := token.Parse(strings.TrimSpace(text))
		if err != nil || !strings.EqualFold(scheme, "Bearer") {
			return authz.Principal{}, tenancydb.ErrUnauthenticated.Because(token.ErrMalformed)
		}
		return m.together.do(ctx, asked{key, organization, workspace, ip}, func(ctx context.Context) (authz.Principal, error) {
			return m.authenticator.AuthenticateKey(ctx, key, place, ip)
		})
	}
	text, ok := m.cookies.read(r)
	if !ok {
		return authz.Principal{}, nil
	}
	cookie, err := token.ParseCookie(text)
	if err != nil {
		return authz.Principal{}, tenancydb.ErrUnauthenticated.Because(err)
	}
	return m.authenticator.AuthenticateSession(ctx, cookie, place)
}

type failureKey struct{}

// failure is why the request's credential did not count, nil for a good one and
// for none.
func failure(ctx context.Context) error {
	err, _ := ctx.Value(failureKey{}).(error)
	return err
}

func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(text, ""))
	if len(text) > maxUserAgent {
		text = strings.ToValidUTF8(text[:maxUserAgent], "")
	}
	return text
}
