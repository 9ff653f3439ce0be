package cli_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/profile"
	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
)

func TestLoginKeepsATokenAndNotThePassword(t *testing.T) {
	t.Parallel()
	d := setupLoggedOut(t)
	d.input, d.password = "ada@example.com\n", "correct horse"
	r := d.run("login", "--server", serverURL)
	require.Zero(t, r.code, r.err)
	require.Empty(t, r.out)
	require.Contains(t, r.err, "Logged in to http://signalbox.test as ada@example.com (profile default).")
	require.Contains(t, r.err, "Working in acme/main.")

	require.Equal(t, &profile.Profile{Server: serverURL, Token: token, Organization: "acme", Workspace: "main"}, d.config().Profiles["default"])
	file := filepath.Join(d.configDir(), profile.ConfigFile)
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NotContains(t, string(raw), "correct horse")

	made := d.fake.called("CreatePersonalToken")
	require.Len(t, made, 1)
	require.Equal(t, "sb=session", made[0].header.Get("Cookie"))
	require.Len(t, d.fake.called("SignOut"), 1, "the session in between is ended")
	require.Zero(t, d.run("pool", "list").code)
}

func TestLoginReadsThePasswordFromInput(t *testing.T) {
	t.Parallel()
	d := setupLoggedOut(t)
	d.input = "correct horse\n"
	r := d.run("login", "--server", serverURL, "--email", "ada@example.com", "--password-stdin", "--name", "laptop")
	require.Zero(t, r.code, r.err)
	req, _ := d.fake.called("CreatePersonalToken")[0].msg.(*tenancyv1.CreatePersonalTokenRequest)
	require.Equal(t, "laptop", req.GetName())
}

func TestLoginIsRefused(t *testing.T) {
	t.Parallel()
	d := setupLoggedOut(t)
	d.input = "wrong\n"
	r := d.run("login", "--server", serverURL, "--email", "ada@example.com", "--password-stdin")
	require.Equal(t, 4, r.code)
	require.Contains(t, r.err, "reason: BAD_CREDENTIALS")

	r = d.run("login", "--server", serverURL, "--token", "sbk_wrong")
	require.Equal(t, 4, r.code)

	r = d.run("login", "--server", serverURL)
	require.Equal(t, 2, r.code, "nobody sits there")
	require.Contains(t, r.err, "--email")

	r = d.run("login", "--server", serverURL, "--email", "ada@example.com")
	require.Equal(t, 2, r.code)
	require.Contains(t, r.err, "--password-stdin")

	r = d.run("login", "--token", "x", "--email", "ada@example.com")
	require.Equal(t, 2, r.code)
	require.Empty(t, d.config().Profiles, "nothing was kept")
}

func TestLoginWithAKey(t *testing.T) {
	t.Parallel()
	d := setupLoggedOut(t)
	d.input = token + "\n"
	require.Zero(t, d.run("login", "--server", serverURL, "--token", "-").code)
	require.Equal(t, token, d.config().Profiles["default"].Token)
	require.Empty(t, d.fake.called("SignIn"))

	r := d.run("login", "--server", serverURL, "--token", "-")
	require.Equal(t, 2, r.code, "an empty standard input is no token")
}

func TestLoginElsewhereKeepsTheFirstLogin(t *testing.T) {
	t.Parallel()
	d := setup(t)
	r := d.run("login", "--server", "http://other.test:7070", "--token", token)
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.err, "warning: http://other.test:7070 is not encrypted")
	c := d.config()
	require.Equal(t, "other.test:7070", c.Profile)
	require.Equal(t, serverURL, c.Profiles["default"].Server)
	require.Equal(t, "http://other.test:7070", c.Profiles["other.test:7070"].Server)

	r = d.run("--profile", "work", "login", "--server", "http://third.test", "--token", token)
	require.Zero(t, r.code, r.err)
	require.Equal(t, "http://third.test", d.config().Profiles["work"].Server)
}

func TestLogoutForgetsTheToken(t *testing.T) {
	t.Parallel()
	d := setup(t)
	require.Zero(t, d.run("logout").code)
	require.Empty(t, d.config().Profiles["default"].Token)
	require.Equal(t, "acme", d.config().Profiles["default"].Organization)
	require.Len(t, d.fake.called("SignOut"), 1)

	r := d.run("pool", "list")
	require.Equal(t, 4, r.code)
	require.Contains(t, r.err, "not logged in to http://signalbox.test")
	require.Zero(t, d.run("logout").code, "repeating it is fine")
}

func TestLogoutWorksWithoutTheServer(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.fake.fail["SignOut"] = refusal(connect.CodeUnavailable, faultv1.Reason_REASON_UNAVAILABLE, "down")
	require.Zero(t, d.run("logout").code)
	require.Empty(t, d.config().Profiles["default"].Token)
}

func TestEveryCallSaysWhoAndWhere(t *testing.T) {
	t.Parallel()
	d := setup(t)
	require.Zero(t, d.run("pool", "list").code)
	h := d.fake.called("ListPools")[0].header
	require.Equal(t, "Bearer "+token, h.Get("Authorization"))
	require.Equal(t, "acme", h.Get("Signalbox-Organization"))
	require.Equal(t, "main", h.Get("Signalbox-Workspace"))
	require.Contains(t, h.Get("User-Agent"), "signalbox-cli/1.0.0")

	d.env["SIGNALBOX_ORG"], d.env["SIGNALBOX_WORKSPACE"] = "beta", "dev"
	require.Zero(t, d.run("pool", "list").code)
	require.Zero(t, d.run("pool", "list", "-w", "gamma/prod").code)
	calls := d.fake.called("ListPools")
	place := func(h http.Header) string {
		return h.Get("Signalbox-Organization") + "/" + h.Get("Signalbox-Workspace")
	}
	require.Equal(t, "beta/dev", place(calls[1].header))
	require.Equal(t, "gamma/prod", place(calls[2].header))
}

func TestAFoldersFileChoosesThePlaceButGetsNoToken(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.write(".signalbox.toml", "organization = \"beta\"\nworkspace = \"dev\"\n")
	require.Zero(t, d.run("pool", "list").code)
	require.Equal(t, "beta", d.fake.called("ListPools")[0].header.Get("Signalbox-Organization"))

	d.write(".signalbox.toml", "server = \"http://evil.test\"\n")
	r := d.run("pool", "list")
	require.Equal(t, 4, r.code)
	require.Contains(t, r.err, "the token of profile default belongs to http://signalbox.test, not to http://evil.test")
	d.env["SIGNALBOX_TOKEN"] = token
	r = d.run("pool", "list")
	require.Equal(t, 4, r.code)
	require.Contains(t, r.err, "set SIGNALBOX_SERVER=http://evil.test")
	require.Len(t, d.fake.called("ListPools"), 1, "nothing was sent")

	d.env["SIGNALBOX_SERVER"] = "http://evil.test"
	require.Zero(t, d.run("pool", "list").code, "now a person has said so")

	d.write(".signalbox.toml", "token = \"sbk_x\"\n")
	r = d.run("pool", "list")
	require.Equal(t, 65, r.code)
	require.Contains(t, r.err, "unknown key")
}
