package tenancytest

import (
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
	"github.com/signalboxhq/signalbox/tenancy/token"
)

func (b *builder) members() {
	home := b.world.Home
	for _, role := range []authz.OrgRole{authz.OrgAdmin, authz.OrgBilling, authz.OrgMember} {
		cookie, _ := b.member(string(role)+"@example.com", role, "", false)
		b.add(Actor{Name: string(role), cookie: cookie, is: in(home, role, "")})
	}
	for _, role := range authz.WorkspaceRoles() {
		cookie, _ := b.member("ws-"+string(role)+"@example.com", authz.OrgMember, role, false)
		b.add(Actor{Name: "ws-" + string(role), cookie: cookie, is: in(home, authz.OrgMember, role)})
	}
	cookie, _ := b.member("ws-viewer-data@example.com", authz.OrgMember, authz.WorkspaceViewer, true)
	viewer := in(home, authz.OrgMember, authz.WorkspaceViewer)
	viewer.DataRead = true
	b.add(Actor{Name: "ws-viewer with data", cookie: cookie, is: viewer})

	cookie, removed := b.member("removed@example.com", authz.OrgAdmin, authz.WorkspaceAdmin, false)
	b.fail("remove a member", b.store.RemoveMember(b.ctx, home.Owner, removed.UserID))
	b.add(Actor{Name: "removed member", cookie: cookie, is: authz.Principal{Kind: authz.KindUser, UserID: id.UUID{1}}})

	cookie, gone := b.member("signed-out@example.com", authz.OrgAdmin, authz.WorkspaceAdmin, false)
	b.fail("sign out", b.store.SignOut(b.ctx, gone))
	b.add(Actor{Name: "signed out", cookie: cookie, dead: true})
}

// member makes somebody a member of the home organization.
func (b *builder) member(email string, role authz.OrgRole, grant authz.WorkspaceRole, dataRead bool) (token.Cookie, caller.Caller) {
	home := b.world.Home
	cookie, by := b.person(email)
	_, secret, err := b.store.InviteMember(b.ctx, home.Owner, tenancydb.Invite{Email: email, Role: role})
	b.fail("invite", err)
	_, err = b.store.AcceptInvitationToken(b.ctx, by, secret.Secret())
	b.fail("accept", err)
	if grant != "" {
		_, err := b.store.SetWorkspaceRole(b.ctx, home.Owner, home.Workspace.ID, by.UserID, grant, dataRead)
		b.fail("grant", err)
	}
	return cookie, by
}

func (b *builder) keys() {
	home := b.world.Home
	key := authz.Principal{
		Kind: authz.KindServiceAccount, KeyID: id.UUID{1}, KeyOrgID: home.Organization.OrgID,
		OrgID: home.Organization.OrgID, OrgState: authz.StateActive, WorkspaceID: home.Workspace.ID,
	}
	for _, role := range authz.OrgRoles() {
		is := key
		is.OrgRole = role
		secret, _ := b.key(tenancydb.NewKey{Name: "org", Role: string(role)})
		b.add(Actor{Name: "key of " + string(role), bearer: secret, is: is})
	}
	for _, role := range authz.WorkspaceRoles() {
		is := key
		is.WorkspaceRole, is.KeyWorkspaceID = role, home.Workspace.ID
		secret, _ := b.key(tenancydb.NewKey{Name: "ws", WorkspaceID: &home.Workspace.ID, Role: string(role)})
		b.add(Actor{Name: "key of ws-" + string(role), bearer: secret, is: is})
	}
	secret, revoked := b.key(tenancydb.NewKey{Name: "revoked", Role: string(authz.OrgOwner)})
	b.fail("revoke", b.store.RevokeKey(b.ctx, home.Owner, revoked))
	b.add(Actor{Name: "revoked key", bearer: secret, dead: true})
}

func (b *builder) key(in tenancydb.NewKey) (string, id.UUID) {
	key, secret, err := b.store.CreateKey(b.ctx, b.world.Home.Owner, in)
	b.fail("create a key", err)
	return secret.Secret(), key.ID
}
