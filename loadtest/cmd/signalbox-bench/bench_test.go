package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/loadtest/report"
)

// TestMain lets this binary be a fleet of agents, as the real one is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "agents" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestWholeBenchmark runs a moment of chains on a real server.
func TestWholeBenchmark(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := filepath.Join(dir, "signalbox")
	build := exec.Command("go", "build", "-o", program, "./cmd/signalbox")
	build.Dir = filepath.Join("..", "..", "..")
	text, err := build.CombinedOutput()
	require.NoError(t, err, "%s", text)

	file := filepath.Join(dir, "tiny.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`
title: Tiny
workload: chain
tenants: 2
agents: {count: 3, slots: 2}
length: 4
at_once: [2]
duration: 300ms
`), 0o600))
	var out, logs bytes.Buffer
	// Not t's folder: PostgreSQL's user could not reach it.
	err = command(t.Context(), []string{
		"run", "-signalbox", program, "-dir", "/tmp", "-out", dir, "-yardstick", "50ms", file,
	}, nil, &out, &logs)
	require.NoError(t, err, "%s", logs.String())
	require.Contains(t, out.String(), "| Tiny, 2 at once | attempts |")

	files, err := filepath.Glob(filepath.Join(dir, "tiny-*.json"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	r, err := report.Read(files[0])
	require.NoError(t, err)
	p := r.Points[0]
	require.Positive(t, p.Runs)
	require.Equal(t, p.Runs*4, p.Steps)
	require.Equal(t, p.Runs*3, p.Latencies["hop"].Count)
	require.Zero(t, p.Agents.Stale)
	require.Positive(t, p.Usage.WALBytes)
	require.Positive(t, r.Yardstick.Lifecycle)

	require.NoError(t, command(t.Context(), []string{"report", files[0]}, nil, &out, &logs))
	require.ErrorContains(t, command(t.Context(), []string{"run", "-signalbox", program, "nothing.yaml"}, nil, &out, &logs), "nothing.yaml")
	require.ErrorContains(t, command(t.Context(), []string{"dance"}, nil, &out, &logs), "is no command")
}
