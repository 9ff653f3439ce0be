package seal_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"math/bits"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/seal"
)

func newKey(t require.TestingT) *seal.WorkspaceKey {
	key, err := seal.Generate(rand.Reader)
	require.NoError(t, err)
	return key
}

func newSender(to *seal.WorkspaceKey) *seal.Sender {
	return seal.NewSender(to.Public(), time.Now, rand.Reader)
}

func newBinding(name string) seal.Binding {
	return seal.Binding{Org: id.New(), Workspace: id.New(), Name: name}
}

func TestEnvelopeRoundTrip(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	sender, ring := newSender(key), seal.NewRing(newKey(t), key)
	rapid.Check(t, func(t *rapid.T) {
		binding := newBinding(rapid.StringN(1, 100, -1).Draw(t, "name"))
		value := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "value")
		envelope, err := sender.Seal(binding, value)
		require.NoError(t, err)

		opened, err := ring.Open(binding, envelope)
		require.NoError(t, err)
		require.True(t, bytes.Equal(value, opened))

		info, err := seal.Inspect(envelope)
		require.NoError(t, err)
		require.Equal(t, key.KID(), info.KID)
		require.Greater(t, info.Size, len(value))
		require.LessOrEqual(t, info.Size, len(value)+32)

		text := seal.Text(envelope)
		require.True(t, seal.IsText(text))
		back, err := seal.ParseText(text)
		require.NoError(t, err)
		require.Equal(t, envelope, back)
	})
}

func TestEnvelopeLimits(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	binding := newBinding(seal.ErrorName)
	largest := bytes.Repeat([]byte{0}, seal.MaxValue)
	envelope, err := newSender(key).Seal(binding, largest)
	require.NoError(t, err)
	opened, err := seal.NewRing(key).Open(binding, envelope)
	require.NoError(t, err)
	require.Equal(t, largest, opened)

	_, err = newSender(key).Seal(binding, append(largest, 0))
	require.ErrorIs(t, err, seal.ErrTooLarge)
}

func TestSmallValuesLookAlike(t *testing.T) {
	t.Parallel()
	sender := newSender(newKey(t))
	binding := newBinding(seal.ParamName("debug"))
	short, err := sender.Seal(binding, []byte("true"))
	require.NoError(t, err)
	long, err := sender.Seal(binding, []byte("0123456789012345678901234567890"))
	require.NoError(t, err)
	require.Len(t, long, len(short))
}

func TestAnyFlippedBitFails(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	ring, binding := seal.NewRing(key), newBinding(seal.OutputName("train", "auc"))
	envelope, err := newSender(key).Seal(binding, []byte("0.93"))
	require.NoError(t, err)
	for bit := range len(envelope) * 8 {
		changed := bytes.Clone(envelope)
		changed[bit/8] ^= 1 << (bit % 8)
		_, err := ring.Open(binding, changed)
		switch {
		case bit < 8:
			require.ErrorIs(t, err, seal.ErrVersion, bit)
		case bit < 9*8:
			require.ErrorIs(t, err, seal.ErrNoKey, bit)
		default:
			require.ErrorIs(t, err, seal.ErrCorrupt, bit)
		}
	}
}

func TestAnyOtherBindingFails(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	ring, binding := seal.NewRing(key), newBinding(seal.ParamName("epochs"))
	envelope, err := newSender(key).Seal(binding, []byte("10"))
	require.NoError(t, err)
	for _, other := range []seal.Binding{
		{Org: id.New(), Workspace: binding.Workspace, Name: binding.Name},
		{Org: binding.Org, Workspace: id.New(), Name: binding.Name},
		{Org: binding.Workspace, Workspace: binding.Org, Name: binding.Name},
		{Org: binding.Org, Workspace: binding.Workspace, Name: "params.epoch"},
		{Org: binding.Org, Workspace: binding.Workspace, Name: "params.epochs2"},
		{},
	} {
		_, err := ring.Open(other, envelope)
		require.ErrorIs(t, err, seal.ErrCorrupt)
	}
}

func TestOpenNamesTheMissingKey(t *testing.T) {
	t.Parallel()
	key, binding := newKey(t), newBinding(seal.ErrorName)
	envelope, err := newSender(key).Seal(binding, nil)
	require.NoError(t, err)
	for _, ring := range []*seal.Ring{nil, seal.NewRing(), seal.NewRing(newKey(t))} {
		_, err := ring.Open(binding, envelope)
		require.ErrorIs(t, err, seal.ErrNoKey)
		var missing *seal.NoKeyError
		require.ErrorAs(t, err, &missing)
		require.Equal(t, key.KID(), missing.KID)
		require.ErrorContains(t, err, key.KID().String())
	}
}

func TestPartsOfTwoEnvelopesDoNotMix(t *testing.T) {
	t.Parallel()
	key, binding := newKey(t), newBinding(seal.ErrorName)
	one, err := newSender(key).Seal(binding, []byte("one"))
	require.NoError(t, err)
	two, err := newSender(key).Seal(binding, []byte("two"))
	require.NoError(t, err)
	for cut := 1; cut < len(one); cut++ {
		mixed := append(bytes.Clone(one[:cut]), two[cut:]...)
		if bytes.Equal(mixed, one) || bytes.Equal(mixed, two) {
			continue // they share version and kid
		}
		_, err := seal.NewRing(key).Open(binding, mixed)
		require.ErrorIs(t, err, seal.ErrCorrupt, cut)
	}
}

func TestTruncatedEnvelopesFail(t *testing.T) {
	t.Parallel()
	key, binding := newKey(t), newBinding(seal.ErrorName)
	envelope, err := newSender(key).Seal(binding, bytes.Repeat([]byte("x"), 70))
	require.NoError(t, err)
	for length := range envelope {
		_, err := seal.NewRing(key).Open(binding, envelope[:length])
		require.ErrorIs(t, err, seal.ErrCorrupt, length)
	}
	_, err = seal.NewRing(key).Open(binding, append(bytes.Clone(envelope), 0))
	require.ErrorIs(t, err, seal.ErrCorrupt)
}

func TestEnvelopesOfEqualValuesDiffer(t *testing.T) {
	t.Parallel()
	sender, binding := newSender(newKey(t)), newBinding(seal.ErrorName)
	one, err := sender.Seal(binding, []byte("same"))
	require.NoError(t, err)
	two, err := sender.Seal(binding, []byte("same"))
	require.NoError(t, err)
	differing := 0
	for i := 89; i < len(one); i++ {
		differing += bits.OnesCount8(one[i] ^ two[i])
	}
	require.Greater(t, differing, 100)
}

func FuzzEnvelope(f *testing.F) {
	key, err := seal.Generate(bytes.NewReader(make([]byte, 32)))
	require.NoError(f, err)
	binding := newBinding(seal.ErrorName)
	envelope, err := newSender(key).Seal(binding, []byte("seed"))
	require.NoError(f, err)
	f.Add(envelope)
	f.Add([]byte{})
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, data []byte) {
		_, inspectErr := seal.Inspect(data)
		_, openErr := seal.NewRing(key).Open(binding, data)
		if bytes.Equal(data, envelope) {
			require.NoError(t, openErr)
			return
		}
		require.Error(t, openErr)
		if inspectErr != nil {
			require.Equal(t, inspectErr, openErr)
		}
	})
}

func FuzzParseText(f *testing.F) {
	envelope, err := newSender(newKey(f)).Seal(newBinding(seal.ErrorName), nil)
	require.NoError(f, err)
	f.Add(seal.Text(envelope))
	f.Add("sealed:")
	f.Add("sealed:AQ\n==")
	f.Fuzz(func(t *testing.T, text string) {
		envelope, err := seal.ParseText(text)
		if err != nil {
			require.True(t, errors.Is(err, seal.ErrCorrupt) || errors.Is(err, seal.ErrVersion))
			return
		}
		require.Equal(t, text, seal.Text(envelope))
	})
}
