package relay

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
)

func FuzzStreamID(f *testing.F) {
	f.Add(streamID(id.New(), id.New()))
	f.Add(id.Format(id.Stream, id.New()))
	f.Add(".")
	f.Fuzz(func(t *testing.T, text string) {
		home, sid, err := parseStreamID(text)
		if err != nil {
			return
		}
		again, same, err := parseStreamID(streamID(home, sid))
		require.NoError(t, err)
		require.Equal(t, home, again)
		require.Equal(t, sid, same)
	})
}

// FuzzReceive gives the internal listener's handler bodies that no replica
// makes.
func FuzzReceive(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, 32))
	f.Add(append(make([]byte, 32), 0x0a, 0x02, 'x', '.'))
	r := &Relay{hub: newHub(Limits{}.withDefaults(), func(id.UUID, int) error { return nil })}
	f.Fuzz(func(t *testing.T, body []byte) {
		err := r.receive(t.Context(), body)
		require.Error(t, err)
		if _, ok := fault.As(err); ok {
			require.True(t, errors.Is(err, errStreamClosed), "%v", err)
		}
	})
}
