package tree_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/tree"
)

func TestCopyKeepsWhatCounts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	require.NoError(t, os.MkdirAll(filepath.Join(from, "sub/empty"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(from, "run.sh"), []byte("#!"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(from, "sub/data"), []byte("1"), 0o644))
	require.NoError(t, os.Symlink("/no/where", filepath.Join(from, "sub/link")))
	for _, do := range []func(string, string) error{tree.Copy, tree.Link} {
		require.NoError(t, do(to, from))
		info, err := os.Stat(filepath.Join(to, "run.sh"))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700), info.Mode())
		require.DirExists(t, filepath.Join(to, "sub/empty"))
		link, err := os.Readlink(filepath.Join(to, "sub/link"))
		require.NoError(t, err)
		require.Equal(t, "/no/where", link)
		require.NoError(t, tree.Protect(to))
		info, err = os.Stat(filepath.Join(to, "sub/data"))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o400), info.Mode())
		require.NoError(t, tree.Remove(to))
		require.NoDirExists(t, to)
	}
}

func TestCopyRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	require.ErrorContains(t, tree.Copy(filepath.Join(dir, "x"), fifo), "is no file, folder or link")
	require.ErrorIs(t, tree.Copy(filepath.Join(dir, "x"), filepath.Join(dir, "missing")), os.ErrNotExist)
}

func TestQuoteGlob(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), `a[b]*?\`)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "x"), 0o700))
	found, err := filepath.Glob(filepath.Join(tree.QuoteGlob(dir), "*"))
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(dir, "x")}, found)
}
