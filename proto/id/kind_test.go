package id_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/proto/id"
)

func TestEveryKindHasANounAndIsKnown(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, kind := range id.Kinds() {
		require.NotEqual(t, "an unknown thing", kind.Noun(), kind)
		require.False(t, seen[kind.Noun()], kind)
		seen[kind.Noun()] = true
		got, ok := id.KindOf(id.Format(kind, id.New()))
		require.True(t, ok, kind)
		require.Equal(t, kind, got)
	}
	require.Equal(t, "an unknown thing", id.Kind("x").Noun())
}

func TestKindOfRefusesWhatIsNoID(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "run", "_", "fraud-train", "x_01", "RUN_01"} {
		_, ok := id.KindOf(text)
		require.False(t, ok, text)
	}
}
