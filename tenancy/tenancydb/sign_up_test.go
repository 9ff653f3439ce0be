package tenancydb_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/tenancy/password"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
	"github.com/signalboxhq/signalbox/tenancy/token"
)

func ada() tenancydb.SignUp {
	return tenancydb.SignUp{Email: "Ada@Example.com", Password: goodPassword, Name: "Ada Lovelace"}
}

func TestSignUpWaitsForItsLink(t *testing.T) {
	t.Parallel()
	b := setup(t)
	mail, err := b.store.SignUp(t.Context(), ada(), browser())
	require.NoError(t, err)
	require.Equal(t, "Ada@Example.com", mail.To)
	require.False(t, mail.Known)

	_, err = b.store.SignIn(t.Context(), tenancydb.SignIn{Email: "ada@example.com", Password: goodPassword}, browser())
	require.Equal(t, tenancydb.ReasonEmailNotVerified, fault.ReasonOf(err))
	_, err = b.store.SignIn(t.Context(), tenancydb.SignIn{Email: "ada@example.com", Password: "another password"}, browser())
	require.Equal(t, tenancydb.ReasonBadCredentials, fault.ReasonOf(err), "only who knows the password learns more")

	signedIn, err := b.store.VerifyEmail(t.Context(), mail.Token.Secret(), browser())
	require.NoError(t, err)
	require.Equal(t, "Ada Lovelace", signedIn.User.Name)
	require.Equal(t, b.clock.Now().Add(tenancydb.SessionMax), signedIn.ExpiresAt)
	require.Equal(t, signedIn.User.ID, b.as(signedIn.Cookie, "", "").UserID)

	again, err := b.store.SignIn(t.Context(), tenancydb.SignIn{Email: " ADA@example.com ", Password: goodPassword}, browser())
	require.NoError(t, err)
	require.Equal(t, signedIn.User, again.User)
	require.NotEqual(t, signedIn.Cookie.Secret(), again.Cookie.Secret())
}

func TestLinkWorksOnceAndForADay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	verify := func(mail tenancydb.SignUpMail) error {
		_, err := b.store.VerifyEmail(t.Context(), mail.Token.Secret(), browser())
		return err
	}
	late, err := b.store.SignUp(t.Context(), ada(), browser())
	require.NoError(t, err)
	b.clock.advance(tenancydb.VerifyLife)
	require.Equal(t, tenancydb.ReasonTokenInvalid, fault.ReasonOf(verify(late)))

	first, err := b.store.SignUp(t.Context(), ada(), browser())
	require.NoError(t, err)
	second, err := b.store.SignUp(t.Context(), ada(), browser())
	require.NoError(t, err)
	require.NoError(t, verify(second))
	require.Equal(t, tenancydb.ReasonTokenInvalid, fault.ReasonOf(verify(second)))
	require.Equal(t, tenancydb.ReasonTokenInvalid, fault.ReasonOf(verify(first)), "the first link that is opened wins")

	other, err := token.New(token.Mail, rand.Reader)
	require.NoError(t, err)
	require.Equal(t, tenancydb.ReasonTokenInvalid, fault.ReasonOf(verify(tenancydb.SignUpMail{Token: other})))
	_, err = b.store.VerifyEmail(t.Context(), "nonsense", browser())
	require.Equal(t, tenancydb.ReasonTokenInvalid, fault.ReasonOf(err))
}

// TestAddressIsNotTakenHostage: a stranger's sign-up with somebody else's
// address neither blocks them nor leaves the stranger's password on the account.
func TestAddressIsNotTakenHostage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	hostile := ada()
	hostile.Password = "the stranger's own secret"
	_, err := b.store.SignUp(t.Context(), hostile, browser())
	require.NoError(t, err)
	mail, err := b.store.SignUp(t.Context(), ada(), browser())
	require.NoError(t, err)
	_, err = b.store.VerifyEmail(t.Context(), mail.Token.Secret(), browser())
	require.NoError(t, err)
	_, err = b.store.SignIn(t.Context(), tenancydb.SignIn{Email: hostile.Email, Password: hostile.Password}, browser())
	require.Equal(t, tenancydb.ReasonBadCredentials, fault.ReasonOf(err))
}

func TestKnownAddressAnswersLikeAnUnknownOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.person("ada@example.com")
	var mail tenancydb.SignUpMail
	changes := pgtest.Changes(t, b.db, func() {
		var err error
		mail, err = b.store.SignUp(t.Context(), ada(), browser())
		require.NoError(t, err)
	})
	require.True(t, mail.Known, "for the mail's text alone")
	require.Empty(t, mail.Token.Secret())
	for line := range strings.Lines(changes) {
		require.True(t, strings.HasPrefix(line, "UPDATE throttle"), line)
	}
}

func TestSignUpChecksItsInput(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct {
		change func(*tenancydb.SignUp)
		reason fault.Reason
	}{
		"no address":       {func(s *tenancydb.SignUp) { s.Email = "" }, tenancydb.ReasonInvalid},
		"no domain":        {func(s *tenancydb.SignUp) { s.Email = "ada" }, tenancydb.ReasonInvalid},
		"bare domain":      {func(s *tenancydb.SignUp) { s.Email = "ada@example" }, tenancydb.ReasonInvalid},
		"with a name":      {func(s *tenancydb.SignUp) { s.Email = "Ada <ada@example.com>" }, tenancydb.ReasonInvalid},
		"header injection": {func(s *tenancydb.SignUp) { s.Email = "ada@example.com\r\nBcc: all@example.com" }, tenancydb.ReasonInvalid},
		"long address":     {func(s *tenancydb.SignUp) { s.Email = strings.Repeat("a", 250) + "@example.com" }, tenancydb.ReasonInvalid},
		"no name":          {func(s *tenancydb.SignUp) { s.Name = "  " }, tenancydb.ReasonInvalid},
		"long name":        {func(s *tenancydb.SignUp) { s.Name = strings.Repeat("a", 101) }, tenancydb.ReasonInvalid},
		"line in name":     {func(s *tenancydb.SignUp) { s.Name = "Ada\nLovelace" }, tenancydb.ReasonInvalid},
		"weak password":    {func(s *tenancydb.SignUp) { s.Password = "Lovelace1815" }, password.ReasonRefused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := ada()
			c.change(&in)
			_, err := b.store.SignUp(t.Context(), in, browser())
			require.Equal(t, c.reason, fault.ReasonOf(err))
		})
	}
}

func TestMailboxIsNotFlooded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 5 {
		_, err := b.store.SignUp(t.Context(), ada(), browser())
		require.NoError(t, err)
	}
	from := browser()
	from.IP = "198.51.100.1"
	_, err := b.store.SignUp(t.Context(), ada(), from)
	require.Equal(t, tenancydb.ReasonRateLimited, fault.ReasonOf(err), "whoever asks")
	b.clock.advance(time.Minute)
	_, err = b.store.SignUp(t.Context(), ada(), from)
	require.NoError(t, err)
}
