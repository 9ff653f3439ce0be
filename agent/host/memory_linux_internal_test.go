package host

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMeminfo(t *testing.T) {
	t.Parallel()
	require.EqualValues(t, 24576000<<10, parseMeminfo([]byte("Foo: 1 kB\nMemTotal:       24576000 kB\nMemFree: 2 kB\n")))
	require.Zero(t, parseMeminfo([]byte("MemTotal: lots\n")))
	require.Zero(t, parseMeminfo(nil))
	require.Positive(t, MemoryBytes())
}
