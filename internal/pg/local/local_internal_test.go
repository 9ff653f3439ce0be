package local

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestUnusedSharedServerEndsAndIsRemoved(t *testing.T) {
	t.Parallel()
	acc, err := findAccount()
	require.NoError(t, err)
	p := sharedPlace(fmt.Sprintf("/tmp/sb-test-%d-ending-%d", os.Geteuid(), time.Now().UnixNano()))
	require.NoError(t, startShared(t.Context(), acc, p, time.Second))
	lease, err := join(t.Context(), p)
	require.NoError(t, err)
	var up bool
	require.NoError(t, lease.conn.QueryRow(t.Context(), `SELECT pg_sleep(3) IS NOT NULL`).Scan(&up), "it does not end while it is used")
	require.NoError(t, lease.Release(t.Context()))
	for deadline := time.Now().Add(20 * time.Second); ; {
		if _, err := os.Stat(p.root); os.IsNotExist(err) {
			return
		}
		require.True(t, time.Now().Before(deadline), "%s is still there", p.root)
		require.True(t, pause(t.Context(), 50*time.Millisecond))
	}
}

func TestBinariesAreChosen(t *testing.T) {
	t.Parallel()
	b14, b15, b17 := binaries{"/14", 14}, binaries{"/15", 15}, binaries{"/17", 17}
	for _, c := range []struct {
		found []binaries
		major int
		want  binaries
		text  string
	}{
		{nil, 0, binaries{}, "apt-get install postgresql"},
		{[]binaries{b14}, 0, binaries{}, "no PostgreSQL 15 or newer"},
		{[]binaries{b14, b17, b15}, 0, b17, ""},
		{[]binaries{b17, b15}, 15, b15, ""},
		{[]binaries{b17}, 15, binaries{}, "the data was made by PostgreSQL 15, but /17 holds version 17"},
	} {
		got, err := choose(c.found, c.major)
		require.Equal(t, c.want, got)
		if c.text != "" {
			require.ErrorContains(t, err, c.text)
		}
	}
}

func TestFolderOfAnotherUserIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, owned(dir, os.Geteuid()))
	require.ErrorContains(t, owned(dir, 4242), "belongs to another user")
	link := dir + "/link"
	require.NoError(t, os.Symlink(dir, link))
	require.ErrorContains(t, owned(link, os.Geteuid()), "is not a folder")
}
