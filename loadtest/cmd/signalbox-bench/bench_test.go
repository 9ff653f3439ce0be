package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
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
	code := m.Run()
	if path, err := program(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// program is the server, built once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "signalbox-bench-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "signalbox")
	build := exec.Command("go", "build", "-o", path, "./cmd/signalbox")
	build.Dir = filepath.Join("..", "..", "..")
	if text, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, text)
	}
	return path, nil
})

// bench runs a scenario and returns what it printed and its result.
func bench(t *testing.T, name, text string) (string, report.Result) {
	t.Helper()
	server, err := program()
	require.NoError(t, err)
	dir := t.TempDir()
	file := filepath.Join(dir, name+".yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	var out, logs bytes.Buffer
	// Not t's folder: PostgreSQL's user could not reach it.
	err = command(t.Context(), []string{
		"run", "-signalbox", server, "-dir", "/tmp", "-out", dir, "-yardstick", "50ms", file,
	}, nil, &out, &logs)
	require.NoError(t, err, "%s", logs.String())
	files, err := filepath.Glob(filepath.Join(dir, name+"-*.json"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	require.NoError(t, command(t.Context(), []string{"report", "-curves", dir, files[0]}, nil, &out, &logs))
	r, err := report.Read(files[0])
	require.NoError(t, err)
	return out.String(), r
}

func TestWholeBenchmark(t *testing.T) {
	t.Parallel()
	out, r := bench(t, "tiny", `
title: Tiny
workload: chain
tenants: 2
agents: {count: 3, slots: 2}
length: 4
at_once: [2]
duration: 300ms
`)
	require.Contains(t, out, "| Tiny, 2 at once | attempts |")
	p := r.Points[0]
	require.Positive(t, p.Runs)
	require.Equal(t, p.Runs*4, p.Steps)
	require.Equal(t, p.Runs*3, p.Latencies["hop"].Count)
	require.Zero(t, p.Agents.Stale)
	require.Positive(t, p.Agents.HandedOver)
	require.Positive(t, p.Usage.WALBytes)
	require.Positive(t, r.Yardstick.Lifecycle)
}

// TestBooksAreRightAfterKills is also the test of a filled database.
func TestBooksAreRightAfterKills(t *testing.T) {
	t.Parallel()
	_, r := bench(t, "killed", `
title: Killed
workload: faults
agents: {count: 2, slots: 8}
steps: 1000
width: 50
at_once: [2]
kill: [server, database]
every: 300ms
shape: {finished: 1500, queued: 0, tenants: 3, idle_agents: 2}
`)
	v := r.Points[0].Verdict
	require.Zero(t, v.Open+v.Failed+v.Doubled)
	// A submit whose answer was lost is made again, with its key: no more runs.
	require.Equal(t, v.Submitted, v.Runs)
	require.Equal(t, int64(20+3), v.Runs)
	// The copies of the shape have journals, but no usage: nobody did them.
	require.Equal(t, v.Billed, v.Attempts-1000)
}

// TestOtherWorkloads has the rest of what is done to the server done once.
func TestOtherWorkloads(t *testing.T) {
	t.Parallel()
	_, r := bench(t, "tax", `
title: Tax
workload: bulk
agents: {count: 2, slots: 8}
steps: 100
width: 50
at_once: [1]
under: [no row-level security, no metering, sealed values, no values, undisturbed]
`)
	require.Len(t, r.Points, 5)
	_, r = bench(t, "restart", `
title: Restart
workload: restart
agents: {count: 1, slots: 2, step: 10ms}
steps: 4000
width: 500
at_once: [2]
`)
	require.Equal(t, int64(3), r.Points[0].Latencies["first lease"].Count)
	_, r = bench(t, "share", `
title: Share
workload: share
agents: {count: 1, slots: 1, step: 1ms}
steps: 50
width: 5
`)
	// How many leases lie between them depends on how long each step took.
	require.Len(t, r.Points[0].Positions, 5)
}

// TestCountsKeepTheirBars checks the bars that depend on no machine's mood.
func TestCountsKeepTheirBars(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		rows float64
	}{
		"w1": {"title: W1\nworkload: bulk\ntenants: 2\nagents: {count: 8, slots: 32}\nsteps: 20000\nwidth: 500\nat_once: [4]\ncount_rows: [4]", 5.5},
		"w4": {"title: W4\nworkload: chain\nagents: {count: 8, slots: 16}\nlength: 10\nat_once: [64]\nwarmup: 500ms\nduration: 3s\ncount_rows: [64]", 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, r := bench(t, name, c.text)
			p := r.Points[0]
			require.Positive(t, p.Steps)
			require.Positive(t, p.Usage.RowsWritten)
			require.LessOrEqual(t, float64(p.Usage.RowsWritten)/float64(p.Told()), c.rows, "rows per attempt: %v", p.Usage.Rows)
			require.LessOrEqual(t, float64(p.Usage.Writes)/float64(p.Steps), 0.05, "writing commits per attempt")
			for _, table := range []string{"journal", "usage"} {
				require.Zero(t, p.Usage.Scans[table], "sequential scans of %s", table)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	var out, logs bytes.Buffer
	for want, args := range map[string][]string{
		"nothing.yaml":         {"run", "-signalbox", os.Args[0], "nothing.yaml"},
		"is no command":        {"dance"},
		"a command is missing": {},
		"no scenario is named": {"run"},
		"no result is named":   {"report"},
	} {
		require.ErrorContains(t, command(t.Context(), args, nil, &out, &logs), want)
	}
}
