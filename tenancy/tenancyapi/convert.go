package tenancyapi

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/internal/fault"
	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/audit"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
	"github.com/signalboxhq/signalbox/tenancy/token"
)

// parseID reads an id of the request; path names its field.
func parseID(kind id.Kind, path, text string) (id.UUID, error) {
	u, err := id.Parse(kind, text)
	if err != nil {
		return id.Nil, fault.Invalid(tenancydb.ReasonInvalid, "%s: %v", path, err).
			With(fault.Violation{Path: path, Want: fmt.Sprintf("the id of %s", kind.Noun()), Text: err.Error()})
	}
	return u, nil
}

// parseOptionalID is parseID for a field that may be empty.
func parseOptionalID(kind id.Kind, path, text string) (*id.UUID, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // Nothing was asked for, and that is fine.
	}
	u, err := parseID(kind, path, text)
	return &u, err
}

// days reads a life in days. More than anybody may ask for is cut, so that it
// does not overflow, and refused later.
func days(n uint32) time.Duration {
	const most = 10_000
	return time.Duration(min(n, most)) * 24 * time.Hour
}

func convert[From, To any](list []From, one func(From) To) []To {
	out := make([]To, len(list))
	for i, from := range list {
		out[i] = one(from)
	}
	return out
}

func timestamp(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t) }

func optionalTimestamp(t *time.Time) *timestamppb.Timestamp {
	if t == nil {
		return nil
	}
	return timestamp(*t)
}

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

func optionalID(kind id.Kind, u id.UUID) string {
	if u == id.Nil {
		return ""
	}
	return id.Format(kind, u)
}

func toUser(u tenancydb.User) *tenancyv1.User {
	// There are no users with an address that is not verified.
	return &tenancyv1.User{Id: id.Format(id.User, u.ID), Email: u.Email, Name: u.Name, EmailVerified: true}
}

func toSession(s tenancydb.LoginSession, current bool) *tenancyv1.Session {
	agent := s.UserAgent
	if s.TokenName != "" {
		agent = fmt.Sprintf("Token %s (%s…%s)", s.TokenName, token.Personal.Prefix(), s.TokenLast4)
	}
	return &tenancyv1.Session{
		Id: id.Format(id.Session, s.ID), CreatedAt: timestamp(s.CreatedAt), SeenAt: timestamp(s.SeenAt),
		Ip: s.IP, UserAgent: agent, Current: current,
	}
}

func toOrganization(o tenancydb.Organization) *tenancyv1.Organization {
	return &tenancyv1.Organization{
		Id: id.Format(id.Org, o.OrgID), Slug: o.Slug, Name: o.Name, Plan: o.Plan, State: string(o.State),
		CreatedAt: timestamp(o.CreatedAt), FrozenAt: optionalTimestamp(o.FrozenAt), FreezeNote: o.FreezeNote,
	}
}

func toMembership(a tenancydb.OrganizationAccess) *tenancyv1.Membership {
	return &tenancyv1.Membership{
		Organization: toOrganization(a.Organization), Role: string(a.Role), Workspaces: convert(a.Workspaces, toAccess),
	}
}

func toAccess(a tenancydb.WorkspaceAccess) *tenancyv1.WorkspaceAccess {
	return &tenancyv1.WorkspaceAccess{
		Workspace: toWorkspace(a.Workspace), Role: string(a.Role),
		Permissions: convert(a.Permissions, func(p authz.Permission) string { return string(p) }),
	}
}

func toMember(m tenancydb.Member) *tenancyv1.Member {
	return &tenancyv1.Member{
		UserId: id.Format(id.User, m.UserID), Email: m.Email, Name: m.Name, Role: string(m.Role),
		WorkspaceRoles: convert(m.Grants, toWorkspaceRole), JoinedAt: timestamp(m.JoinedAt),
	}
}

func toWorkspaceRole(g tenancydb.Grant) *tenancyv1.WorkspaceRole {
	return &tenancyv1.WorkspaceRole{
		WorkspaceId: id.Format(id.Workspace, g.WorkspaceID), WorkspaceSlug: g.WorkspaceSlug, Role: string(g.Role), DataRead: g.DataRead,
	}
}

func toInvitation(i tenancydb.Invitation) *tenancyv1.Invitation {
	res := &tenancyv1.Invitation{
		Id: id.Format(id.Invitation, i.ID), Email: i.Email, Role: string(i.Role), OrganizationName: i.OrgName,
		ExpiresAt: timestamp(i.ExpiresAt), InvitedBy: i.InviterEmail,
	}
	if i.WorkspaceID != nil {
		res.WorkspaceRole = &tenancyv1.WorkspaceRole{
			WorkspaceId: id.Format(id.Workspace, *i.WorkspaceID), WorkspaceSlug: value(i.WorkspaceSlug), Role: string(value(i.WorkspaceRole)),
		}
	}
	return res
}

func toKey(k tenancydb.Key) *tenancyv1.Key {
	return &tenancyv1.Key{
		Id: id.Format(id.Key, k.ID), Name: k.Name, Prefix: token.ServiceKey.Prefix(), Last4: k.Last4,
		WorkspaceId: optionalID(id.Workspace, value(k.WorkspaceID)), Role: string(value(k.OrgRole)) + string(value(k.WorkspaceRole)),
		CreatedBy: k.CreatorEmail, CreatedAt: timestamp(k.CreatedAt), ExpiresAt: timestamp(k.ExpiresAt),
		LastUsedAt: optionalTimestamp(k.LastUsedAt), RevokedAt: optionalTimestamp(k.RevokedAt),
	}
}

func toAuditEntry(e audit.Entry) *tenancyv1.AuditEntry {
	actor := map[audit.ActorType]id.Kind{
		audit.ActorUser: id.User, audit.ActorServiceAccount: id.Key, audit.ActorAgent: id.Agent, audit.ActorStaff: id.User,
	}
	return &tenancyv1.AuditEntry{
		Seq: e.Seq, At: timestamp(e.At), ActorType: string(e.Actor.Type), ActorId: optionalID(actor[e.Actor.Type], e.Actor.ID),
		ActorName: e.Personal.ActorName, Action: e.Action, Resource: e.Resource,
		WorkspaceId: optionalID(id.Workspace, e.WorkspaceID), Ip: e.Personal.IP, RequestId: e.RequestID,
		Outcome: string(e.Outcome), Detail: e.Detail, Hash: e.Hash,
	}
}
