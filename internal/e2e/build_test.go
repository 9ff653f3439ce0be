package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// binaries are the programs under test, built once for all tests.
type binaries struct{ signalbox, agent string }

var build = sync.OnceValues(func() (binaries, error) {
	dir, err := os.MkdirTemp("", "signalbox-e2e-")
	if err != nil {
		return binaries{}, err
	}
	out := binaries{filepath.Join(dir, "signalbox"), filepath.Join(dir, "signalbox-agent")}
	for _, b := range []struct{ in, pkg, out string }{
		{root(), "./cmd/signalbox", out.signalbox},
		{filepath.Join(root(), "agent"), "./cmd/signalbox-agent", out.agent},
	} {
		cmd := exec.Command("go", "build", "-o", b.out, b.pkg)
		cmd.Dir, cmd.Stdout, cmd.Stderr = b.in, os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return binaries{}, err
		}
	}
	return out, nil
})

// TestMain removes the programs after the last test.
func TestMain(m *testing.M) {
	code := m.Run()
	if b, err := build(); err == nil {
		_ = os.RemoveAll(filepath.Dir(b.signalbox))
	}
	os.Exit(code)
}

func programs(t *testing.T) binaries {
	t.Helper()
	b, err := build()
	require.NoError(t, err, "build the programs")
	return b
}

// root is the repository.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}
