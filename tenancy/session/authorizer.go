package session

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/rpc"
	authzv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/authz/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

// Denials keeps who was refused what; tenancydb.Store is one.
type Denials interface {
	RecordDenial(ctx context.Context, by caller.Caller, permission authz.Permission) error
}

// Authorizer holds the caller against a method's rule. It is internal/rpc's
// Authorizer for the services of people and keys.
type Authorizer struct {
	denials Denials
	log     *slog.Logger
}

// NewAuthorizer makes an Authorizer.
func NewAuthorizer(denials Denials, log *slog.Logger) *Authorizer {
	return &Authorizer{denials: denials, log: log.With(slog.String("component", "session"))}
}

var errNobody = fault.Unauthenticated(tenancydb.ReasonUnauthenticated,
	"sign in first, or send an API key in the header Authorization: Bearer")

// Authorize lets a call through or refuses it. What the caller must not know of
// is answered like what does not exist; a refusal of a right is written into the
// audit log.
func (a *Authorizer) Authorize(ctx context.Context, call rpc.Call) (context.Context, error) {
	if call.Rule.GetScope() == authzv1.Scope_SCOPE_AGENT {
		return nil, fault.PermissionDenied(tenancydb.ReasonPermission, "only an agent can do this")
	}
	err := failure(ctx)
	if call.Rule.GetPublic() && fault.ReasonOf(err) != tenancydb.ReasonRateLimited {
		return ctx, nil
	}
	if err != nil {
		return nil, err
	}
	by := caller.From(ctx)
	if by.Anonymous() {
		return nil, errNobody
	}
	permission := authz.Permission(call.Rule.GetPermission())
	switch authz.Check(by.Principal, permission, scopeOf(call.Rule.GetScope())) {
	case authz.Allow:
		return ctx, nil
	case authz.Hidden:
		return nil, hidden(call)
	case authz.Suspended:
		return nil, fault.PermissionDenied(tenancydb.ReasonPermission,
			"the organization is suspended until its bill is paid: this is not possible now")
	case authz.Deny:
	}
	a.record(ctx, by, permission)
	return nil, fault.PermissionDenied(tenancydb.ReasonPermission, "this takes the permission %s", permission)
}

func scopeOf(scope authzv1.Scope) authz.Scope {
	switch scope {
	case authzv1.Scope_SCOPE_ORGANIZATION:
		return authz.ScopeOrganization
	case authzv1.Scope_SCOPE_WORKSPACE:
		return authz.ScopeWorkspace
	case authzv1.Scope_SCOPE_USER:
		return authz.ScopeUser
	case authzv1.Scope_SCOPE_AGENT:
		return authz.ScopeAgent
	case authzv1.Scope_SCOPE_UNSPECIFIED:
	}
	return "" // a scope in which nothing is allowed
}

// hidden is the answer for a place that is missing, foreign, or not the caller's
// to know of. It depends on the request alone.
func hidden(call rpc.Call) error {
	org, workspace := place(call.Header)
	if call.Rule.GetScope() == authzv1.Scope_SCOPE_WORKSPACE {
		if workspace == "" {
			return unnamed(HeaderWorkspace, "workspace")
		}
		return fault.NotFound("workspace", workspace)
	}
	switch {
	case org != "":
		return fault.NotFound("organization", org)
	case workspace != "":
		return fault.NotFound("workspace", workspace)
	}
	return unnamed(HeaderOrganization, "organization")
}

func place(header http.Header) (org, workspace string) {
	org, workspace = header.Get(HeaderOrganization), header.Get(HeaderWorkspace)
	if org != "" && workspace != "" && !strings.Contains(workspace, "/") {
		if _, isID := id.KindOf(workspace); !isID {
			workspace = org + "/" + workspace
		}
	}
	return org, workspace
}

func unnamed(header, what string) error {
	text := fmt.Sprintf("name the %s in the header %s", what, header)
	return fault.Invalid(tenancydb.ReasonInvalid, "%s", text).
		With(fault.Violation{Path: header, Want: "the id or the slug of the " + what, Text: text})
}

// recordTimeout bounds how long a refusal waits for the audit log.
const recordTimeout = 2 * time.Second

// record writes a denial down, also for a caller who did not wait for it. The
// refusal stands whether or not that works.
func (a *Authorizer) record(ctx context.Context, by caller.Caller, permission authz.Permission) {
	if by.OrgID == id.Nil || permission == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	if err := a.denials.RecordDenial(ctx, by, permission); err != nil {
		a.log.LogAttrs(ctx, slog.LevelError, "denial not recorded",
			slog.String("org_id", by.OrgID.String()), slog.String("permission", string(permission)), slog.Any("error", err))
	}
}
