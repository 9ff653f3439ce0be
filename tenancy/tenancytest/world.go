// Package tenancytest fills a database with everybody who can ask for something,
// and knows what each may expect. It is for tests that walk over all methods:
// every rule × every actor × the own, a foreign and a missing place.
//
// What is expected is computed from the actor's role and the pure rules of authz
// alone, never from what the database returned.
package tenancytest

import (
	"context"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
	"github.com/signalboxhq/signalbox/tenancy/session"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
	"github.com/signalboxhq/signalbox/tenancy/token"
)

// Password is that of every person in a World.
const Password = "semaphore lantern seven" //nolint:gosec // Of people who do not exist.

// World is three organizations and their people and keys.
type World struct {
	Home, Foreign, Suspended Tenant
	Actors                   []Actor
}

// Tenant is an organization with its first workspace and its owner.
type Tenant struct {
	Organization tenancydb.Organization
	Workspace    tenancydb.Workspace
	Owner        caller.Caller // in the workspace
	cookie       token.Cookie
}

// Actor is one who asks, by a cookie, a key, or nothing.
type Actor struct {
	Name   string
	cookie token.Cookie
	bearer string
	// is what the actor should be, in the tenant it belongs to.
	is authz.Principal
	// dead says that the credential was good once.
	dead bool
}

// builder makes a World step by step and remembers the first error.
type builder struct {
	ctx   context.Context //nolint:containedctx // It lives for one call of Build.
	store *tenancydb.Store
	world World
	err   error
}

// Build fills db, which must be empty, through store.
func Build(ctx context.Context, db *pg.DB, store *tenancydb.Store) (World, error) {
	b := &builder{ctx: ctx, store: store}
	b.world.Home, b.world.Foreign, b.world.Suspended = b.tenant("home"), b.tenant("foreign"), b.tenant("suspended")
	b.anonymous()
	b.owners()
	b.members()
	b.keys()
	b.suspend(db)
	return b.world, b.err
}

// Authenticate gives a request the actor's credential.
func (a Actor) Authenticate(r *http.Request, cookies session.Cookies) {
	if a.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+a.bearer)
	}
	if a.cookie.Secret() != "" {
		r.AddCookie(&http.Cookie{Name: cookies.Name(), Value: a.cookie.Secret()}) //nolint:gosec // Sent by a client.
	}
}

func (b *builder) fail(doing string, err error) {
	if err != nil && b.err == nil {
		b.err = fmt.Errorf("%s: %w", doing, err)
	}
}

func (b *builder) person(email string) (token.Cookie, caller.Caller) {
	mail, err := b.store.SignUp(b.ctx, tenancydb.SignUp{Email: email, Password: Password, Name: "Someone"}, caller.Caller{})
	b.fail("sign up", err)
	signedIn, err := b.store.VerifyEmail(b.ctx, mail.Token.Secret(), caller.Caller{})
	b.fail("verify", err)
	return signedIn.Cookie, b.as(signedIn.Cookie, "", "")
}

func (b *builder) as(cookie token.Cookie, organization, workspace string) caller.Caller {
	p, err := b.store.AuthenticateSession(b.ctx, cookie, tenancydb.ParsePlace(organization, workspace))
	b.fail("authenticate", err)
	return caller.Caller{Principal: p}
}

func (b *builder) tenant(name string) Tenant {
	cookie, owner := b.person(name + "-owner@example.com")
	org, workspace, err := b.store.CreateOrganization(b.ctx, owner, tenancydb.NewOrganization{Name: name})
	b.fail("create "+name, err)
	return Tenant{Organization: org, Workspace: workspace, Owner: b.as(cookie, org.Slug, workspace.Slug), cookie: cookie}
}

func (b *builder) add(a Actor) { b.world.Actors = append(b.world.Actors, a) }

func (b *builder) anonymous() {
	b.add(Actor{Name: "anonymous"})
	b.add(Actor{Name: "nonsense", bearer: "nonsense", dead: true})
	b.add(Actor{Name: "agent's token", bearer: "eyJhbGciOiJFZERTQSJ9.e30.c2ln", dead: true}) //nolint:gosec // Signed by nobody.
}

// in is a person with a role in t.
func in(t Tenant, role authz.OrgRole, in authz.WorkspaceRole) authz.Principal {
	return authz.Principal{
		Kind: authz.KindUser, UserID: id.UUID{1}, SessionID: id.UUID{1},
		OrgID: t.Organization.OrgID, OrgState: authz.StateActive, OrgRole: role,
		WorkspaceID: t.Workspace.ID, WorkspaceRole: in,
	}
}

func (b *builder) owners() {
	w := b.world
	b.add(Actor{Name: "owner", cookie: w.Home.cookie, is: in(w.Home, authz.OrgOwner, authz.WorkspaceAdmin)})
	b.add(Actor{Name: "owner of another organization", cookie: w.Foreign.cookie, is: in(w.Foreign, authz.OrgOwner, authz.WorkspaceAdmin)})

	suspended := in(w.Suspended, authz.OrgOwner, authz.WorkspaceAdmin)
	suspended.OrgState = authz.StateSuspended
	b.add(Actor{Name: "owner of a suspended organization", cookie: w.Suspended.cookie, is: suspended})

	secret, _, err := b.store.CreatePersonalToken(b.ctx, w.Home.Owner, "laptop", 0)
	b.fail("create a token", err)
	byToken := in(w.Home, authz.OrgOwner, authz.WorkspaceAdmin)
	byToken.SessionID, byToken.KeyID = id.Nil, id.UUID{1}
	b.add(Actor{Name: "owner's token", bearer: secret.Secret(), is: byToken})
}

func (b *builder) suspend(db *pg.DB) {
	err := pg.InSystem(b.ctx, db.Engine, func(tx pgx.Tx) error {
		_, err := tx.Exec(b.ctx, `UPDATE organization SET state = 'suspended' WHERE org_id = @org_id`,
			pgx.StrictNamedArgs{"org_id": b.world.Suspended.Organization.OrgID})
		return err
	})
	b.fail("suspend an organization", err)
}
