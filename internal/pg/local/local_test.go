package local_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pg/local"
)

func start(t *testing.T, o local.Options) *local.Server {
	t.Helper()
	s, err := local.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Stop() })
	return s
}

func exec1(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) }()
	_, err = conn.Exec(t.Context(), sql)
	require.NoError(t, err)
}

// folder is where a developer's data would lie: reachable for everybody, and
// with a path that is far too long for a socket.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "sb-local-test-*") //nolint:usetesting // The one of t is closed to other users.
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return filepath.Join(dir, strings.Repeat("deep/", 30), "pg")
}

func TestThrowAwayServerLeavesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, local.Options{Fast: true})
	exec1(t, s.URL(), `CREATE TABLE x (id int)`)
	require.DirExists(t, s.DataDir())

	require.NoError(t, s.Stop())
	require.NoDirExists(t, filepath.Dir(s.DataDir()))
	require.NoError(t, s.Stop(), "twice is fine")
	<-s.Exited()
}

func TestDataIsKeptAndUsedByOneAtATime(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, local.Options{Dir: dir, Fast: true})
	exec1(t, s.URL(), `CREATE TABLE kept (id int)`)

	_, err := local.Start(t.Context(), local.Options{Dir: dir})
	inUse, ok := errors.AsType[*local.InUseError](err)
	require.True(t, ok, "%v", err)
	require.ErrorContains(t, inUse, "already runs PostgreSQL on")
	exec1(t, s.URL(), `INSERT INTO kept VALUES (1)`)

	require.NoError(t, s.Stop())
	exec1(t, start(t, local.Options{Dir: dir, Fast: true}).URL(), `INSERT INTO kept VALUES (2)`)
}

// TestKilledLauncherIsSurvived kills the process that started the server with
// -9, then starts on the same folder at once.
func TestKilledLauncherIsSurvived(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	launcher := exec.Command(os.Args[0], "-test.run", "^TestLauncherProcess$")
	launcher.Env = append(os.Environ(), "LOCAL_TEST_DIR="+dir)
	out, err := launcher.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, launcher.Start())
	url, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	exec1(t, strings.TrimSpace(url), `CREATE TABLE kept (id int)`)

	require.NoError(t, launcher.Process.Kill())
	require.Error(t, launcher.Wait())
	exec1(t, start(t, local.Options{Dir: dir}).URL(), `INSERT INTO kept VALUES (1)`)
}

// TestLauncherProcess is the other process of TestKilledLauncherIsSurvived.
func TestLauncherProcess(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("LOCAL_TEST_DIR")
	if dir == "" {
		return
	}
	s, err := local.Start(t.Context(), local.Options{Dir: dir})
	require.NoError(t, err)
	_, err = os.Stdout.WriteString(s.URL() + "\n")
	require.NoError(t, err)
	<-s.Exited() // Killed long before.
}

// TestNumberOfDeadServerIsReused has the pid file of a server that died name a
// living process, as after a restart of the machine.
func TestNumberOfDeadServerIsReused(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, local.Options{Dir: dir, Fast: true})
	pidFile := filepath.Join(s.DataDir(), "postmaster.pid")
	text, err := os.ReadFile(pidFile)
	require.NoError(t, err)
	require.NoError(t, s.Stop())

	other := exec.Command("sleep", "60")
	require.NoError(t, other.Start())
	defer func() { _, _ = other.Process.Kill(), other.Wait() }()
	_, rest, _ := strings.Cut(string(text), "\n")
	require.NoError(t, os.WriteFile(pidFile, []byte(strconv.Itoa(other.Process.Pid)+"\n"+rest), 0o644))
	exec1(t, start(t, local.Options{Dir: dir, Fast: true}).URL(), `SELECT 1`)
}

// TestUnreachableFolderIsReplaced is a checkout under /root.
func TestUnreachableFolderIsReplaced(t *testing.T) {
	t.Parallel()
	closed := t.TempDir()
	require.NoError(t, os.Chmod(closed, 0o700))
	s := start(t, local.Options{Dir: filepath.Join(closed, "pg"), Fast: true})
	t.Cleanup(func() {
		require.NoError(t, s.Stop())
		require.NoError(t, os.RemoveAll(filepath.Dir(s.DataDir())))
	})
	require.Equal(t, os.Geteuid() == 0, s.Relocated())
	require.Equal(t, s.Relocated(), strings.HasPrefix(s.DataDir(), "/var/tmp/signalbox-"))
	exec1(t, s.URL(), `SELECT 1`)
}

func TestSharedServerIsShared(t *testing.T) {
	t.Parallel()
	a, err := local.Shared(t.Context())
	require.NoError(t, err)
	b, err := local.Shared(t.Context())
	require.NoError(t, err)
	require.Equal(t, a.URL(), b.URL())
	require.NoError(t, a.Release(t.Context()))
	exec1(t, b.URL(), `SELECT 1`)
	require.NoError(t, b.Release(t.Context()))
}
