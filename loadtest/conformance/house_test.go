package conformance_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/loadtest/stack"
)

// house is an installation: a server on a PostgreSQL of its own.
type house struct {
	dir    string
	server *stack.Server
}

// programs are what customers install, built once for all cases.
type programs struct{ signalbox, agent string }

var built = sync.OnceValues(func() (programs, error) {
	dir, err := os.MkdirTemp("", "sb-conformance-")
	if err != nil {
		return programs{}, err
	}
	out := programs{filepath.Join(dir, "signalbox"), filepath.Join(dir, "signalbox-agent")}
	root := filepath.Join("..", "..")
	for _, b := range []struct{ in, pkg, out string }{
		{root, "./cmd/signalbox", out.signalbox},
		{filepath.Join(root, "agent"), "./cmd/signalbox-agent", out.agent},
	} {
		cmd := exec.Command("go", "build", "-o", b.out, b.pkg)
		cmd.Dir, cmd.Stdout, cmd.Stderr = b.in, os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return programs{}, err
		}
	}
	return out, nil
})

// install starts a server that ends with the test.
func install(t *testing.T) *house {
	t.Helper()
	programs, err := built()
	require.NoError(t, err, "build the programs")
	// PostgreSQL's user passes through.
	dir, err := os.MkdirTemp("", "sbc") //nolint:usetesting // the path of a socket must be short
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	database, err := stack.StartPostgres(t.Context(), filepath.Join(dir, "pg"), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = database.Stop() })
	url, err := database.CreateDatabase(t.Context(), "signalbox")
	require.NoError(t, err)
	server, err := stack.StartServer(t.Context(), stack.ServerOptions{
		Program: programs.signalbox, Dir: filepath.Join(dir, "server"), Database: url,
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Stop() })
	return &house{dir: dir, server: server}
}

// healthy asks the server's own doctor at the end of all.
func (h *house) healthy(t *testing.T) {
	t.Helper()
	complaint, err := h.server.Doctor(context.WithoutCancel(t.Context()))
	require.NoError(t, err)
	require.Empty(t, complaint, "what signalbox server doctor says")
}
