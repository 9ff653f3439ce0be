package seal_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/proto/seal"
)

func TestRingHoldsKeysInOrder(t *testing.T) {
	t.Parallel()
	one, two, three := newKey(t), newKey(t), newKey(t)
	ring := seal.NewRing(two, one, two)
	require.Equal(t, []seal.KID{two.KID(), one.KID()}, ring.KIDs())
	require.Equal(t, []*seal.WorkspaceKey{two, one}, ring.Keys())

	more := ring.With(three)
	require.Equal(t, []seal.KID{two.KID(), one.KID(), three.KID()}, more.KIDs())
	require.Len(t, ring.Keys(), 2, "a ring does not change")

	_, held := ring.Key(three.KID())
	require.False(t, held)
	got, held := more.Key(three.KID())
	require.True(t, held)
	require.Same(t, three, got)
}

func TestNilRingIsEmpty(t *testing.T) {
	t.Parallel()
	var ring *seal.Ring
	require.Empty(t, ring.KIDs())
	require.Empty(t, ring.Export())
	require.Len(t, ring.With(newKey(t)).KIDs(), 1)
}

func TestRingText(t *testing.T) {
	t.Parallel()
	ring := seal.NewRing(newKey(t), newKey(t))
	back, err := seal.ParseRing("# production\n\n" + ring.Export())
	require.NoError(t, err)
	require.Equal(t, ring.KIDs(), back.KIDs())
	require.Equal(t, ring.Export(), back.Export())

	_, err = seal.ParseRing("# one\n" + ring.Export() + "sbwk_oops\n")
	require.ErrorIs(t, err, seal.ErrKeyText)
	require.ErrorContains(t, err, "line 4")

	empty, err := seal.ParseRing("")
	require.NoError(t, err)
	require.Empty(t, empty.Keys())
}

func TestRotationKeepsOldValuesReadable(t *testing.T) {
	t.Parallel()
	before, after := newKey(t), newKey(t)
	binding := newBinding(seal.ParamName("dataset"))
	old, err := newSender(before).Seal(binding, []byte(`"s3://lake"`))
	require.NoError(t, err)
	ring := seal.NewRing(before).With(after)
	opened, err := ring.Open(binding, old)
	require.NoError(t, err)
	require.Equal(t, `"s3://lake"`, string(opened))
}

func FuzzParseRing(f *testing.F) {
	f.Add(seal.NewRing(newKey(f), newKey(f)).Export())
	f.Add("# nothing")
	f.Fuzz(func(t *testing.T, text string) {
		ring, err := seal.ParseRing(text)
		if err != nil {
			return
		}
		again, err := seal.ParseRing(ring.Export())
		require.NoError(t, err)
		require.Equal(t, ring.KIDs(), again.KIDs())
	})
}
