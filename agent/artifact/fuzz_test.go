package artifact_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/artifact"
)

// FuzzLocate holds that no URI leads out of the artifacts' folder: it comes from
// another agent, through the control plane.
func FuzzLocate(f *testing.F) {
	dir := f.TempDir()
	store, err := artifact.Open(dir, me, true)
	require.NoError(f, err)
	for _, uri := range []string{
		"file://" + dir + "/run/t/1/x", "file://" + dir + "/../x", "file:///etc/passwd", "agent://" + me + "/%2E%2E/%2E%2E/1/%2E%2E",
		"agent://" + me + "/run/fold%5B3%5D%2Ftrain/2/model", "agent://other/a/b/1/c", "file:relative", "s3://x",
	} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		path, err := store.Locate(uri)
		if err != nil {
			return
		}
		inside, err := filepath.Rel(dir, path)
		require.NoError(t, err)
		require.True(t, filepath.IsLocal(inside), path)
	})
}
