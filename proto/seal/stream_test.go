package seal_test

import (
	"bytes"
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/seal"
)

func newStream() seal.Stream {
	return seal.Stream{Org: id.New(), Run: id.New(), What: "logs|train|1"}
}

// sealAll seals payloads for a new reader; the last frame is final.
func sealAll(t require.TestingT, stream seal.Stream, payloads ...[]byte) (*seal.ReaderKey, [][]byte) {
	reader, err := seal.NewReaderKey(rand.Reader)
	require.NoError(t, err)
	sealer, err := seal.NewStreamSealer(reader.Public(), stream)
	require.NoError(t, err)
	frames := make([][]byte, 0, len(payloads))
	for i, payload := range payloads {
		frame, err := sealer.Seal(payload, i == len(payloads)-1)
		require.NoError(t, err)
		frames = append(frames, frame)
	}
	return reader, frames
}

// openAll opens frames up to the first error, that of Close included.
func openAll(opener *seal.StreamOpener, frames [][]byte) ([][]byte, error) {
	var payloads [][]byte
	for _, frame := range frames {
		payload, _, err := opener.Open(frame)
		if err != nil {
			return payloads, err
		}
		payloads = append(payloads, payload)
	}
	return payloads, opener.Close()
}

func TestStreamRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		payloads := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 100), 1, 8).Draw(t, "payloads")
		stream := newStream()
		reader, frames := sealAll(t, stream, payloads...)
		opener := reader.Opener(stream)
		for i, frame := range frames {
			require.ErrorIs(t, opener.Close(), seal.ErrTruncated)
			payload, final, err := opener.Open(frame)
			require.NoError(t, err)
			require.True(t, bytes.Equal(payloads[i], payload))
			require.Equal(t, i == len(frames)-1, final)
		}
		require.NoError(t, opener.Close())
	})
}

// TestStreamFramesKeepTheirPlaces rearranges the frames in every drawn way: only
// all frames in order open whole.
func TestStreamFramesKeepTheirPlaces(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		stream := newStream()
		reader, frames := sealAll(t, stream, []byte("a"), []byte("b"), []byte("c"), nil)
		order := rapid.SliceOfN(rapid.IntRange(0, len(frames)-1), 0, 6).Draw(t, "order")
		given, inOrder := make([][]byte, 0, len(order)), 0
		for place, n := range order {
			given = append(given, frames[n])
			if n == place && inOrder == place {
				inOrder++
			}
		}
		payloads, err := openAll(reader.Opener(stream), given)
		require.Len(t, payloads, inOrder, "what opened was in its place")
		switch {
		case inOrder < len(order):
			require.ErrorIs(t, err, seal.ErrCorrupt)
		case inOrder < len(frames):
			require.ErrorIs(t, err, seal.ErrTruncated)
		default:
			require.NoError(t, err)
		}
	})
}

func TestAnyFlippedBitOfAFrameFails(t *testing.T) {
	t.Parallel()
	stream := newStream()
	reader, frames := sealAll(t, stream, []byte("first"), []byte("last"))
	for n, frame := range frames {
		for bit := range len(frame) * 8 {
			changed := append([][]byte(nil), frames...)
			changed[n] = bytes.Clone(frame)
			changed[n][bit/8] ^= 1 << (bit % 8)
			payloads, err := openAll(reader.Opener(stream), changed)
			require.Error(t, err, "frame %d, bit %d", n, bit)
			require.Len(t, payloads, n)
		}
	}
}

func TestAStreamOpensOnlyAsItself(t *testing.T) {
	t.Parallel()
	stream := newStream()
	reader, frames := sealAll(t, stream, []byte("x"))
	other, _ := sealAll(t, stream, []byte("x"))
	for _, opener := range []*seal.StreamOpener{
		other.Opener(stream),
		reader.Opener(seal.Stream{Org: id.New(), Run: stream.Run, What: stream.What}),
		reader.Opener(seal.Stream{Org: stream.Org, Run: id.New(), What: stream.What}),
		reader.Opener(seal.Stream{Org: stream.Org, Run: stream.Run, What: "logs|train|2"}),
	} {
		_, err := openAll(opener, frames)
		require.ErrorIs(t, err, seal.ErrCorrupt)
	}
}

func TestFramesOfTwoStreamsDoNotMix(t *testing.T) {
	t.Parallel()
	stream := newStream()
	reader, frames := sealAll(t, stream, []byte("a"), []byte("b"))
	sealer, err := seal.NewStreamSealer(reader.Public(), stream)
	require.NoError(t, err)
	_, err = sealer.Seal([]byte("a"), false)
	require.NoError(t, err)
	second, err := sealer.Seal([]byte("forged"), true)
	require.NoError(t, err)
	_, err = openAll(reader.Opener(stream), [][]byte{frames[0], second})
	require.ErrorIs(t, err, seal.ErrCorrupt)
}

func TestStreamErrorsStay(t *testing.T) {
	t.Parallel()
	stream := newStream()
	reader, frames := sealAll(t, stream, []byte("a"), []byte("b"))
	opener := reader.Opener(stream)
	_, _, err := opener.Open(frames[1])
	require.ErrorIs(t, err, seal.ErrCorrupt)
	_, _, err = opener.Open(frames[0])
	require.ErrorIs(t, err, seal.ErrCorrupt)
	require.ErrorIs(t, opener.Close(), seal.ErrCorrupt)
}

func TestStreamLimits(t *testing.T) {
	t.Parallel()
	stream := newStream()
	reader, err := seal.NewReaderKey(rand.Reader)
	require.NoError(t, err)
	sealer, err := seal.NewStreamSealer(reader.Public(), stream)
	require.NoError(t, err)
	largest := make([]byte, seal.MaxPayload)
	_, err = sealer.Seal(append(largest, 0), false)
	require.ErrorIs(t, err, seal.ErrTooLarge)
	frame, err := sealer.Seal(largest, true)
	require.NoError(t, err)
	_, err = sealer.Seal(nil, false)
	require.ErrorContains(t, err, "last frame")

	opener := reader.Opener(stream)
	payload, final, err := opener.Open(frame)
	require.NoError(t, err)
	require.True(t, final)
	require.Equal(t, largest, payload)
	_, _, err = opener.Open(frame)
	require.ErrorIs(t, err, seal.ErrCorrupt)
}

func FuzzStreamOpener(f *testing.F) {
	stream := newStream()
	reader, frames := sealAll(f, stream, []byte("a"), []byte("b"))
	f.Add(frames[0], frames[1])
	f.Add([]byte{1}, []byte{2})
	f.Add([]byte{}, []byte{3})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		payloads, err := openAll(reader.Opener(stream), [][]byte{first, second})
		if bytes.Equal(first, frames[0]) && bytes.Equal(second, frames[1]) {
			require.NoError(t, err)
			require.Equal(t, [][]byte{[]byte("a"), []byte("b")}, payloads)
			return
		}
		require.Error(t, err)
	})
}
