package session_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/rpc"
	authzv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/authz/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
	"github.com/signalboxhq/signalbox/tenancy/session"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
	"github.com/signalboxhq/signalbox/tenancy/token"
)

var (
	byCookie = authz.Principal{Kind: authz.KindUser, UserID: id.UUID{1}, SessionID: id.UUID{2}}
	byKey    = authz.Principal{Kind: authz.KindServiceAccount, KeyID: id.UUID{3}}
)

// directory knows one cookie and one key.
type directory struct {
	cookie token.Cookie
	key    token.Token
	outage error

	mu      sync.Mutex
	places  []tenancydb.Place
	denials []authz.Permission
}

func newDirectory(t *testing.T) *directory {
	t.Helper()
	cookie, err := token.NewCookie(rand.Reader)
	require.NoError(t, err)
	key, err := token.New(token.ServiceKey, rand.Reader)
	require.NoError(t, err)
	return &directory{cookie: cookie, key: key}
}

func (d *directory) AuthenticateSession(_ context.Context, cookie token.Cookie, place tenancydb.Place) (authz.Principal, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.places = append(d.places, place)
	if d.outage != nil || cookie != d.cookie {
		return authz.Principal{}, errors.Join(d.outage, tenancydb.ErrUnauthenticated)
	}
	return byCookie, nil
}

func (d *directory) AuthenticateKey(_ context.Context, key token.Token, _ tenancydb.Place, _ string) (authz.Principal, error) {
	if d.outage != nil {
		return authz.Principal{}, d.outage
	}
	if key != d.key {
		return authz.Principal{}, tenancydb.ErrUnauthenticated
	}
	return byKey, nil
}

func (d *directory) RecordDenial(ctx context.Context, _ caller.Caller, permission authz.Permission) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.denials = append(d.denials, permission)
	return ctx.Err()
}

// ask sends a request through the middleware and a rule of SCOPE_USER, and
// returns the caller that a handler would see.
func (d *directory) ask(t *testing.T, cookies session.Cookies, change func(*http.Request)) (by caller.Caller, status int, err error) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
	r.RemoteAddr = "192.0.2.7:1234"
	change(r)
	authorizer := session.NewAuthorizer(d, slog.New(slog.DiscardHandler))
	w := httptest.NewRecorder()
	session.NewMiddleware(d, cookies, session.RemoteIP).Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err = authorizer.Authorize(r.Context(), rpc.Call{Rule: &authzv1.Rule{Scope: authzv1.Scope_SCOPE_USER}})
		by = caller.From(r.Context())
	})).ServeHTTP(w, r)
	return by, w.Code, err
}

func cookieNamed(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: name, Value: value}) }
}

func bearer(text string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", text) }
}

func TestCredentialsAreFound(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	other := newDirectory(t)
	key, cookie := d.key.Secret(), d.cookie.Secret()
	for name, c := range map[string]struct {
		cookies session.Cookies
		change  func(*http.Request)
		want    authz.Principal
		reason  fault.Reason
	}{
		"none":                  {change: func(*http.Request) {}, reason: tenancydb.ReasonUnauthenticated},
		"cookie":                {change: cookieNamed("__Host-sb", cookie), want: byCookie},
		"plain cookie":          {cookies: session.Cookies{Plain: true}, change: cookieNamed("sb", cookie), want: byCookie},
		"plain cookie on https": {change: cookieNamed("sb", cookie), reason: tenancydb.ReasonUnauthenticated},
		"unknown cookie":        {change: cookieNamed("__Host-sb", other.cookie.Secret()), reason: tenancydb.ReasonUnauthenticated},
		"broken cookie":         {change: cookieNamed("__Host-sb", "x"), reason: tenancydb.ReasonUnauthenticated},
		"empty cookie":          {change: cookieNamed("__Host-sb", ""), reason: tenancydb.ReasonUnauthenticated},
		"key":                   {change: bearer("Bearer " + key), want: byKey},
		"key, lower case":       {change: bearer("bearer  " + key), want: byKey},
		"key without scheme":    {change: bearer(key), reason: tenancydb.ReasonUnauthenticated},
		"key as basic":          {change: bearer("Basic " + key), reason: tenancydb.ReasonUnauthenticated},
		"mistyped key":          {change: bearer("Bearer " + key + "x"), reason: tenancydb.ReasonUnauthenticated},
		"unknown key":           {change: bearer("Bearer " + other.key.Secret()), reason: tenancydb.ReasonUnauthenticated},
		"bad key, good cookie": {change: func(r *http.Request) {
			bearer("Bearer nonsense")(r)
			cookieNamed("__Host-sb", cookie)(r)
		}, reason: tenancydb.ReasonUnauthenticated},
		"good key, good cookie": {change: func(r *http.Request) {
			bearer("Bearer " + key)(r)
			cookieNamed("__Host-sb", cookie)(r)
		}, want: byKey},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			by, status, err := d.ask(t, c.cookies, c.change)
			require.Equal(t, http.StatusOK, status)
			require.Equal(t, c.reason, fault.ReasonOf(err))
			require.Equal(t, c.want, by.Principal)
		})
	}
}

func TestOutageIsNoRefusal(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	d.outage = errors.New("the database is away")
	_, _, err := d.ask(t, session.Cookies{}, bearer("Bearer "+d.key.Secret()))
	require.ErrorIs(t, err, d.outage)
	require.Equal(t, fault.KindInternal, fault.KindOf(err))
}

func TestOldCookieDoesNotKeepFromSigningIn(t *testing.T) {
	t.Parallel()
	ctx, err := session.NewAuthorizer(newDirectory(t), slog.New(slog.DiscardHandler)).
		Authorize(t.Context(), rpc.Call{Rule: &authzv1.Rule{Public: true, Scope: authzv1.Scope_SCOPE_USER}})
	require.NoError(t, err)
	require.True(t, caller.From(ctx).Anonymous())
}

func TestRequestTellsWhereItComesFrom(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	by, _, err := d.ask(t, session.Cookies{}, func(r *http.Request) {
		cookieNamed("__Host-sb", d.cookie.Secret())(r)
		r.Header.Set("User-Agent", "Fire\x00fox\xff "+strings.Repeat("ä", 200))
		r.Header.Set(session.HeaderWorkspace, "acme/dev")
	})
	require.NoError(t, err)
	require.Equal(t, "192.0.2.7", by.IP)
	require.True(t, strings.HasPrefix(by.UserAgent, "Firefox ä"))
	require.LessOrEqual(t, len(by.UserAgent), 256)
	require.Equal(t, tenancydb.ParsePlace("acme", "dev"), d.places[0])
}

// TestOtherSitesCannotAct: a browser sends the cookie along, and says where the
// request began.
func TestOtherSitesCannotAct(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	for name, c := range map[string]struct {
		header, value string
		status        int
	}{
		"same origin":          {"Sec-Fetch-Site", "same-origin", http.StatusOK},
		"no browser":           {"X-Other", "x", http.StatusOK},
		"another site":         {"Sec-Fetch-Site", "cross-site", http.StatusForbidden},
		"another subdomain":    {"Sec-Fetch-Site", "same-site", http.StatusForbidden},
		"old browser, foreign": {"Origin", "https://evil.example", http.StatusForbidden},
	} {
		_, status, _ := d.ask(t, session.Cookies{}, func(r *http.Request) {
			cookieNamed("__Host-sb", d.cookie.Secret())(r)
			r.Header.Set(c.header, c.value)
		})
		require.Equal(t, c.status, status, name)
	}
}

func TestDenialIsRecorded(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	authorizer := session.NewAuthorizer(d, slog.New(slog.DiscardHandler))
	member := caller.Caller{Principal: authz.Principal{
		Kind: authz.KindUser, UserID: id.UUID{1}, OrgID: id.UUID{2}, OrgState: authz.StateActive, OrgRole: authz.OrgMember,
	}}
	ctx, cancel := context.WithCancel(caller.With(t.Context(), member))
	cancel() // whoever does not wait for the answer is written down all the same
	for permission, scope := range map[string]authzv1.Scope{
		"keys.admin": authzv1.Scope_SCOPE_ORGANIZATION, "runs.read": authzv1.Scope_SCOPE_WORKSPACE, "agent.work": authzv1.Scope_SCOPE_AGENT,
	} {
		_, err := authorizer.Authorize(ctx, rpc.Call{Rule: &authzv1.Rule{Permission: permission, Scope: scope}, Header: http.Header{}})
		require.Error(t, err)
	}
	require.Equal(t, []authz.Permission{authz.PermKeysAdmin}, d.denials)
}

func TestCookieIsOutOfReachOfPages(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	header := http.Header{}
	expires := time.Date(2026, 11, 10, 12, 0, 0, 0, time.FixedZone("CET", 3600))
	session.Cookies{}.Set(header, d.cookie, expires)
	session.Cookies{}.Clear(header)
	session.Cookies{Plain: true}.Set(header, d.cookie, expires)
	require.Equal(t, []string{
		"__Host-sb=" + d.cookie.Secret() + "; Path=/; Expires=Tue, 10 Nov 2026 11:00:00 GMT; HttpOnly; Secure; SameSite=Lax",
		"__Host-sb=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		"sb=" + d.cookie.Secret() + "; Path=/; Expires=Tue, 10 Nov 2026 11:00:00 GMT; HttpOnly; SameSite=Lax",
	}, header.Values("Set-Cookie"))
}

// Whoever tries credentials, or none, at full speed is not looked up any more;
// others are.
func TestStrangersAreSlowedDown(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	other := newDirectory(t)
	authorizer := session.NewAuthorizer(d, slog.New(slog.DiscardHandler))
	public := &authzv1.Rule{Public: true, Scope: authzv1.Scope_SCOPE_USER}
	var err error
	var answer http.Header
	handler := session.NewMiddleware(d, session.Cookies{}, session.RemoteIP).Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err = authorizer.Authorize(r.Context(), rpc.Call{Rule: public})
	}))
	ask := func(address string, change func(*http.Request)) error {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		r.RemoteAddr = address
		change(r)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		answer = w.Header()
		return err
	}
	good := bearer("Bearer " + d.key.Secret())
	for range 2000 {
		require.NoError(t, ask("192.0.2.7:1", good), "who is known is not counted")
	}
	tries := 0
	for ; tries < 10_000 && fault.ReasonOf(err) == ""; tries++ {
		_ = ask("192.0.2.7:1", bearer("Bearer "+other.key.Secret()))
	}
	require.Equal(t, tenancydb.ReasonRateLimited, fault.ReasonOf(err), "also of a public method, after %d tries", tries)
	require.Equal(t, "no-store", answer.Get("Cache-Control"))
	require.Equal(t, "nosniff", answer.Get("X-Content-Type-Options"))
	before := len(d.places)
	_ = ask("192.0.2.7:1", cookieNamed("__Host-sb", other.cookie.Secret()))
	require.Len(t, d.places, before, "nothing is looked up")
	require.NoError(t, ask("192.0.2.7:1", good), "who was known before goes on, whoever shares the address")
	require.NoError(t, ask("198.51.100.1:1", func(*http.Request) {}))

	d.outage = errors.New("the database is away")
	for range 1000 {
		_ = ask("198.51.100.2:1", good)
	}
	d.outage = nil
	require.NoError(t, ask("198.51.100.2:1", good), "an outage counts against nobody")
}

func TestClientBehindProxies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		proxies int
		headers []string
		want    string
	}{
		"none":                  {0, []string{"203.0.113.9"}, "192.0.2.7"},
		"one":                   {1, []string{"203.0.113.9"}, "203.0.113.9"},
		"written by the client": {1, []string{"198.51.100.1, 203.0.113.9"}, "203.0.113.9"},
		"two":                   {2, []string{"198.51.100.1", "203.0.113.9,10.0.0.1"}, "203.0.113.9"},
		"fewer than said":       {2, []string{"203.0.113.9"}, "192.0.2.7"},
		"missing":               {1, nil, "192.0.2.7"},
		"nonsense":              {1, []string{"unknown"}, "192.0.2.7"},
		"IPv6":                  {1, []string{"2001:db8::1"}, "2001:db8::1"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RemoteAddr = "192.0.2.7:1234"
		for _, h := range c.headers {
			r.Header.Add("X-Forwarded-For", h)
		}
		require.Equal(t, c.want, session.Forwarded(c.proxies)(r), name)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.RemoteAddr = "@"
	require.Equal(t, "@", session.RemoteIP(r), "a Unix socket")
}
