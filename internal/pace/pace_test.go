package pace_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pace"
)

func TestBucketEmptiesAndFillsAgain(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	p := pace.New(2, 3, func() time.Time { return now })
	for range 3 {
		require.Zero(t, p.Wait("a"))
		require.True(t, p.Take("a"))
	}
	require.False(t, p.Take("a"))
	require.Equal(t, 500*time.Millisecond, p.Wait("a"))
	require.Zero(t, p.Wait("b"), "everybody has a bucket of their own")

	now = now.Add(500 * time.Millisecond)
	require.Zero(t, p.Wait("a"))
	require.True(t, p.Take("a"))
	require.False(t, p.Take("a"))
}

func TestManyKeysDoNotFillTheMemory(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	p := pace.New(1, 1, func() time.Time { return now })
	require.True(t, p.Take("a"))
	for i := range 30_000 {
		p.Take(strconv.Itoa(i))
	}
	require.False(t, p.Take("a"), "remembered in the older generation")
	for i := range 60_000 {
		p.Take(strconv.Itoa(i))
	}
	require.True(t, p.Take("a"), "forgotten")
}

func TestFamiliarOnesAreForgottenOnlyForManyOthers(t *testing.T) {
	t.Parallel()
	var f pace.Familiar[int]
	require.False(t, f.Knows(-1))
	f.Note(-1)
	for i := range 30_000 {
		f.Note(i)
	}
	require.True(t, f.Knows(-1))
	for i := range 30_000 {
		f.Note(30_000 + i)
	}
	require.False(t, f.Knows(-1))
	require.True(t, f.Knows(59_999))
}
