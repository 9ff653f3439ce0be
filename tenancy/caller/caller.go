// Package caller is who asks, and from where: the principal that the session
// middleware found for a request, and what the request tells of its origin.
//
// It carries both through the context to handlers, and turns them into the
// first half of an audit event. It must not authenticate or decide anything.
package caller

import (
	"context"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/audit"
	"github.com/signalboxhq/signalbox/tenancy/authz"
)

// Caller is a principal and where its request came from. The zero principal is
// nobody: a request without a credential.
type Caller struct {
	authz.Principal

	IP        string // without port; empty when unknown
	UserAgent string // cut to a sane length
	RequestID string
}

// Anonymous reports whether the request came without a credential.
func (c Caller) Anonymous() bool { return c.Kind == "" }

// Person reports whether a user asks, by a session or a personal token.
func (c Caller) Person() bool { return c.Kind == authz.KindUser && c.UserID != id.Nil }

// Label names the caller for people: an e-mail address, a key's name.
func (c Caller) Label() string {
	switch c.Kind {
	case authz.KindUser:
		return c.Email
	case authz.KindServiceAccount:
		return c.KeyName
	case authz.KindAgent:
		return id.Format(id.Agent, c.AgentID)
	}
	return ""
}

// Event begins an audit event of something that the caller did in the
// organization of the request. The time and what was done are the writer's.
func (c Caller) Event(action, resource string) audit.Event {
	return audit.Event{
		OrgID:     c.OrgID,
		Actor:     c.actor(),
		Action:    action,
		Resource:  resource,
		RequestID: c.RequestID,
		Outcome:   audit.OutcomeDone,
		Personal:  audit.Personal{ActorName: c.Label(), IP: c.IP, UserAgent: c.UserAgent},
	}
}

func (c Caller) actor() audit.Actor {
	var via string
	switch {
	case c.KeyID != id.Nil:
		via = "key:" + id.Format(id.Key, c.KeyID)
	case c.SessionID != id.Nil:
		via = "session:" + c.SessionID.String()
	}
	switch c.Kind {
	case authz.KindUser:
		return audit.Actor{Type: audit.ActorUser, ID: c.UserID, Via: via}
	case authz.KindServiceAccount:
		return audit.Actor{Type: audit.ActorServiceAccount, ID: c.KeyID, Via: via}
	case authz.KindAgent:
		return audit.Actor{Type: audit.ActorAgent, ID: c.AgentID}
	}
	return audit.Actor{Type: audit.ActorSystem}
}

type contextKey struct{}

// With returns a context that carries c.
func With(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, contextKey{}, c)
}

// From returns the caller of a request. Without one, it is nobody.
func From(ctx context.Context) Caller {
	c, _ := ctx.Value(contextKey{}).(Caller)
	return c
}
