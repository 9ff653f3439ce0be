package tenancyapi_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/internal/rpc"
	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1/tenancyv1connect"
	"github.com/signalboxhq/signalbox/tenancy/mail"
	"github.com/signalboxhq/signalbox/tenancy/password"
	"github.com/signalboxhq/signalbox/tenancy/session"
	"github.com/signalboxhq/signalbox/tenancy/tenancyapi"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

const goodPassword = "semaphore lantern seven"

// bundle is a server as it is wired in production, on a database of its own,
// with a mailbox in memory.
type bundle struct {
	t    *testing.T
	db   *pg.DB
	url  string
	mail *mailbox
}

// mailbox keeps the mails that were sent.
type mailbox struct {
	mu     sync.Mutex
	mails  []mail.Message
	broken bool
}

func (m *mailbox) Send(_ context.Context, message mail.Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken {
		return errors.New("no route to smtp.secret.example")
	}
	m.mails = append(m.mails, message)
	return nil
}

func (m *mailbox) last() mail.Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mails[len(m.mails)-1]
}

func setup(t *testing.T) *bundle {
	t.Helper()
	hasher, err := password.NewHasher(t.Context(), rand.Reader)
	require.NoError(t, err)
	b := &bundle{t: t, db: pgtest.DB(t), mail: &mailbox{}}
	store := tenancydb.NewStore(b.db, hasher, rand.Reader, time.Now)
	log := slog.New(slog.DiscardHandler)
	cookies := session.Cookies{Plain: true}
	rules, err := rpc.LoadRules(tenancyapi.Services()...)
	require.NoError(t, err)
	mux := http.NewServeMux()
	tenancyapi.Mount(mux, tenancyapi.Config{
		Store: store, Mail: b.mail, Cookies: cookies, PublicURL: "https://signalbox.example.com", Log: log,
	}, rpc.Options(log, rules, session.NewAuthorizer(store, log)))
	server := httptest.NewServer(rpc.RequestIDs(session.NewMiddleware(store, cookies, session.RemoteIP).Wrap(mux)))
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

// client is a browser or a program: it keeps cookies, or sends a bearer token.
type client struct {
	tenancyv1connect.AccountServiceClient
	tenancyv1connect.OrganizationServiceClient
	tenancyv1connect.MemberServiceClient
	tenancyv1connect.KeyServiceClient
	tenancyv1connect.AuditServiceClient

	header http.Header
	jar    http.CookieJar
}

// RoundTrip adds the client's headers.
func (c *client) RoundTrip(r *http.Request) (*http.Response, error) {
	maps.Copy(r.Header, c.header)
	return http.DefaultTransport.RoundTrip(r)
}

func (b *bundle) client(bearer string) *client {
	b.t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(b.t, err)
	c := &client{header: http.Header{}, jar: jar}
	if bearer != "" {
		c.header.Set("Authorization", "Bearer "+bearer)
	}
	h := &http.Client{Transport: c, Jar: jar}
	c.AccountServiceClient = tenancyv1connect.NewAccountServiceClient(h, b.url)
	c.OrganizationServiceClient = tenancyv1connect.NewOrganizationServiceClient(h, b.url)
	c.MemberServiceClient = tenancyv1connect.NewMemberServiceClient(h, b.url)
	c.KeyServiceClient = tenancyv1connect.NewKeyServiceClient(h, b.url)
	c.AuditServiceClient = tenancyv1connect.NewAuditServiceClient(h, b.url)
	return c
}

// in sends all further requests to a place.
func (c *client) in(organization, workspace string) *client {
	c.header.Set(session.HeaderOrganization, organization)
	c.header.Set(session.HeaderWorkspace, workspace)
	return c
}

var linkPattern = regexp.MustCompile(`https://signalbox\.example\.com/\S+`)

// link returns the token of the last mail's link, which leads to page.
func (b *bundle) link(page string) string {
	b.t.Helper()
	u, err := url.Parse(linkPattern.FindString(b.mail.last().Text))
	require.NoError(b.t, err)
	require.Equal(b.t, page, u.Path)
	return u.Query().Get("token")
}

// person is a browser that has signed up and verified.
func (b *bundle) person(email string) *client {
	b.t.Helper()
	c := b.client("")
	_, err := c.SignUp(b.t.Context(), &tenancyv1.SignUpRequest{Email: email, Password: goodPassword, Name: "Someone"})
	require.NoError(b.t, err)
	_, err = c.VerifyEmail(b.t.Context(), &tenancyv1.VerifyEmailRequest{Token: b.link("/verify")})
	require.NoError(b.t, err)
	return c
}

// owner is a person with an organization, in its first workspace.
func (b *bundle) owner(name string) (*client, *tenancyv1.CreateOrganizationResponse) {
	b.t.Helper()
	c := b.person(name + "@example.com")
	made, err := c.CreateOrganization(b.t.Context(), &tenancyv1.CreateOrganizationRequest{Name: name})
	require.NoError(b.t, err)
	return c.in(made.GetOrganization().GetSlug(), made.GetWorkspace().GetSlug()), made
}

func requireCode(t *testing.T, want connect.Code, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, want, connect.CodeOf(err), err.Error())
}
