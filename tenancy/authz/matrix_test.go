package authz_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	org       = id.UUID{1}
	workspace = id.UUID{2}
)

// subject is a column of the matrix.
type subject struct {
	name      string
	principal authz.Principal
}

func user(role authz.OrgRole, change ...func(*authz.Principal)) authz.Principal {
	p := authz.Principal{
		Kind: authz.KindUser, UserID: id.UUID{3}, SessionID: id.UUID{4},
		OrgID: org, OrgState: authz.StateActive, OrgRole: role, WorkspaceID: workspace,
	}
	for _, c := range change {
		c(&p)
	}
	return p
}

// key is a service account's key of the whole organization.
func key(role authz.OrgRole, permissions authz.Set, change ...func(*authz.Principal)) authz.Principal {
	p := authz.Principal{
		Kind: authz.KindServiceAccount, KeyID: id.UUID{5}, OrgRole: role, KeyPermissions: permissions,
		OrgID: org, OrgState: authz.StateActive, WorkspaceID: workspace,
	}
	for _, c := range change {
		c(&p)
	}
	return p
}

// workspaceKey is a service account's key for one workspace.
func workspaceKey(role authz.WorkspaceRole, permissions authz.Set) authz.Principal {
	p := key("", permissions, granted(role))
	p.KeyWorkspaceID = workspace
	return p
}

func granted(role authz.WorkspaceRole) func(*authz.Principal) {
	return func(p *authz.Principal) { p.WorkspaceRole = role }
}

func restricted(p *authz.Principal)  { p.Restricted = true }
func withData(p *authz.Principal)    { p.DataRead = true }
func boundAway(p *authz.Principal)   { p.KeyWorkspaceID = id.UUID{9} }
func token(p *authz.Principal)       { p.KeyID, p.SessionID = id.UUID{5}, id.Nil }
func suspended(p *authz.Principal)   { p.OrgState = authz.StateSuspended }
func closed(p *authz.Principal)      { p.OrgState = authz.StateClosed }
func outsider(p *authz.Principal)    { p.OrgID, p.WorkspaceID, p.OrgRole = id.Nil, id.Nil, "" }
func noWorkspace(p *authz.Principal) { p.WorkspaceID = id.Nil }

func everything() authz.Set { return authz.SetOf(authz.Permissions()...) }

func subjects() []subject {
	agent := authz.Principal{
		Kind: authz.KindAgent, AgentID: id.UUID{6},
		OrgID: org, OrgState: authz.StateActive, WorkspaceID: workspace,
	}
	return []subject{
		{"owner", user(authz.OrgOwner)},
		{"admin", user(authz.OrgAdmin)},
		{"billing", user(authz.OrgBilling)},
		{"member", user(authz.OrgMember)},
		{"ws-admin", user(authz.OrgMember, granted(authz.WorkspaceAdmin))},
		{"ws-developer", user(authz.OrgMember, granted(authz.WorkspaceDeveloper))},
		{"ws-operator", user(authz.OrgMember, granted(authz.WorkspaceOperator))},
		{"ws-viewer", user(authz.OrgMember, granted(authz.WorkspaceViewer))},
		{"ws-viewer+data", user(authz.OrgMember, granted(authz.WorkspaceViewer), withData)},
		{"owner restricted", user(authz.OrgOwner, restricted)},
		{"owner token", user(authz.OrgOwner, token)},
		{"owner suspended", user(authz.OrgOwner, suspended)},
		{"owner closed", user(authz.OrgOwner, closed)},
		{"outsider", user("", outsider)},
		{"grant without membership", user("", granted(authz.WorkspaceAdmin))},
		{"key of all permissions", key("", everything())},
		{"key org owner", key(authz.OrgOwner, 0)},
		{"key org admin", key(authz.OrgAdmin, 0)},
		{"key org billing", key(authz.OrgBilling, 0)},
		{"key org member", key(authz.OrgMember, 0)},
		{"key ws admin", workspaceKey(authz.WorkspaceAdmin, 0)},
		{"key ws developer", workspaceKey(authz.WorkspaceDeveloper, 0)},
		{"key ws operator", workspaceKey(authz.WorkspaceOperator, 0)},
		{"key ws viewer", workspaceKey(authz.WorkspaceViewer, 0)},
		{"key foreign ws admin", key("", everything(), granted(authz.WorkspaceAdmin), boundAway)},
		{"key restricted", key(authz.OrgAdmin, everything(), restricted)},
		{"agent", agent},
	}
}

// TestMatrix writes out who may do what, and holds it against the golden file:
// a change of a right must be seen in a review.
func TestMatrix(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for _, s := range subjects() {
		fmt.Fprintf(&text, "%s\n", s.name)
		for _, scope := range authz.Scopes() {
			fmt.Fprintf(&text, "  %s:", scope)
			byVerdict := map[authz.Verdict][]string{}
			for _, p := range authz.Permissions() {
				v := authz.Check(s.principal, p, scope)
				byVerdict[v] = append(byVerdict[v], string(p))
			}
			switch {
			case len(byVerdict[authz.Hidden]) == len(authz.Permissions()):
				text.WriteString(" hidden")
			case len(byVerdict[authz.Deny]) == len(authz.Permissions()):
				text.WriteString(" -")
			case len(byVerdict[authz.Allow]) == len(authz.Permissions()):
				text.WriteString(" any")
			default:
				for _, p := range byVerdict[authz.Allow] {
					text.WriteString(" " + p)
				}
				if s := byVerdict[authz.Suspended]; len(s) > 0 {
					fmt.Fprintf(&text, " (suspended: %s)", strings.Join(s, " "))
				}
			}
			text.WriteByte('\n')
		}
	}
	golden(t, "matrix.golden", text.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "run with -update and review the difference")
}
