// Package tenancyapi serves signalbox.tenancy.v1: accounts, organizations,
// members, keys and the audit log.
//
// Its handlers read ids, call one use case of tenancydb and convert the answer.
// Two things happen here and nowhere else: a session's cookie is set, and mails
// are sent. Who may call what was decided before, by the method's rule; what
// only a person can do, the use case refuses.
package tenancyapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"

	"connectrpc.com/connect"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1/tenancyv1connect"
	"github.com/signalboxhq/signalbox/tenancy/mail"
	"github.com/signalboxhq/signalbox/tenancy/session"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
	"github.com/signalboxhq/signalbox/tenancy/token"
)

// Config is what the handlers work with.
type Config struct {
	Store   *tenancydb.Store
	Mail    mail.Sender
	Cookies session.Cookies
	// PublicURL is what links in mails begin with, without a slash at its end.
	// It is configured: a link made of a request's Host would go wherever the
	// sender of that request likes.
	PublicURL string
	Log       *slog.Logger
}

// Services lists the full names of the services, for rpc.LoadRules.
func Services() []string {
	return []string{
		tenancyv1connect.AccountServiceName, tenancyv1connect.OrganizationServiceName,
		tenancyv1connect.MemberServiceName, tenancyv1connect.KeyServiceName, tenancyv1connect.AuditServiceName,
	}
}

// Mount adds the handlers to mux, which session.Middleware must wrap.
func Mount(mux *http.ServeMux, c Config, opts ...connect.HandlerOption) {
	c.Log = c.Log.With(slog.String("component", "tenancyapi"))
	mux.Handle(tenancyv1connect.NewAccountServiceHandler(accounts{c}, opts...))
	mux.Handle(tenancyv1connect.NewOrganizationServiceHandler(organizations{c}, opts...))
	mux.Handle(tenancyv1connect.NewMemberServiceHandler(members{c}, opts...))
	mux.Handle(tenancyv1connect.NewKeyServiceHandler(keys{c}, opts...))
	mux.Handle(tenancyv1connect.NewAuditServiceHandler(audits{c}, opts...))
}

// The pages of the web app that take a token.
const (
	pageVerify = "/verify"
	pageInvite = "/invite"
	pageSignIn = "/sign-in"
)

func (c Config) link(page string, secret token.Token) string {
	return c.PublicURL + page + "?token=" + url.QueryEscape(secret.Secret())
}

// setCookie begins the session of signedIn in the browser that asks.
func (c Config) setCookie(ctx context.Context, signedIn tenancydb.SignedIn) {
	if call, ok := connect.CallInfoForHandlerContext(ctx); ok {
		c.Cookies.Set(call.ResponseHeader(), signedIn.Cookie, signedIn.ExpiresAt)
	}
}

func (c Config) clearCookie(ctx context.Context) {
	if call, ok := connect.CallInfoForHandlerContext(ctx); ok {
		c.Cookies.Clear(call.ResponseHeader())
	}
}

var errMailNotSent = fault.Unavailable("UNAVAILABLE", "the mail could not be sent; try again in a moment")
