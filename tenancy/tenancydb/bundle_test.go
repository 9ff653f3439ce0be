package tenancydb_test

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
	"github.com/signalboxhq/signalbox/tenancy/password"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
	"github.com/signalboxhq/signalbox/tenancy/token"
)

const goodPassword = "semaphore lantern seven"

// bundle is a database, a store on it, and a clock that only the test moves.
type bundle struct {
	t     *testing.T
	db    *pg.DB
	store *tenancydb.Store
	clock *clock
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// hasher is shared: its decoy costs a hash, its slots are the process's.
var hasher = sync.OnceValues(func() (*password.Hasher, error) { return password.NewHasher(context.Background(), rand.Reader) })

func setup(t *testing.T) *bundle {
	t.Helper()
	h, err := hasher()
	require.NoError(t, err)
	b := &bundle{t: t, db: pgtest.DB(t), clock: &clock{now: time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)}}
	b.store = tenancydb.NewStore(b.db, h, rand.Reader, b.clock.Now)
	return b
}

// browser is where a test's anonymous requests come from.
func browser() caller.Caller {
	return caller.Caller{IP: "192.0.2.7", UserAgent: "Firefox", RequestID: "r1"}
}

// person signs somebody up and returns their cookie.
func (b *bundle) person(email string) token.Cookie {
	b.t.Helper()
	name, _, _ := strings.Cut(email, "@")
	mail, err := b.store.SignUp(b.t.Context(), tenancydb.SignUp{Email: email, Password: goodPassword, Name: name}, browser())
	require.NoError(b.t, err)
	signedIn, err := b.store.VerifyEmail(b.t.Context(), mail.Token.Secret(), browser())
	require.NoError(b.t, err)
	return signedIn.Cookie
}

// as authenticates a cookie in a place, the way the middleware does.
func (b *bundle) as(cookie token.Cookie, organization, workspace string) caller.Caller {
	b.t.Helper()
	p, err := b.store.AuthenticateSession(b.t.Context(), cookie, tenancydb.ParsePlace(organization, workspace))
	require.NoError(b.t, err)
	c := browser()
	c.Principal = p
	return c
}

// tenant is an organization with its owner.
type tenant struct {
	org       tenancydb.Organization
	workspace tenancydb.Workspace
	cookie    token.Cookie
	owner     caller.Caller // in the organization and its first workspace
}

func (b *bundle) tenant(name string) tenant {
	b.t.Helper()
	tn := tenant{cookie: b.person(name + "@example.com")}
	var err error
	tn.org, tn.workspace, err = b.store.CreateOrganization(b.t.Context(), b.as(tn.cookie, "", ""), tenancydb.NewOrganization{Name: name})
	require.NoError(b.t, err)
	tn.owner = b.as(tn.cookie, tn.org.Slug, tn.workspace.Slug)
	return tn
}

// member makes a person, who is invited and accepts, and returns their cookie
// and id.
func (b *bundle) member(tn tenant, email string, role authz.OrgRole, in authz.WorkspaceRole) (token.Cookie, id.UUID) {
	b.t.Helper()
	cookie := b.person(email)
	return cookie, b.join(tn, cookie, role, in)
}

// join invites a person, who accepts, and returns their id.
func (b *bundle) join(tn tenant, cookie token.Cookie, role authz.OrgRole, in authz.WorkspaceRole) id.UUID {
	b.t.Helper()
	by := b.as(cookie, "", "")
	invite := tenancydb.Invite{Email: by.Email, Role: role}
	if in != "" {
		invite.WorkspaceID, invite.WorkspaceRole = &tn.workspace.ID, in
	}
	_, secret, err := b.store.InviteMember(b.t.Context(), tn.owner, invite)
	require.NoError(b.t, err)
	_, err = b.store.AcceptInvitationToken(b.t.Context(), by, secret.Secret())
	require.NoError(b.t, err)
	return by.UserID
}

// signInAgain returns a fresh cookie of somebody who has an account.
func (b *bundle) signInAgain(email string) token.Cookie {
	b.t.Helper()
	signedIn, err := b.store.SignIn(b.t.Context(), tenancydb.SignIn{Email: email, Password: goodPassword}, browser())
	require.NoError(b.t, err)
	return signedIn.Cookie
}
