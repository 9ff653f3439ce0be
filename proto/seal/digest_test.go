package seal_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/proto/seal"
)

func digest(t require.TestingT, key *seal.WorkspaceKey, purpose string, parts ...string) seal.Digest {
	raw := make([][]byte, 0, len(parts))
	for _, part := range parts {
		raw = append(raw, []byte(part))
	}
	d, err := key.Digest(purpose, raw...)
	require.NoError(t, err)
	return d
}

func TestDigestsOfEqualPartsAreEqual(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	imported, err := seal.Import(key.Export())
	require.NoError(t, err)
	one := digest(t, key, "cache", "image", "args")
	require.Equal(t, one, digest(t, imported, "cache", "image", "args"))
	require.Equal(t, key.KID(), one.KID())
	require.Regexp(t, "^"+key.KID().String()+"[0-9a-f]{64}$", one.String())
}

func TestDigestsOfTwoKeysNeverCompareEqual(t *testing.T) {
	t.Parallel()
	require.NotEqual(t, digest(t, newKey(t), "cache", "x"), digest(t, newKey(t), "cache", "x"))
}

func TestDigestsDependOnPurposeAndParts(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	word := rapid.StringN(0, 3, -1)
	words := rapid.SliceOfN(word, 0, 3)
	rapid.Check(t, func(t *rapid.T) {
		purpose, parts := word.Draw(t, "purpose"), words.Draw(t, "parts")
		otherPurpose, otherParts := word.Draw(t, "other purpose"), words.Draw(t, "other parts")
		same := purpose == otherPurpose && len(parts) == len(otherParts)
		for i := 0; same && i < len(parts); i++ {
			same = parts[i] == otherParts[i]
		}
		equal := digest(t, key, purpose, parts...) == digest(t, key, otherPurpose, otherParts...)
		require.Equal(t, same, equal)
	})
}
