package process_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/execute"
)

func TestStopIsTermFirst(t *testing.T) {
	t.Parallel()
	b := setupStep(t, "orderly")
	attempt := b.start(t)
	b.stdout.until(t, "ready")
	attempt.Stop(long)
	b.stdout.until(t, "heard")
	result := attempt.Wait()
	require.Equal(t, execute.EndStopped, result.End)
	require.Equal(t, 5, result.ExitCode)
}

func TestStopKillsAfterTheGrace(t *testing.T) {
	t.Parallel()
	b := setupStep(t, "stubborn")
	attempt := b.start(t)
	b.stdout.until(t, "ready")
	attempt.Stop(long)
	b.stdout.until(t, "heard")
	attempt.Stop(50 * time.Millisecond)
	attempt.Stop(long) // must not lengthen it again
	b.stdout.rest()
	result := attempt.Wait()
	require.Equal(t, execute.EndStopped, result.End)
	require.Equal(t, "killed", result.Signal)
	attempt.Stop(0) // after the end: no effect, no block
}

func TestContextKills(t *testing.T) {
	t.Parallel()
	b := setup(t, `trap '' TERM; echo ready; sleep 600`)
	ctx, cancel := context.WithCancel(t.Context())
	attempt, err := newExecutor().Start(ctx, b.spec)
	require.NoError(t, err)
	b.stdout.until(t, "ready")
	cancel()
	require.Equal(t, execute.EndStopped, attempt.Wait().End)
}

func TestStopBeforeItStarted(t *testing.T) {
	t.Parallel()
	for range 20 {
		b := setup(t, `sleep 600`)
		attempt := b.start(t)
		attempt.Stop(0)
		require.Equal(t, execute.EndStopped, attempt.Wait().End)
	}
}
