package aside_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/aside"
)

func TestWhatIsDoneAsideIsDone(t *testing.T) {
	t.Parallel()
	done := false
	aside.Do(func() { done = true })
	require.True(t, done)
}

func TestAPanicAsideIsTheCallers(t *testing.T) {
	t.Parallel()
	require.PanicsWithValue(t, "down there", func() { aside.Do(func() { panic("down there") }) })
}
