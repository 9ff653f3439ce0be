package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestGPUsOfNvidiaSmi is one agent of a machine whose driver works, and one of a
// machine whose driver is broken.
func TestGPUsOfNvidiaSmi(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script string
		gpus   uint32
		kind   string
		log    string
	}{
		"works":  {"echo '0, GPU-a, Tesla T4, 15360, 535.1, [N/A]'", 1, "t4", ""},
		"broken": {"echo 'NVIDIA-SMI has failed'; exit 9", 0, "", "NVIDIA-SMI has failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "nvidia-smi"), []byte("#!/bin/sh\n"+c.script+"\n"), 0o700))
			b.env = []string{"PATH=" + dir + ":" + os.Getenv("PATH")}
			a := b.start(t)
			capacity := b.plane.Opened(1)[0].GetCapacity()
			require.Equal(t, c.gpus, capacity.GetGpus())
			require.Equal(t, c.kind, capacity.GetGpuType())
			a.signal(t, syscall.SIGTERM)
			require.NoError(t, a.wait())
			require.Contains(t, a.stderr.String(), c.log)
		})
	}
}
