package token_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/tenancy/token"
)

const stableToken = "sbk_0z0Aa0z0Aa0z0Aa0z0Aa0z0Aa0z0Aa42GbRT"

func newToken(t *testing.T, kind token.Kind) token.Token {
	t.Helper()
	made, err := token.New(kind, rand.Reader)
	require.NoError(t, err)
	return made
}

func TestTokenComesBack(t *testing.T) {
	t.Parallel()
	for _, kind := range token.Kinds() {
		made := newToken(t, kind)
		require.Len(t, made.Secret(), 40)
		require.True(t, strings.HasPrefix(made.Secret(), kind.Prefix()))
		read, err := token.Parse(made.Secret())
		require.NoError(t, err)
		require.Equal(t, made, read)
		require.Equal(t, kind, read.Kind())
		require.Equal(t, made.Hash(), read.Hash())
		require.Len(t, made.Hash(), 32)
		require.Equal(t, made.Secret()[36:], made.Last4())
	}
}

func TestPatternFindsKeys(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile("^" + token.Pattern + "$")
	for _, kind := range []token.Kind{token.ServiceKey, token.Personal, token.Join} {
		require.Regexp(t, pattern, newToken(t, kind).Secret())
	}
}

// TestFormatIsStable pins the format: a token of years ago must still parse.
func TestFormatIsStable(t *testing.T) {
	t.Parallel()
	made, err := token.New(token.ServiceKey, bytes.NewReader(bytes.Repeat([]byte{0, 61, 255, 62, 10, 36}, 10)))
	require.NoError(t, err)
	require.Equal(t, made.Secret(), stableToken)
	_, err = token.Parse(stableToken)
	require.NoError(t, err)
}

func TestEverySingleTypoIsRefused(t *testing.T) {
	t.Parallel()
	secret := newToken(t, token.ServiceKey).Secret()
	for i := range secret {
		for _, c := range []byte("0Zz_ \x00") {
			if secret[i] == c {
				continue
			}
			typo := secret[:i] + string(c) + secret[i+1:]
			_, err := token.Parse(typo)
			require.ErrorIs(t, err, token.ErrMalformed, "position %d", i)
		}
	}
	for i := range len(secret) - 1 {
		if secret[i] == secret[i+1] {
			continue
		}
		swapped := secret[:i] + string(secret[i+1]) + string(secret[i]) + secret[i+2:]
		_, err := token.Parse(swapped)
		require.ErrorIs(t, err, token.ErrMalformed, "positions %d and %d", i, i+1)
	}
}

func TestKindIsPartOfTheChecksum(t *testing.T) {
	t.Parallel()
	key := newToken(t, token.ServiceKey).Secret()
	_, err := token.Parse(token.Personal.Prefix() + key[4:])
	require.ErrorIs(t, err, token.ErrMalformed)
	_, err = token.ParseKind(token.Join, key)
	require.ErrorIs(t, err, token.ErrMalformed)
	_, err = token.ParseKind(token.ServiceKey, key)
	require.NoError(t, err)
	_, err = token.ParseKind(token.ServiceKey, "nonsense")
	require.ErrorIs(t, err, token.ErrMalformed)
}

func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	made := newToken(t, token.Join)
	cookie, err := token.NewCookie(rand.Reader)
	require.NoError(t, err)
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("made", slog.Any("token", made), slog.Any("cookie", cookie))
	fmt.Fprintf(&out, "%v %s %+v %#v %v %s %+v %#v", made, made, made, made, cookie, cookie, cookie, cookie)
	require.NotContains(t, out.String(), made.Secret()[4:])
	require.NotContains(t, out.String(), cookie.Secret())
	require.Equal(t, 10, strings.Count(out.String(), "REDACTED"))
}

func TestTokensDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		secret := newToken(t, token.Personal).Secret()
		require.False(t, seen[secret])
		seen[secret] = true
	}
}

func TestBrokenRandomnessIsAnError(t *testing.T) {
	t.Parallel()
	_, err := token.New(token.Join, iotest.ErrReader(io.ErrUnexpectedEOF))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	_, err = token.NewCookie(iotest.ErrReader(io.ErrUnexpectedEOF))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Empty(t, token.Token{}.Last4())
}

func TestCookieComesBack(t *testing.T) {
	t.Parallel()
	made, err := token.NewCookie(rand.Reader)
	require.NoError(t, err)
	read, err := token.ParseCookie(made.Secret())
	require.NoError(t, err)
	require.Equal(t, made.Hash(), read.Hash())
	for _, bad := range []string{"", "a", made.Secret() + "A", made.Secret()[1:], made.Secret()[1:] + "+", made.Secret()[1:] + "="} {
		_, err := token.ParseCookie(bad)
		require.ErrorIs(t, err, token.ErrMalformed)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(stableToken)
	f.Add("")
	f.Add("sbk_")
	f.Add(strings.Repeat("_", 40))
	f.Fuzz(func(t *testing.T, text string) {
		read, err := token.Parse(text)
		if err != nil {
			require.ErrorIs(t, err, token.ErrMalformed)
			return
		}
		require.Equal(t, text, read.Secret())
		require.Regexp(t, `^sb[kuji]_[0-9A-Za-z]{36}$`, text)
	})
}
