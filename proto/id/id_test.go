package id_test

import (
	"bytes"
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/proto/id"
)

func TestNewIncreasesAndCarriesTheTime(t *testing.T) {
	t.Parallel()
	before := time.Now().Truncate(time.Millisecond)
	last := id.Nil
	for range 1000 {
		u := id.New()
		require.Positive(t, id.Compare(u, last))
		require.EqualValues(t, 7, u.Version())
		require.False(t, id.Time(u).Before(before))
		last = u
	}
}

func TestNewAtIsDeterministic(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 3, 9, 30, 0, 123_456_789, time.UTC)
	zeros, ones := make([]byte, 10), bytes.Repeat([]byte{0xff}, 10)
	low := id.NewAt(at, bytes.NewReader(zeros))
	high := id.NewAt(at, bytes.NewReader(ones))

	require.Equal(t, "01a1a0be-7a3b-7000-8000-000000000000", low.String())
	require.Equal(t, "01a1a0be-7a3b-7fff-bfff-ffffffffffff", high.String())
	require.Equal(t, at.Truncate(time.Millisecond), id.Time(high))
	require.Equal(t, "RFC4122", low.Variant().String())
}

func TestNewAtRefusesMistakes(t *testing.T) {
	t.Parallel()
	require.Panics(t, func() { id.NewAt(time.Unix(0, 0), bytes.NewReader(make([]byte, 9))) })
	require.Panics(t, func() { id.NewAt(time.Unix(-1, 0), rand.Reader) })
	require.Panics(t, func() { id.Floor(time.UnixMilli(1 << 48)) })
}

func TestFloorBoundsIDsByTime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(1, 1<<48-1).Draw(t, "ms")
		tail := rapid.SliceOfN(rapid.Byte(), 10, 10).Draw(t, "tail")
		at := time.UnixMilli(ms)
		u := id.NewAt(at, bytes.NewReader(tail))
		require.Positive(t, id.Compare(u, id.Floor(at)))
		earlier := id.NewAt(at.Add(-time.Millisecond), bytes.NewReader(tail))
		require.Negative(t, id.Compare(earlier, id.Floor(at)))
	})
}
