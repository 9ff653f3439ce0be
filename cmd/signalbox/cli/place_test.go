package cli_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

// member is somebody who may enter these places, each organization/workspace.
func member(places ...string) *tenancyv1.WhoAmIResponse {
	who := &tenancyv1.WhoAmIResponse{User: &tenancyv1.User{Email: "ada@example.com"}}
	for i, p := range places {
		org, ws, _ := strings.Cut(p, "/")
		m := &tenancyv1.Membership{Organization: &tenancyv1.Organization{Id: fakeID(id.Org, byte(i)), Slug: org}}
		if ws != "" {
			m.Workspaces = []*tenancyv1.WorkspaceAccess{{Workspace: &tenancyv1.Workspace{Id: fakeID(id.Workspace, byte(i)), Slug: ws}}}
		}
		who.Memberships = append(who.Memberships, m)
	}
	return who
}

func TestLoginChoosesAPlaceWhereThereIsOne(t *testing.T) {
	t.Parallel()
	invited := member()
	invited.Invitations = []*tenancyv1.Invitation{{Id: "inv_1", OrganizationName: "Acme"}}
	for _, c := range []struct {
		name  string
		who   *tenancyv1.WhoAmIResponse
		args  []string
		place string
		says  string
	}{
		{"one", member("acme/main"), nil, "acme/main", "Working in acme/main."},
		{"none", member(), nil, "/", "signalbox org create NAME"},
		{"an invitation", invited, nil, "/", "signalbox org join INVITATION"},
		{"several", member("acme/main", "beta/dev"), nil, "/", "which workspace? There are acme/main, beta/dev"},
		{"the one that is named", member("acme/main", "beta/dev"), []string{"--org", "beta"}, "beta/dev", "Working in beta/dev."},
		{"both", member("acme/main", "beta/main"), []string{"-w", "beta/main"}, "beta/main", "Working in beta/main."},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := setupLoggedOut(t)
			d.fake.who = c.who
			r := d.run(append([]string{"login", "--server", serverURL, "--token", token}, c.args...)...)
			require.Zero(t, r.code, r.err)
			require.Contains(t, r.err, c.says)
			p := d.config().Profiles["default"]
			require.Equal(t, c.place, p.Organization+"/"+p.Workspace)
		})
	}
}

func TestLoginRefusesAPlaceThatIsNotThere(t *testing.T) {
	t.Parallel()
	d := setupLoggedOut(t)
	r := d.run("login", "--server", serverURL, "--token", token, "-w", "other/main")
	require.Equal(t, 3, r.code)
	require.Contains(t, r.err, `there is no workspace "other/main" that you may enter`)
	require.Empty(t, d.config().Profiles)
}

func TestAKeyMeansItsOwnWorkspace(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.fake.who = member("acme/main", "acme/dev")
	d.fake.who.User = nil
	d.fake.who.Key = &tenancyv1.Key{Name: "ci", Role: "operator", WorkspaceId: fakeID(id.Workspace, 1)}
	d.env["SIGNALBOX_SERVER"], d.env["SIGNALBOX_TOKEN"], d.env["HOME"] = serverURL, token, t.TempDir()
	require.Contains(t, d.run("workspace", "key").out, "acme/dev")
	r := d.run("whoami")
	require.Contains(t, r.out, "key     ci")
	require.Equal(t, "ci\n", d.run("whoami", "-o", "name").out)
}

func TestPeopleAreAskedBeforeWhatCannotBeUndone(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.password = "somebody sits here"
	d.input = "n\n"
	r := d.run("key", "revoke", "key_1")
	require.Equal(t, 1, r.code)
	require.Contains(t, r.err, "Revoke key_1? [y/N]: ")
	require.Empty(t, d.fake.called("RevokeKey"))
	d.input = "Yes\n"
	require.Zero(t, d.run("key", "revoke", "key_1").code)
	require.Len(t, d.fake.called("RevokeKey"), 1)
	require.Equal(t, 2, d.run("key", "revoke", "key_1", "--no-input").code)
}

func TestABrokenAuditChainEndsWithAnError(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.fake.audit = &tenancyv1.VerifyAuditResponse{Entries: 9, BrokenAt: 4}
	r := d.run("audit", "verify")
	require.Equal(t, 1, r.code)
	require.Contains(t, r.err, "the chain of 9 entries is broken at entry 4")
	r = d.run("audit", "verify", "--jq", ".brokenAt")
	require.Equal(t, 1, r.code)
	require.Equal(t, "4\n", r.out)
}

func TestOpenOpensTheBrowserForPeopleOnly(t *testing.T) {
	t.Parallel()
	d := setup(t)
	page := serverURL + "/o/acme/w/main/runs/" + run12
	require.Equal(t, page+"\n", d.run("open", "train#12").out)
	require.Empty(t, d.opened)
	d.screen = true
	require.Zero(t, d.run("open").code)
	require.Equal(t, []string{page}, d.opened)
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	d := setup(t)
	for line, want := range map[string]string{
		"pipeline get ":     "train\nserving/deploy\n",
		"pool get ":         "default\ngpu-eu\nspare\n",
		"run get ":          "@latest\n@failed\n" + run12 + "\ttrain#12 running\n",
		"logs @latest ":     "prepare\ntrain\nevaluate\npage\n",
		"workspace use ":    "acme/main\n",
		"config use ":       "default\n",
		"pool list -o ":     "table\nwide\njson\njsonl\nyaml\nname\n",
		"pool get default ": ":4\n",
		"apply ":            "yaml\nyml\n:8\n",
	} {
		r := d.run(append([]string{"__complete"}, strings.Split(line, " ")...)...)
		require.True(t, strings.HasPrefix(r.out, want), "%s: %s", line, r.out)
	}
	require.Zero(t, d.run("logout").code)
	r := d.run("__complete", "pool", "get", "")
	require.Equal(t, ":4\n", r.out, "nobody is asked and nothing fails")
}

func TestANewOrganizationIsSaidToBeInUse(t *testing.T) {
	t.Parallel()
	d := setup(t)
	r := d.run("org", "create", "Umbrella")
	require.Zero(t, r.code, r.err)
	inUse := d.config().Profiles["default"]
	place := inUse.Organization + "/" + inUse.Workspace
	require.NotEqual(t, "acme/main", place)
	require.Equal(t, "Organization "+inUse.Organization+" is now in use: working in "+place+".\n", r.err)
}
