package pin_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/pin"
)

func TestTheFirstKeyIsRememberedAndAnotherRefused(t *testing.T) {
	t.Parallel()
	dir, now := t.TempDir(), time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	main := pin.Workspace{Server: "https://a.test", Name: "acme/main", ID: "ws_1"}
	first, err := pin.Check(dir, main, "aaaa", now)
	require.NoError(t, err)
	require.True(t, first)
	first, err = pin.Check(dir, main, "aaaa", now)
	require.NoError(t, err)
	require.False(t, first)

	for name, w := range map[string]pin.Workspace{
		"the same":                      main,
		"the name under another id":     {Server: "https://A.test/", Name: "acme/main", ID: "ws_2"},
		"the workspace by another name": {Server: "https://a.test", Name: "acme/renamed", ID: "ws_1"},
	} {
		_, err = pin.Check(dir, w, "bbbb", now)
		changed, ok := err.(*pin.ChangedError) //nolint:errorlint // what Check says it returns
		require.True(t, ok, name)
		require.Equal(t, "aaaa", changed.Known)
		require.Equal(t, "bbbb", changed.Offered)
	}
	for _, w := range []pin.Workspace{
		{Server: "https://b.test", Name: "acme/main", ID: "ws_1"},
		{Server: "https://a.test", Name: "acme/dev", ID: "ws_3"},
	} {
		first, err = pin.Check(dir, w, "bbbb", now)
		require.NoError(t, err)
		require.True(t, first, "another workspace has another key")
	}

	require.NoError(t, pin.Trust(dir, main, "bbbb", now))
	known, err := pin.Known(dir, main)
	require.NoError(t, err)
	require.Equal(t, "bbbb", known)
	_, err = pin.Check(dir, main, "aaaa", now)
	require.Error(t, err)
	known, err = pin.Known(dir, pin.Workspace{Server: "https://c.test"})
	require.NoError(t, err)
	require.Empty(t, known)
}

func TestAFileThatCannotBeReadTrustsNobody(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, pin.File), []byte("[[key"), 0o600))
	w := pin.Workspace{Server: "https://a.test", Name: "a/b", ID: "ws_1"}
	_, err := pin.Check(dir, w, "aaaa", time.Time{})
	require.Error(t, err)
	require.Error(t, pin.Trust(dir, w, "aaaa", time.Time{}))
	_, err = pin.Known(dir, w)
	require.Error(t, err)
}
