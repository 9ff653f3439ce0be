package authz_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
)

func TestVoters(t *testing.T) {
	t.Parallel()
	user := func(org authz.OrgRole, ws authz.WorkspaceRole) authz.Principal {
		return authz.Principal{Kind: authz.KindUser, UserID: id.UUID{1}, Email: "ann@example.org", OrgRole: org, WorkspaceRole: ws}
	}
	ann := id.Format(id.User, id.UUID{1})
	for _, c := range []struct {
		who  authz.Principal
		by   []string
		want bool
	}{
		{user(authz.OrgMember, authz.WorkspaceOperator), nil, true},
		{user(authz.OrgMember, authz.WorkspaceOperator), []string{"role:admin"}, false},
		{user(authz.OrgMember, authz.WorkspaceOperator), []string{"role:operator"}, true},
		{user(authz.OrgMember, authz.WorkspaceAdmin), []string{"role:operator"}, true},
		{user(authz.OrgMember, authz.WorkspaceAdmin), []string{"role:owner"}, false},
		{user(authz.OrgAdmin, ""), []string{"role:admin"}, true},
		{user(authz.OrgAdmin, ""), []string{"role:owner"}, false},
		{user(authz.OrgOwner, ""), []string{"role:owner"}, true},
		{user(authz.OrgBilling, ""), []string{"role:viewer"}, false},
		{user(authz.OrgMember, ""), []string{"role:", "role:king", "user:"}, false},
		{user(authz.OrgMember, ""), []string{"role:admin", "user:Ann@Example.org"}, true},
		{user(authz.OrgMember, ""), []string{"user:" + ann}, true},
		{user(authz.OrgMember, ""), []string{"user:bob@example.org"}, false},
		{authz.Principal{Kind: authz.KindServiceAccount, KeyID: id.UUID{1}, OrgRole: authz.OrgOwner}, nil, false},
		{authz.Principal{}, nil, false},
	} {
		require.Equal(t, c.want, c.who.AmongVoters(c.by), "%+v %v", c.who, c.by)
	}
}
