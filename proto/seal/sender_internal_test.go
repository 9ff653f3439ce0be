package seal

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/proto/id"
)

// TestContentKeyIsChangedBeforeNoncesMayRepeat sets the count instead of sealing
// a million values.
func TestContentKeyIsChangedBeforeNoncesMayRepeat(t *testing.T) {
	t.Parallel()
	key, err := Generate(rand.Reader)
	require.NoError(t, err)
	sender := NewSender(key.Public(), time.Now, rand.Reader)
	binding := Binding{Org: id.New(), Workspace: id.New(), Name: ErrorName}
	first, err := sender.Seal(binding, nil)
	require.NoError(t, err)

	sender.uses = ContentKeyUses - 1
	last, err := sender.Seal(binding, nil)
	require.NoError(t, err)
	require.Equal(t, first[:headerSize], last[:headerSize])

	next, err := sender.Seal(binding, nil)
	require.NoError(t, err)
	require.NotEqual(t, first[:headerSize], next[:headerSize])
	require.Equal(t, 1, sender.uses)
}

func TestUnpadRefusesWhatPadDoesNotMake(t *testing.T) {
	t.Parallel()
	for _, padded := range [][]byte{
		make([]byte, 32), // no mark
		append([]byte{0x80}, make([]byte, 63)...),    // a block too many
		append(make([]byte, 31), 0x01),               // another mark
		append([]byte{1, 0x40}, make([]byte, 30)...), // a bit of the mark
	} {
		_, err := unpad(padded)
		require.ErrorIs(t, err, ErrCorrupt)
	}
	value, err := unpad(append([]byte{7, 0, 0x80}, make([]byte, 29)...))
	require.NoError(t, err)
	require.Equal(t, []byte{7, 0}, value)
}
