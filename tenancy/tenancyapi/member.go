package tenancyapi

import (
	"context"
	"log/slog"

	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
	"github.com/signalboxhq/signalbox/tenancy/mail"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

// members serves MemberService.
type members struct{ Config }

// ListMembers lists the organization's members.
func (s members) ListMembers(ctx context.Context, _ *tenancyv1.ListMembersRequest) (*tenancyv1.ListMembersResponse, error) {
	list, err := s.Store.ListMembers(ctx, caller.From(ctx))
	if err != nil {
		return nil, err
	}
	return &tenancyv1.ListMembersResponse{Members: convert(list, toMember)}, nil
}

// InviteMember makes an invitation and mails it. The answer has the link too, so
// a mail that does not go out is only logged.
func (s members) InviteMember(ctx context.Context, req *tenancyv1.InviteMemberRequest) (*tenancyv1.InviteMemberResponse, error) {
	workspace, err := parseOptionalID(id.Workspace, "workspace_id", req.GetWorkspaceId())
	if err != nil {
		return nil, err
	}
	made, secret, err := s.Store.InviteMember(ctx, caller.From(ctx), tenancydb.Invite{
		Email: req.GetEmail(), Role: authz.OrgRole(req.GetRole()),
		WorkspaceID: workspace, WorkspaceRole: authz.WorkspaceRole(req.GetWorkspaceRole()),
	})
	if err != nil {
		return nil, err
	}
	link := s.link(pageInvite, secret)
	message := mail.Invitation(made.Email, made.InviterEmail, made.OrgName, string(made.Role), link, made.ExpiresAt)
	if err := s.Mail.Send(ctx, message); err != nil {
		s.Log.LogAttrs(ctx, slog.LevelError, "invitation not mailed",
			slog.String("invitation_id", made.ID.String()), slog.Any("error", err))
	}
	return &tenancyv1.InviteMemberResponse{Invitation: toInvitation(made), Link: link}, nil
}

// ListInvitations lists the invitations that can be accepted.
func (s members) ListInvitations(ctx context.Context, _ *tenancyv1.ListInvitationsRequest) (*tenancyv1.ListInvitationsResponse, error) {
	list, err := s.Store.ListInvitations(ctx, caller.From(ctx))
	if err != nil {
		return nil, err
	}
	return &tenancyv1.ListInvitationsResponse{Invitations: convert(list, toInvitation)}, nil
}

// RevokeInvitation makes an invitation's link worthless.
func (s members) RevokeInvitation(ctx context.Context, req *tenancyv1.RevokeInvitationRequest) (*tenancyv1.RevokeInvitationResponse, error) {
	invitation, err := parseID(id.Invitation, "id", req.GetId())
	if err != nil {
		return nil, err
	}
	if err := s.Store.RevokeInvitation(ctx, caller.From(ctx), invitation); err != nil {
		return nil, err
	}
	return &tenancyv1.RevokeInvitationResponse{}, nil
}

// SetMemberRole changes what a member is in the organization.
func (s members) SetMemberRole(ctx context.Context, req *tenancyv1.SetMemberRoleRequest) (*tenancyv1.SetMemberRoleResponse, error) {
	user, err := parseID(id.User, "user_id", req.GetUserId())
	if err != nil {
		return nil, err
	}
	member, err := s.Store.SetMemberRole(ctx, caller.From(ctx), user, authz.OrgRole(req.GetRole()))
	if err != nil {
		return nil, err
	}
	return &tenancyv1.SetMemberRoleResponse{Member: toMember(member)}, nil
}

// SetWorkspaceRole changes what a member is in the workspace of the request.
func (s members) SetWorkspaceRole(ctx context.Context, req *tenancyv1.SetWorkspaceRoleRequest) (*tenancyv1.SetWorkspaceRoleResponse, error) {
	user, err := parseID(id.User, "user_id", req.GetUserId())
	if err != nil {
		return nil, err
	}
	by := caller.From(ctx)
	member, err := s.Store.SetWorkspaceRole(ctx, by, by.WorkspaceID, user, authz.WorkspaceRole(req.GetRole()), req.GetDataRead())
	if err != nil {
		return nil, err
	}
	return &tenancyv1.SetWorkspaceRoleResponse{Member: toMember(member)}, nil
}

// RemoveMember ends a membership.
func (s members) RemoveMember(ctx context.Context, req *tenancyv1.RemoveMemberRequest) (*tenancyv1.RemoveMemberResponse, error) {
	user, err := parseID(id.User, "user_id", req.GetUserId())
	if err != nil {
		return nil, err
	}
	if err := s.Store.RemoveMember(ctx, caller.From(ctx), user); err != nil {
		return nil, err
	}
	return &tenancyv1.RemoveMemberResponse{}, nil
}
