package tenancyapi_test

import (
	"net/url"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
	"github.com/signalboxhq/signalbox/tenancy/token"
)

func TestFromSignUpToAnOrganization(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.client("")
	_, err := c.WhoAmI(t.Context(), &tenancyv1.WhoAmIRequest{})
	requireCode(t, connect.CodeUnauthenticated, err)

	_, err = c.SignUp(t.Context(), &tenancyv1.SignUpRequest{Email: "ada@example.com", Password: goodPassword, Name: "Ada"})
	require.NoError(t, err)
	require.Equal(t, "ada@example.com", b.mail.last().To)
	verified, err := c.VerifyEmail(t.Context(), &tenancyv1.VerifyEmailRequest{Token: b.link("/verify")})
	require.NoError(t, err)
	require.True(t, verified.GetUser().GetEmailVerified())

	who, err := c.WhoAmI(t.Context(), &tenancyv1.WhoAmIRequest{})
	require.NoError(t, err, "the cookie was set")
	require.Equal(t, "Ada", who.GetUser().GetName())
	require.Empty(t, who.GetMemberships())

	made, err := c.CreateOrganization(t.Context(), &tenancyv1.CreateOrganizationRequest{Name: "Acme", WorkspaceName: "Dev"})
	require.NoError(t, err)
	require.Equal(t, "active", made.GetOrganization().GetState())
	who, err = c.WhoAmI(t.Context(), &tenancyv1.WhoAmIRequest{})
	require.NoError(t, err)
	require.Equal(t, "owner", who.GetMemberships()[0].GetRole())
	access := who.GetMemberships()[0].GetWorkspaces()[0]
	require.Equal(t, made.GetWorkspace().GetId(), access.GetWorkspace().GetId())
	require.Contains(t, access.GetPermissions(), "runs.write")
	require.Nil(t, access.GetWorkspace().GetSealingKey(), "before the first agent")

	_, err = c.SignOut(t.Context(), &tenancyv1.SignOutRequest{})
	require.NoError(t, err)
	server, err := url.Parse(b.url)
	require.NoError(t, err)
	require.Empty(t, c.jar.Cookies(server), "the cookie was cleared")
	_, err = c.SignIn(t.Context(), &tenancyv1.SignInRequest{Email: "ADA@example.com", Password: goodPassword})
	require.NoError(t, err)
	_, err = c.WhoAmI(t.Context(), &tenancyv1.WhoAmIRequest{})
	require.NoError(t, err)
}

func TestKnownAddressGetsAnotherMailAndTheSameAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.person("ada@example.com")
	_, err := b.client("").SignUp(t.Context(), &tenancyv1.SignUpRequest{Email: "ada@example.com", Password: goodPassword, Name: "Ada"})
	require.NoError(t, err)
	require.Contains(t, b.mail.last().Subject, "already")
	require.Empty(t, b.link("/sign-in"), "no token")
}

func TestMailThatDoesNotGoOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	owner, _ := b.owner("acme")
	b.mail.broken = true
	_, err := b.client("").SignUp(t.Context(), &tenancyv1.SignUpRequest{Email: "ada@example.com", Password: goodPassword, Name: "Ada"})
	requireCode(t, connect.CodeUnavailable, err)
	require.NotContains(t, err.Error(), "smtp.secret.example")
	made, err := owner.InviteMember(t.Context(), &tenancyv1.InviteMemberRequest{Email: "bob@example.com", Role: "member"})
	require.NoError(t, err, "the link can be handed over by other means")
	require.NotEmpty(t, made.GetLink())
}

func TestCommandLineLogsIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	browser := b.person("ada@example.com")
	made, err := browser.CreatePersonalToken(t.Context(), &tenancyv1.CreatePersonalTokenRequest{Name: "laptop"})
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(90*24*time.Hour), made.GetExpiresAt().AsTime(), time.Minute)

	cli := b.client(made.GetToken())
	who, err := cli.WhoAmI(t.Context(), &tenancyv1.WhoAmIRequest{})
	require.NoError(t, err)
	require.Equal(t, "ada@example.com", who.GetUser().GetEmail())
	_, err = cli.CreateOrganization(t.Context(), &tenancyv1.CreateOrganizationRequest{Name: "Acme"})
	require.NoError(t, err)
	_, err = cli.CreatePersonalToken(t.Context(), &tenancyv1.CreatePersonalTokenRequest{Name: "copy"})
	requireCode(t, connect.CodePermissionDenied, err)
	_, err = browser.CreatePersonalToken(t.Context(), &tenancyv1.CreatePersonalTokenRequest{Name: "long", Days: 1 << 31})
	requireCode(t, connect.CodeInvalidArgument, err)

	sessions, err := cli.ListSessions(t.Context(), &tenancyv1.ListSessionsRequest{})
	require.NoError(t, err)
	require.Len(t, sessions.GetSessions(), 2)
	for _, s := range sessions.GetSessions() {
		if s.GetCurrent() {
			require.Regexp(t, `^Token laptop \(sbu_….{4}\)$`, s.GetUserAgent())
			_, err := browser.RevokeSession(t.Context(), &tenancyv1.RevokeSessionRequest{Id: s.GetId()})
			require.NoError(t, err)
		}
	}
	_, err = cli.WhoAmI(t.Context(), &tenancyv1.WhoAmIRequest{})
	requireCode(t, connect.CodeUnauthenticated, err)
}

func TestKeySeesItself(t *testing.T) {
	t.Parallel()
	b := setup(t)
	owner, made := b.owner("acme")
	key, err := owner.CreateKey(t.Context(), &tenancyv1.CreateKeyRequest{Name: "ci", WorkspaceId: made.GetWorkspace().GetId(), Role: "operator"})
	require.NoError(t, err)
	_, err = token.ParseKind(token.ServiceKey, key.GetSecret())
	require.NoError(t, err)

	ci := b.client(key.GetSecret())
	who, err := ci.WhoAmI(t.Context(), &tenancyv1.WhoAmIRequest{})
	require.NoError(t, err)
	require.Nil(t, who.GetUser())
	require.Equal(t, key.GetKey().GetId(), who.GetKey().GetId())
	require.Equal(t, made.GetWorkspace().GetId(), who.GetKey().GetWorkspaceId())
	require.Equal(t, "acme", who.GetMemberships()[0].GetOrganization().GetSlug())
	_, err = ci.ListSessions(t.Context(), &tenancyv1.ListSessionsRequest{})
	requireCode(t, connect.CodePermissionDenied, err)
	_, err = ci.ListKeys(t.Context(), &tenancyv1.ListKeysRequest{})
	requireCode(t, connect.CodePermissionDenied, err)

	_, err = owner.RevokeKey(t.Context(), &tenancyv1.RevokeKeyRequest{Id: key.GetKey().GetId()})
	require.NoError(t, err)
	_, err = ci.WhoAmI(t.Context(), &tenancyv1.WhoAmIRequest{})
	requireCode(t, connect.CodeUnauthenticated, err)
	list, err := owner.ListKeys(t.Context(), &tenancyv1.ListKeysRequest{})
	require.NoError(t, err)
	require.NotNil(t, list.GetKeys()[0].GetRevokedAt())
	require.NotNil(t, list.GetKeys()[0].GetLastUsedAt())
}

func TestOtherSiteCannotUseTheCookie(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.person("ada@example.com")
	c.header.Set("Origin", "https://evil.example")
	c.header.Set("Sec-Fetch-Site", "cross-site")
	_, err := c.CreateOrganization(t.Context(), &tenancyv1.CreateOrganizationRequest{Name: "Acme"})
	requireCode(t, connect.CodePermissionDenied, err)
}

// A character that cannot be stored is refused, not logged as a failure of ours.
func TestNULIsTheSendersFault(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.client("").SignIn(t.Context(), &tenancyv1.SignInRequest{Email: "ada\x00@example.com", Password: goodPassword})
	requireCode(t, connect.CodeInvalidArgument, err)
	require.NotContains(t, err.Error(), "SQLSTATE")
}
