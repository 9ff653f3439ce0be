package redact_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/agent/redact"
)

func TestForms(t *testing.T) {
	t.Parallel()
	const secret = `p@ss "w/rd"+ü`
	r := redact.New(secret + "\n")
	escaped, err := json.Marshal(secret)
	require.NoError(t, err)
	for name, shown := range map[string]string{
		"raw":         secret,
		"query":       url.QueryEscape(secret),
		"path":        url.PathEscape(secret),
		"json":        strings.Trim(string(escaped), ""),
		"json inside": `{"a":` + string(escaped) + `}`,
	} {
		out := r.String("x " + shown + " y")
		require.NotContains(t, out, shown, name)
		require.Contains(t, out, redact.Mark, name)
		require.True(t, strings.HasPrefix(out, "x ") && strings.HasSuffix(out, " y"), name)
	}
}

func TestBase64AtEveryAlignment(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t-t0ken???>>>"
	r := redact.New(secret)
	for _, before := range []string{"", "a", "ab", "abc", "user:"} {
		for _, after := range []string{"", "z", "yz", "xyz"} {
			for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding} {
				shown := encoding.EncodeToString([]byte(before + secret + after))
				out := r.String(shown)
				require.Contains(t, out, redact.Mark, shown)
				// At most the characters shared with the neighbours remain.
				require.LessOrEqual(t, len(out), len(shown)-len(secret)*4/3+len(redact.Mark)+2, shown)
			}
		}
	}
}

func TestLinesAndLeaves(t *testing.T) {
	t.Parallel()
	r := redact.New("-----BEGIN-----\nMIIEabcdef\nxyz\n", `{"user":"svc","deep":[{"key":"leaf-value"}],"n":123456789}`)
	require.Equal(t, "a *** b", r.String("a MIIEabcdef b"))
	require.Equal(t, "xyz", r.String("xyz"), "a short line is no secret")
	require.Equal(t, "***!", r.String("leaf-value!"))
	require.Equal(t, "svc 123456789 user", r.String("svc 123456789 user"))
}

func TestShortSecretIsHidden(t *testing.T) {
	t.Parallel()
	require.Equal(t, "pin=***.", redact.New("42").String("pin=42."))
}

func TestOverlapsBecomeOneMark(t *testing.T) {
	t.Parallel()
	r := redact.New("abcdefgh", "efghijkl", "cdef")
	require.Equal(t, "-***-", r.String("-abcdefghijkl-"))
	require.Equal(t, "-***gh", r.String("-cdefgh"))
}

func TestNothingToHide(t *testing.T) {
	t.Parallel()
	r := redact.New("", "\n")
	require.Nil(t, r)
	require.Equal(t, "text", r.String("text"))
	require.False(t, r.Holds("text"))
	var out bytes.Buffer
	w := r.Writer(&out)
	_, err := w.Write([]byte("text"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.Equal(t, "text", out.String())
}

func TestHolds(t *testing.T) {
	t.Parallel()
	r := redact.New("hunter2hunter2")
	require.True(t, r.Holds(`{"v":"hunter2hunter2"}`))
	require.True(t, r.Holds(base64.StdEncoding.EncodeToString([]byte("user:hunter2hunter2"))))
	require.False(t, r.Holds("hunter2hunter"))
}

func TestWriterHoldsBackOnlyWhatMayBeASecret(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := redact.New("topsecret").Writer(&out)
	write := func(s string) string {
		out.Reset()
		n, err := w.Write([]byte(s))
		require.NoError(t, err)
		require.Equal(t, len(s), n)
		return out.String()
	}
	require.Equal(t, "epoch 1\n", write("epoch 1\n"))
	require.Equal(t, "is ", write("is top"))
	require.Empty(t, write("secre"))
	require.Equal(t, "***!", write("t!"))
	require.Equal(t, "no ", write("no top"))
	require.Equal(t, "top ", write(" "))
	require.Empty(t, write("tops"))
	out.Reset()
	require.NoError(t, w.Close())
	require.Equal(t, "tops", out.String())
}

// TestStreamEqualsWhole holds the two properties that matter: however a stream
// is cut into writes the result is the same, and no secret is in it.
func TestStreamEqualsWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		secrets := rapid.SliceOfN(rapid.StringMatching(`[ab]{1,9}|[ab\n]{6,12}`), 1, 4).Draw(t, "secrets")
		r := redact.New(secrets...)
		text := rapid.StringMatching(`[abc\n]{0,80}`).Draw(t, "text")
		if rapid.Bool().Draw(t, "planted") {
			text += secrets[0] + rapid.StringMatching(`[abc]{0,8}`).Draw(t, "tail")
		}
		var out bytes.Buffer
		w := r.Writer(&out)
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "cut")
			_, err := w.Write([]byte(rest[:n]))
			require.NoError(t, err)
			rest = rest[n:]
		}
		require.NoError(t, w.Close())
		require.Equal(t, r.String(text), out.String())
		for _, secret := range secrets {
			if secret = strings.TrimSpace(secret); secret != "" {
				require.NotContains(t, out.String(), secret)
				require.Equal(t, r.Holds(text), text != out.String())
			}
		}
	})
}

func BenchmarkWriter(b *testing.B) {
	w := redact.New("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY").Writer(discard{})
	line := []byte("2026-01-02T03:04:05Z epoch 12/100 loss=0.1234 accuracy=0.98 lr=0.001 step 123456 of 999999\n")
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		if _, err := w.Write(line); err != nil {
			b.Fatal(err)
		}
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
