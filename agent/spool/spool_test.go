package spool_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/spool"
)

// TestMain lets the test binary be an agent that keeps outcomes until it is
// killed, saying which it has kept.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "keep" {
		s, err := spool.Open(os.Args[2])
		for lease := int64(1); err == nil; lease++ {
			err = s.Put(lease, fmt.Append(nil, "outcome ", lease))
			_, _ = fmt.Fprintln(os.Stdout, lease)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func setup(t *testing.T) (*spool.Spool, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "spool")
	s, err := spool.Open(dir)
	require.NoError(t, err)
	return s, dir
}

func TestPutPendingDone(t *testing.T) {
	t.Parallel()
	s, dir := setup(t)
	pending, err := s.Pending()
	require.NoError(t, err)
	require.Empty(t, pending)

	for _, lease := range []int64{100, 9, 23} {
		require.NoError(t, s.Put(lease, fmt.Append(nil, "outcome ", lease)))
	}
	require.ErrorIs(t, s.Put(9, []byte("another")), os.ErrExist)
	want := []spool.Entry{{9, []byte("outcome 9")}, {23, []byte("outcome 23")}, {100, []byte("outcome 100")}}

	again, err := spool.Open(dir)
	require.NoError(t, err)
	pending, err = again.Pending()
	require.NoError(t, err)
	require.Equal(t, want, pending)

	require.NoError(t, again.Done(23))
	require.NoError(t, again.Done(23))
	pending, err = s.Pending()
	require.NoError(t, err)
	require.Equal(t, []spool.Entry{want[0], want[2]}, pending)
}

func TestHalfAnOutcomeIsNone(t *testing.T) {
	t.Parallel()
	_, dir := setup(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "7.outcome.tmp"), []byte("outc"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "README"), nil, 0o600))
	s, err := spool.Open(dir)
	require.NoError(t, err)
	pending, err := s.Pending()
	require.NoError(t, err)
	require.Empty(t, pending)
	require.NoFileExists(t, filepath.Join(dir, "7.outcome.tmp"))
}

// TestKilled holds that what was kept before a kill -9 is there after it, whole.
func TestKilled(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "spool")
	agent := exec.CommandContext(t.Context(), os.Args[0], "keep", dir)
	stdout, err := agent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, agent.Start())
	said := bufio.NewScanner(stdout)
	for range 20 {
		require.True(t, said.Scan())
	}
	require.NoError(t, agent.Process.Kill())
	kept := 20
	for said.Scan() {
		kept++
	}
	require.Error(t, agent.Wait())

	s, err := spool.Open(dir)
	require.NoError(t, err)
	pending, err := s.Pending()
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(pending), kept)
	for i, entry := range pending {
		require.Equal(t, spool.Entry{Lease: int64(i + 1), Outcome: fmt.Append(nil, "outcome ", i+1)}, entry)
	}
}
