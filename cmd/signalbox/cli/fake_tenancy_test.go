package cli_test

import (
	"context"
	"strings"
	"time"

	"connectrpc.com/connect"

	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

func (f *fake) organization() *tenancyv1.Organization {
	return &tenancyv1.Organization{
		Id: fakeID(id.Org, 1), Slug: "acme", Name: "Acme Ltd", Plan: "team", State: "active", CreatedAt: before(50 * time.Hour),
	}
}

func (f *fake) workspace() *tenancyv1.Workspace {
	w := &tenancyv1.Workspace{
		Id: fakeID(id.Workspace, 1), Slug: "main", Name: "Main", OrganizationId: fakeID(id.Org, 1), CreatedAt: before(49 * time.Hour),
	}
	if f.key != nil {
		w.SealingKey = f.sealingKey()
	}
	return w
}

func (f *fake) sealingKey() *tenancyv1.SealingKey {
	if f.key == nil {
		return nil
	}
	return &tenancyv1.SealingKey{
		Kid: f.key.KID().String(), PublicKey: f.key.Public().Bytes(), Fingerprint: f.key.Fingerprint(),
	}
}

func (f *fake) user() *tenancyv1.User {
	return &tenancyv1.User{Id: fakeID(id.User, 1), Email: "ada@example.com", Name: "Ada", EmailVerified: true}
}

func (f *fake) invitation() *tenancyv1.Invitation {
	return &tenancyv1.Invitation{
		Id: fakeID(id.Invitation, 1), Email: "bob@example.com", Role: "member", OrganizationName: "Acme Ltd",
		ExpiresAt: before(-7 * 24 * time.Hour), InvitedBy: "ada@example.com",
	}
}

func (f *fake) SignIn(_ context.Context, req *tenancyv1.SignInRequest) (*tenancyv1.SignInResponse, error) {
	if req.GetEmail() != "ada@example.com" || req.GetPassword() != "correct horse" {
		return nil, refusal(connect.CodeUnauthenticated, faultv1.Reason_REASON_BAD_CREDENTIALS, "e-mail or password is wrong")
	}
	return &tenancyv1.SignInResponse{User: f.user()}, nil
}

func (f *fake) SignOut(context.Context, *tenancyv1.SignOutRequest) (*tenancyv1.SignOutResponse, error) {
	return &tenancyv1.SignOutResponse{}, nil
}

func (f *fake) CreatePersonalToken(context.Context, *tenancyv1.CreatePersonalTokenRequest) (*tenancyv1.CreatePersonalTokenResponse, error) {
	return &tenancyv1.CreatePersonalTokenResponse{Token: token, ExpiresAt: before(-90 * 24 * time.Hour)}, nil
}

func (f *fake) WhoAmI(context.Context, *tenancyv1.WhoAmIRequest) (*tenancyv1.WhoAmIResponse, error) {
	if f.who != nil {
		return f.who, nil
	}
	return &tenancyv1.WhoAmIResponse{
		User: f.user(),
		Memberships: []*tenancyv1.Membership{{
			Organization: f.organization(), Role: "owner",
			Workspaces: []*tenancyv1.WorkspaceAccess{{
				Workspace: f.workspace(), Role: "admin", Permissions: []string{"runs.read", "runs.write", "data.read"},
			}},
		}},
	}, nil
}

func (f *fake) CreateOrganization(_ context.Context, req *tenancyv1.CreateOrganizationRequest) (*tenancyv1.CreateOrganizationResponse, error) {
	o, w := f.organization(), f.workspace()
	o.Name, o.Slug, w.SealingKey = req.GetName(), strings.ToLower(req.GetName()), nil
	return &tenancyv1.CreateOrganizationResponse{Organization: o, Workspace: w}, nil
}

func (f *fake) AcceptInvitation(context.Context, *tenancyv1.AcceptInvitationRequest) (*tenancyv1.AcceptInvitationResponse, error) {
	return &tenancyv1.AcceptInvitationResponse{Organization: f.organization()}, nil
}

func (f *fake) GetOrganization(context.Context, *tenancyv1.GetOrganizationRequest) (*tenancyv1.GetOrganizationResponse, error) {
	return &tenancyv1.GetOrganizationResponse{Organization: f.organization()}, nil
}

func (f *fake) ListWorkspaces(context.Context, *tenancyv1.ListWorkspacesRequest) (*tenancyv1.ListWorkspacesResponse, error) {
	return &tenancyv1.ListWorkspacesResponse{Workspaces: []*tenancyv1.Workspace{f.workspace()}}, nil
}

func (f *fake) CreateWorkspace(_ context.Context, req *tenancyv1.CreateWorkspaceRequest) (*tenancyv1.CreateWorkspaceResponse, error) {
	return &tenancyv1.CreateWorkspaceResponse{Workspace: &tenancyv1.Workspace{
		Id: fakeID(id.Workspace, 2), Slug: strings.ToLower(req.GetName()), Name: req.GetName(),
	}}, nil
}

func (f *fake) member() *tenancyv1.Member {
	return &tenancyv1.Member{
		UserId: fakeID(id.User, 2), Email: "grace@example.com", Name: "Grace", Role: "member", JoinedAt: before(30 * time.Hour),
		WorkspaceRoles: []*tenancyv1.WorkspaceRole{{WorkspaceId: fakeID(id.Workspace, 1), WorkspaceSlug: "main", Role: "developer"}},
	}
}

func (f *fake) ListMembers(context.Context, *tenancyv1.ListMembersRequest) (*tenancyv1.ListMembersResponse, error) {
	return &tenancyv1.ListMembersResponse{Members: []*tenancyv1.Member{
		{UserId: fakeID(id.User, 1), Email: "ada@example.com", Name: "Ada", Role: "owner", JoinedAt: before(50 * time.Hour)},
		f.member(),
	}}, nil
}

func (f *fake) InviteMember(_ context.Context, req *tenancyv1.InviteMemberRequest) (*tenancyv1.InviteMemberResponse, error) {
	i := f.invitation()
	i.Email, i.Role = req.GetEmail(), req.GetRole()
	return &tenancyv1.InviteMemberResponse{Invitation: i, Link: "https://signalbox.example.com/invite#sbi_secret"}, nil
}

func (f *fake) ListInvitations(context.Context, *tenancyv1.ListInvitationsRequest) (*tenancyv1.ListInvitationsResponse, error) {
	return &tenancyv1.ListInvitationsResponse{Invitations: []*tenancyv1.Invitation{f.invitation()}}, nil
}

func (f *fake) RevokeInvitation(context.Context, *tenancyv1.RevokeInvitationRequest) (*tenancyv1.RevokeInvitationResponse, error) {
	return &tenancyv1.RevokeInvitationResponse{}, nil
}

func (f *fake) SetMemberRole(_ context.Context, req *tenancyv1.SetMemberRoleRequest) (*tenancyv1.SetMemberRoleResponse, error) {
	m := f.member()
	m.Role = req.GetRole()
	return &tenancyv1.SetMemberRoleResponse{Member: m}, nil
}

// SetWorkspaceRole takes the workspace from the header, as the server does.
func (f *fake) SetWorkspaceRole(ctx context.Context, req *tenancyv1.SetWorkspaceRoleRequest) (*tenancyv1.SetWorkspaceRoleResponse, error) {
	call, _ := connect.CallInfoForHandlerContext(ctx)
	m := f.member()
	m.WorkspaceRoles = []*tenancyv1.WorkspaceRole{{
		WorkspaceSlug: call.RequestHeader().Get("Signalbox-Workspace"), Role: req.GetRole(), DataRead: req.GetDataRead(),
	}}
	return &tenancyv1.SetWorkspaceRoleResponse{Member: m}, nil
}

func (f *fake) RemoveMember(context.Context, *tenancyv1.RemoveMemberRequest) (*tenancyv1.RemoveMemberResponse, error) {
	return &tenancyv1.RemoveMemberResponse{}, nil
}

func (f *fake) apiKey() *tenancyv1.Key {
	return &tenancyv1.Key{
		Id: fakeID(id.Key, 1), Name: "ci", Prefix: "sbk_", Last4: "wxyz", WorkspaceId: fakeID(id.Workspace, 1), Role: "developer",
		CreatedBy: "ada@example.com", CreatedAt: before(48 * time.Hour), ExpiresAt: before(-88 * 24 * time.Hour), LastUsedAt: before(5 * time.Minute),
	}
}

func (f *fake) ListKeys(context.Context, *tenancyv1.ListKeysRequest) (*tenancyv1.ListKeysResponse, error) {
	old := &tenancyv1.Key{Id: fakeID(id.Key, 2), Name: "old", Prefix: "sbk_", Last4: "0000", Role: "member", RevokedAt: before(time.Hour)}
	return &tenancyv1.ListKeysResponse{Keys: []*tenancyv1.Key{f.apiKey(), old}}, nil
}

func (f *fake) CreateKey(context.Context, *tenancyv1.CreateKeyRequest) (*tenancyv1.CreateKeyResponse, error) {
	return &tenancyv1.CreateKeyResponse{Key: f.apiKey(), Secret: "sbk_shownonce"}, nil
}

func (f *fake) RevokeKey(context.Context, *tenancyv1.RevokeKeyRequest) (*tenancyv1.RevokeKeyResponse, error) {
	return &tenancyv1.RevokeKeyResponse{}, nil
}

func (f *fake) ListAuditEntries(context.Context, *tenancyv1.ListAuditEntriesRequest) (*tenancyv1.ListAuditEntriesResponse, error) {
	return &tenancyv1.ListAuditEntriesResponse{
		Entries: []*tenancyv1.AuditEntry{{
			Seq: 7, At: before(2 * time.Hour), ActorType: "user", ActorId: fakeID(id.User, 1), ActorName: "ada@example.com",
			Action: "key.create", Resource: fakeID(id.Key, 1), Ip: "192.0.2.1", RequestId: "req-1", Outcome: "allowed",
			Detail: `{"role":"developer"}`, Hash: []byte{1, 2, 3},
		}, {
			Seq: 6, At: before(3 * time.Hour), ActorType: "user", ActorId: fakeID(id.User, 1), ActorName: "ada@example.com",
			Action: "join_token.create", Resource: fakeID(id.JoinToken, 1), Outcome: "allowed",
		}, {
			Seq: 5, At: before(4 * time.Hour), ActorType: "system", ActorName: "system", Action: "retention.sweep", Resource: "default", Outcome: "allowed",
		}},
		NextBefore: 5,
	}, nil
}

func (f *fake) VerifyAudit(context.Context, *tenancyv1.VerifyAuditRequest) (*tenancyv1.VerifyAuditResponse, error) {
	if f.audit != nil {
		return f.audit, nil
	}
	return &tenancyv1.VerifyAuditResponse{Intact: true, Entries: 7, Head: []byte{0xab, 0xcd}}, nil
}
