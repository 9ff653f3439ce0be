package seal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/proto/seal"
)

func TestPublicKeyRoundTrip(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	public, err := seal.ParsePublicKey(key.Public().Bytes())
	require.NoError(t, err)
	require.Equal(t, key.Public().Bytes(), public.Bytes())
	require.Equal(t, key.KID(), public.KID())
	require.Equal(t, key.Fingerprint(), public.Fingerprint())
	require.Regexp(t, `^([0-9a-f]{4}-){7}[0-9a-f]{4}$`, public.Fingerprint())
	plain := strings.ReplaceAll(public.Fingerprint(), "-", "")
	require.True(t, strings.HasPrefix(plain, public.KID().String()))

	for _, size := range []int{0, 31, 33} {
		_, err := seal.ParsePublicKey(make([]byte, size))
		require.Error(t, err, size)
	}
}

// TestLowOrderKeysAreRefused keeps a hostile control plane from handing out a
// public key for which everybody knows the shared secret.
func TestLowOrderKeysAreRefused(t *testing.T) {
	t.Parallel()
	for _, first := range []byte{0, 1} {
		raw := make([]byte, 32)
		raw[0] = first
		_, err := seal.ParsePublicKey(raw)
		require.ErrorContains(t, err, "low order")
		_, err = seal.NewStreamSealer(raw, seal.Stream{})
		require.Error(t, err)
	}
}

func TestKIDText(t *testing.T) {
	t.Parallel()
	kid := newKey(t).KID()
	back, err := seal.ParseKID(kid.String())
	require.NoError(t, err)
	require.Equal(t, kid, back)
	for _, text := range []string{"", "00", strings.Repeat("0", 17), "00112233445566zz", "00112233445566AA"} {
		_, err := seal.ParseKID(text)
		require.Error(t, err, text)
	}
}

func TestExportedKeyRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "raw")
		key, err := seal.Generate(bytes.NewReader(raw))
		require.NoError(t, err)
		text := key.Export()
		require.Regexp(t, `^sbwk_[0-9a-z]{64}$`, text)
		back, err := seal.Import(" " + text + "\r\n")
		require.NoError(t, err)
		require.Equal(t, key.Public().Bytes(), back.Public().Bytes())
		require.Equal(t, text, back.Export())
	})
}

func TestImportFindsTypingErrors(t *testing.T) {
	t.Parallel()
	text := newKey(t).Export()
	for i := range text {
		for _, wrong := range []byte("0q\nU-") {
			if text[i] == wrong {
				continue
			}
			mistyped := []byte(text)
			mistyped[i] = wrong
			_, err := seal.Import(string(mistyped))
			require.ErrorIs(t, err, seal.ErrKeyText, "%d", i)
			require.NotContains(t, err.Error(), text[10:20])
		}
	}
	for _, wrong := range []string{"", "sbwk_", text[:68], text + "0", "sbk_" + text[5:]} {
		_, err := seal.Import(wrong)
		require.ErrorIs(t, err, seal.ErrKeyText, wrong)
	}
}

func TestGenerateNeedsRandomness(t *testing.T) {
	t.Parallel()
	_, err := seal.Generate(bytes.NewReader(make([]byte, 31)))
	require.Error(t, err)
	_, err = seal.NewReaderKey(bytes.NewReader(make([]byte, 31)))
	require.Error(t, err)
}

// TestKeyNeverPrintsItsSecret tries every common way to print or log a key.
func TestKeyNeverPrintsItsSecret(t *testing.T) {
	t.Parallel()
	raw := bytes.Repeat([]byte{0xAB}, 32)
	key, err := seal.Generate(bytes.NewReader(raw))
	require.NoError(t, err)
	var out bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(handler).LogAttrs(t.Context(), slog.LevelInfo, "key",
			slog.Any("key", key), slog.Any("ring", seal.NewRing(key)))
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, format+"\n", key)
		fmt.Fprintf(&out, format+"\n", *key)
		fmt.Fprintf(&out, format+"\n", []*seal.WorkspaceKey{key})
		fmt.Fprintf(&out, format+"\n", seal.NewRing(key))
		fmt.Fprintf(&out, format+"\n", *seal.NewRing(key))
	}
	marshalled, err := json.Marshal(map[string]any{"key": key, "ring": seal.NewRing(key)})
	require.NoError(t, err)
	out.Write(marshalled)

	shown := strings.ToLower(out.String())
	require.NotContains(t, shown, "abababab")
	require.NotContains(t, shown, "171 171")
	require.NotContains(t, shown, "0xab")
	require.NotContains(t, shown, strings.ToLower(key.Export()[5:25]))
	require.Contains(t, shown, key.KID().String())
}
