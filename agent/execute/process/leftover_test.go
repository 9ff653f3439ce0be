package process_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/execute"
	"github.com/signalboxhq/signalbox/agent/execute/process"
)

// TestNothingIsLeft is the promise of Wait: daemons, other sessions, ignored
// signals, orphans of orphans.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"background child": `sleep 600 &`,
		"own session":      `setsid sleep 600 &`,
		"daemon":           `( setsid sh -c 'trap "" TERM HUP; sleep 600' & ) ; ( ( ( sleep 600 & ) & ) & )`,
		"failed":           `setsid sleep 600 & exit 3`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, "")
			held := fifo(t, b.dir)
			b.spec.Script = `exec 9>held; ` + script
			reader := make(chan error, 1)
			go func() {
				_, err := os.ReadFile(held)
				reader <- err
			}()
			result := b.run(t)
			require.Equal(t, execute.EndExited, result.End)
			require.NoError(t, <-reader)
		})
	}
}

func TestLeftOversMayCleanUpWithinTheGrace(t *testing.T) {
	t.Parallel()
	for name, prefix := range map[string]string{"same group": "", "own session": "setsid "} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, fmt.Sprintf(`%s%s step late & wait`, prefix, os.Args[0]))
			attempt := b.start(t)
			b.stdout.until(t, "ready")
			b.stdout.rest()
			attempt.Stop(long)
			require.Equal(t, execute.EndStopped, attempt.Wait().End)
			require.FileExists(t, filepath.Join(b.dir, "cleaned"))
		})
	}
}

// TestKilledGuard holds that even without its guard the step dies.
func TestKilledGuard(t *testing.T) {
	t.Parallel()
	b := setup(t, `exec 9>held; sleep 601 & echo $PPID.; wait`)
	held := fifo(t, b.dir)
	reader := make(chan error, 1)
	go func() {
		_, err := os.ReadFile(held)
		reader <- err
	}()
	attempt := b.start(t)
	b.stdout.until(t, ".")
	pid, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(string(b.stdout.read)), "."))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	require.Equal(t, execute.EndBroken, attempt.Wait().End)
	require.NoError(t, <-reader)
}

// TestKilledAgent holds that no step outlives its agent, daemons included.
func TestKilledAgent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	held := fifo(t, dir)
	script := `exec 9>held; trap '' TERM; ( setsid sh -c 'trap "" TERM; sleep 602' & ); echo up >&9; sleep 603`
	agent := exec.CommandContext(t.Context(), process.Self()[0], "agent", dir, script)
	agent.Env = os.Environ()
	require.NoError(t, agent.Start())
	file, err := os.Open(held)
	require.NoError(t, err)
	defer file.Close() //nolint:errcheck // only read from
	up := make([]byte, 3)
	_, err = io.ReadFull(file, up)
	require.NoError(t, err)

	require.NoError(t, agent.Process.Kill())
	require.Error(t, agent.Wait())
	rest, err := io.ReadAll(file)
	require.NoError(t, err)
	require.Empty(t, rest)
}

// TestGuardIgnoresTermination is systemd's KillMode=control-group: the
// guard must live on, or the step's end would be lost.
func TestGuardIgnoresTermination(t *testing.T) {
	t.Parallel()
	b := setup(t, `kill -TERM $PPID; kill -HUP $PPID; kill -INT $PPID; exit 4`)
	result := b.run(t)
	require.Equal(t, execute.EndExited, result.End)
	require.Equal(t, 4, result.ExitCode)
}
