package process_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/execute"
	"github.com/signalboxhq/signalbox/agent/execute/process"
)

func TestRunLimit(t *testing.T) {
	t.Parallel()
	b := setup(t, `sleep 600`)
	b.spec.Limits.Run = 50 * time.Millisecond
	result := b.run(t)
	require.Equal(t, execute.EndRunLimit, result.End)
	require.True(t, result.TimedOut())
	require.GreaterOrEqual(t, result.Ran(), 50*time.Millisecond)
}

func TestRunLimitStandsEvenIfTheStepThenSucceeds(t *testing.T) {
	t.Parallel()
	b := setupStep(t, "late")
	b.spec.Limits.Run = 500 * time.Millisecond
	result := b.run(t)
	require.Equal(t, execute.EndRunLimit, result.End)
	require.Zero(t, result.ExitCode)
}

func TestProgressLimit(t *testing.T) {
	t.Parallel()
	b := setup(t, `echo something; sleep 600`)
	b.spec.Limits.Progress = 80 * time.Millisecond
	result := b.run(t)
	require.Equal(t, execute.EndStale, result.End)
	require.GreaterOrEqual(t, result.Ran(), 80*time.Millisecond)
}

func TestOutputIsProgress(t *testing.T) {
	t.Parallel()
	b := setup(t, `i=0; while [ $i -lt 12 ]; do echo $i; sleep 0.1; i=$((i+1)); done`)
	b.spec.Limits.Progress = time.Second
	require.Equal(t, execute.EndExited, b.run(t).End)
}

func TestProgressFileIsProgress(t *testing.T) {
	t.Parallel()
	b := setup(t, `i=0; while [ $i -lt 12 ]; do echo $i > progress; sleep 0.1; i=$((i+1)); done`)
	b.spec.Progress = filepath.Join(b.dir, "progress")
	b.spec.Limits.Progress = time.Second
	require.Equal(t, execute.EndExited, b.run(t).End)
}

func TestStartLimit(t *testing.T) {
	t.Parallel()
	b := setup(t, `true`)
	b.spec.Limits.Start = 50 * time.Millisecond
	attempt, err := process.New([]string{"sleep", "600"}).Start(t.Context(), b.spec)
	require.NoError(t, err)
	result := attempt.Wait()
	require.Equal(t, execute.EndStartLimit, result.End)
	require.Zero(t, result.Ran())
}
