package tenancyapi

import (
	"context"

	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
	"github.com/signalboxhq/signalbox/tenancy/mail"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

// accounts serves AccountService.
type accounts struct{ Config }

// SignUp keeps a sign-up and mails its link. A known address gets another mail
// and the same answer.
func (s accounts) SignUp(ctx context.Context, req *tenancyv1.SignUpRequest) (*tenancyv1.SignUpResponse, error) {
	in := tenancydb.SignUp{Email: req.GetEmail(), Password: req.GetPassword(), Name: req.GetName()}
	made, err := s.Store.SignUp(ctx, in, caller.From(ctx))
	if err != nil {
		return nil, err
	}
	message := mail.Verify(made.To, made.Name, s.link(pageVerify, made.Token))
	if made.Known {
		message = mail.Known(made.To, made.Name, s.PublicURL+pageSignIn)
	}
	if err := s.Mail.Send(ctx, message); err != nil {
		return nil, errMailNotSent.Because(err)
	}
	return &tenancyv1.SignUpResponse{}, nil
}

// VerifyEmail makes the account of a sign-up and signs its person in.
func (s accounts) VerifyEmail(ctx context.Context, req *tenancyv1.VerifyEmailRequest) (*tenancyv1.VerifyEmailResponse, error) {
	signedIn, err := s.Store.VerifyEmail(ctx, req.GetToken(), caller.From(ctx))
	if err != nil {
		return nil, err
	}
	s.setCookie(ctx, signedIn)
	return &tenancyv1.VerifyEmailResponse{User: toUser(signedIn.User)}, nil
}

// SignIn begins a session.
func (s accounts) SignIn(ctx context.Context, req *tenancyv1.SignInRequest) (*tenancyv1.SignInResponse, error) {
	signedIn, err := s.Store.SignIn(ctx, tenancydb.SignIn{Email: req.GetEmail(), Password: req.GetPassword()}, caller.From(ctx))
	if err != nil {
		return nil, err
	}
	s.setCookie(ctx, signedIn)
	return &tenancyv1.SignInResponse{User: toUser(signedIn.User)}, nil
}

// SignOut ends the session or token that asks.
func (s accounts) SignOut(ctx context.Context, _ *tenancyv1.SignOutRequest) (*tenancyv1.SignOutResponse, error) {
	if err := s.Store.SignOut(ctx, caller.From(ctx)); err != nil {
		return nil, err
	}
	s.clearCookie(ctx)
	return &tenancyv1.SignOutResponse{}, nil
}

// WhoAmI says who asks and what they reach.
func (s accounts) WhoAmI(ctx context.Context, _ *tenancyv1.WhoAmIRequest) (*tenancyv1.WhoAmIResponse, error) {
	by := caller.From(ctx)
	access, err := s.Store.Access(ctx, by)
	if err != nil {
		return nil, err
	}
	res := &tenancyv1.WhoAmIResponse{
		Memberships: convert(access.Organizations, toMembership),
		Invitations: convert(access.Invitations, toInvitation),
	}
	if by.Person() {
		res.User = toUser(tenancydb.User{ID: by.UserID, Email: by.Email, Name: by.Name})
		return res, nil
	}
	key, err := s.Store.OwnKey(ctx, by)
	if err != nil {
		return nil, err
	}
	res.Key = toKey(key)
	return res, nil
}

// CreatePersonalToken makes a token for the command line.
func (s accounts) CreatePersonalToken(ctx context.Context, req *tenancyv1.CreatePersonalTokenRequest) (*tenancyv1.CreatePersonalTokenResponse, error) {
	secret, expires, err := s.Store.CreatePersonalToken(ctx, caller.From(ctx), req.GetName(), days(req.GetDays()))
	if err != nil {
		return nil, err
	}
	return &tenancyv1.CreatePersonalTokenResponse{Token: secret.Secret(), ExpiresAt: timestamp(expires)}, nil
}

// ListSessions lists the caller's sign-ins and personal tokens.
func (s accounts) ListSessions(ctx context.Context, _ *tenancyv1.ListSessionsRequest) (*tenancyv1.ListSessionsResponse, error) {
	by := caller.From(ctx)
	sessions, err := s.Store.ListSessions(ctx, by)
	if err != nil {
		return nil, err
	}
	return &tenancyv1.ListSessionsResponse{Sessions: convert(sessions, func(l tenancydb.LoginSession) *tenancyv1.Session {
		return toSession(l, l.ID == by.SessionID || l.ID == by.KeyID)
	})}, nil
}

// RevokeSession ends a sign-in or a personal token of the caller.
func (s accounts) RevokeSession(ctx context.Context, req *tenancyv1.RevokeSessionRequest) (*tenancyv1.RevokeSessionResponse, error) {
	session, err := parseID(id.Session, "id", req.GetId())
	if err != nil {
		return nil, err
	}
	if err := s.Store.RevokeSession(ctx, caller.From(ctx), session); err != nil {
		return nil, err
	}
	return &tenancyv1.RevokeSessionResponse{}, nil
}

// AcceptInvitation makes the caller a member.
func (s accounts) AcceptInvitation(ctx context.Context, req *tenancyv1.AcceptInvitationRequest) (*tenancyv1.AcceptInvitationResponse, error) {
	org, err := s.accept(ctx, req)
	if err != nil {
		return nil, err
	}
	return &tenancyv1.AcceptInvitationResponse{Organization: toOrganization(org)}, nil
}

func (s accounts) accept(ctx context.Context, req *tenancyv1.AcceptInvitationRequest) (tenancydb.Organization, error) {
	if req.GetInvitationId() == "" {
		return s.Store.AcceptInvitationToken(ctx, caller.From(ctx), req.GetToken())
	}
	invitation, err := parseID(id.Invitation, "invitation_id", req.GetInvitationId())
	if err != nil {
		return tenancydb.Organization{}, err
	}
	return s.Store.AcceptInvitation(ctx, caller.From(ctx), invitation)
}

// CreateOrganization makes an organization that the caller owns.
func (s accounts) CreateOrganization(ctx context.Context, req *tenancyv1.CreateOrganizationRequest) (*tenancyv1.CreateOrganizationResponse, error) {
	org, workspace, err := s.Store.CreateOrganization(ctx, caller.From(ctx), tenancydb.NewOrganization{
		Name: req.GetName(), Slug: req.GetSlug(), WorkspaceName: req.GetWorkspaceName(),
	})
	if err != nil {
		return nil, err
	}
	return &tenancyv1.CreateOrganizationResponse{Organization: toOrganization(org), Workspace: toWorkspace(workspace)}, nil
}
