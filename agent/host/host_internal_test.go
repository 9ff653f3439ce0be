package host

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDetected(t *testing.T) {
	t.Parallel()
	require.GreaterOrEqual(t, CPUMillis(), int64(1000))
	require.GreaterOrEqual(t, MemoryBytes(), int64(0))
}
