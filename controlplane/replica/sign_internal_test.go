package replica

import (
	"bytes"
	"crypto/ed25519"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
)

// post sends a request with the given header to a replica.
func post(t *testing.T, to *Replica, path, signed, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+to.address+path, strings.NewReader(body))
	require.NoError(t, err)
	if signed != "" {
		req.Header.Set(header, signed)
	}
	res, err := to.client.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}

func TestOnlySignedRequestsAreServedOnce(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	a, b := started(t, db), started(t, db)
	body := "frames"
	sign := func() string { return a.sign(b.id, "/x", []byte(body)) }

	signed := sign()
	require.Equal(t, statusDone, post(t, b, "/x", signed, body))
	require.Equal(t, statusRefused, post(t, b, "/x", signed, body), "a second time")
	require.Equal(t, statusRefused, post(t, b, "/x", "", body), "unsigned")
	require.Equal(t, statusRefused, post(t, b, "/x", sign(), body+"!"), "another body")
	require.Equal(t, statusRefused, post(t, b, "/y", sign(), body), "another path")
	require.Equal(t, statusRefused, post(t, a, "/x", sign(), body), "another replica")
	require.Equal(t, statusRefused, post(t, b, "/x", "1.2.3", body))
	require.Equal(t, http.StatusNotFound, post(t, b, "/y", a.sign(b.id, "/y", nil), ""))

	at, rest, _ := strings.Cut(sign(), ".")
	ms, err := strconv.ParseInt(at, 10, 64)
	require.NoError(t, err)
	require.Equal(t, statusRefused, post(t, b, "/x", strconv.FormatInt(ms+1, 10)+"."+rest, body), "another time")

	large := bytes.Repeat([]byte("x"), maxBody+1)
	require.Equal(t, statusRefused, post(t, b, "/x", a.sign(b.id, "/x", large), string(large)))
}

func TestOldSignaturesAreRefused(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	a, b := started(t, db), started(t, db)
	for _, skew := range []time.Duration{-maxSkew, maxSkew} {
		a.config.Now = func() time.Time { return time.Now().Add(skew / 2) }
		require.Equal(t, statusDone, post(t, b, "/x", a.sign(b.id, "/x", nil), ""))
		a.config.Now = func() time.Time { return time.Now().Add(skew * 2) }
		require.Equal(t, statusRefused, post(t, b, "/x", a.sign(b.id, "/x", nil), ""))
	}
}

func TestInstallationsDoNotShareAKey(t *testing.T) {
	t.Parallel()
	a, b := started(t, pgtest.DB(t)), started(t, pgtest.DB(t))
	require.Equal(t, statusRefused, post(t, b, "/x", a.sign(b.id, "/x", nil), ""))
}

func TestDerivedKeyIsNotTheSeed(t *testing.T) {
	t.Parallel()
	seed := bytes.Repeat([]byte{7}, ed25519.SeedSize)
	key, err := deriveKey(ed25519.NewKeyFromSeed(seed))
	require.NoError(t, err)
	require.Len(t, key, 32)
	require.NotEqual(t, seed, key)
}

func TestMacCoversEveryPart(t *testing.T) {
	t.Parallel()
	to := id.New()
	base := signature{at: 1, nonce: "n"}
	seen := map[string]bool{}
	for _, m := range [][]byte{
		mac([]byte("k"), base, to, "/x", []byte("b")),
		mac([]byte("l"), base, to, "/x", []byte("b")),
		mac([]byte("k"), signature{at: 2, nonce: "n"}, to, "/x", []byte("b")),
		mac([]byte("k"), signature{at: 1, nonce: "m"}, to, "/x", []byte("b")),
		mac([]byte("k"), base, id.New(), "/x", []byte("b")),
		mac([]byte("k"), base, to, "/y", []byte("b")),
		mac([]byte("k"), base, to, "/x", []byte("c")),
		mac([]byte("k"), base, to, "/x", nil),
	} {
		require.False(t, seen[string(m)])
		seen[string(m)] = true
	}
}

// TestNoncesAreRememberedAsLongAsTheyAreFresh also shows that they are forgotten.
func TestNoncesAreRememberedAsLongAsTheyAreFresh(t *testing.T) {
	t.Parallel()
	p := newReplays()
	at := time.Unix(1_000_000, 0)
	for i := range 1000 {
		now := at.Add(time.Duration(i) * time.Second)
		require.True(t, p.first(strconv.Itoa(i), now))
		for back := range min(i, int(2*maxSkew/time.Second)) {
			require.False(t, p.first(strconv.Itoa(i-back), now))
		}
		require.LessOrEqual(t, len(p.now)+len(p.old), 4*int(maxSkew/time.Second)+2)
	}
	require.True(t, p.first("0", at.Add(2000*time.Second)))
}

func FuzzParseSignature(f *testing.F) {
	f.Add(signature{at: 1, nonce: strings.Repeat("0", 2*nonceSize), mac: []byte{1, 2}}.String())
	f.Add("..")
	f.Add("-1.x.")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSignature(text)
		if err != nil {
			return
		}
		again, err := parseSignature(s.String())
		require.NoError(t, err)
		require.Equal(t, s, again)
	})
}
