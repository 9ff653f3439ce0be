package conformance_test

import (
	"path/filepath"
	"time"

	"github.com/stretchr/testify/require"
)

func clockChecks() []check {
	return []check{
		{capability: "C-18", says: "run and queue time out, with a reason", short: true, test: clocks},
		{capability: "C-18", says: "the deadline ends retries", test: deadline},
		{capability: "C-18", says: "auto(1.5x) after five runs", needs: "auto.yaml", test: autoTimeout},
	}
}

func clocks(d *desk) {
	d.agent("one", 2)
	d.must("pool", "create", "gpu")
	file := filepath.Join(d.dir, "pid")
	d.apply("clocks.yaml", "FILE", file)
	r := d.ended(d.start("clocks"), 30*time.Second)
	require.Equal(d.t, "failed", r.Run.State)
	long := d.task(r, "long")
	require.Len(d.t, long.Attempts, 1)
	require.Equal(d.t, "timed_out", long.Attempts[0].State)
	require.Equal(d.t, "timeout", long.Attempts[0].Cause)
	require.InDelta(d.t, 3, long.Attempts[0].running().Seconds(), 1)
	require.False(d.t, alive(d.pid(file)), "the process is gone")
	nobody := d.task(r, "nobody")
	require.Equal(d.t, "failed", nobody.State)
	require.Equal(d.t, "queue_timeout: no agent in pool gpu offers gpu>=1", nobody.Reason)
}

func deadline(d *desk) {
	d.agent("one", 2)
	d.apply("deadline.yaml")
	r := d.ended(d.start("deadline"), 30*time.Second)
	require.Equal(d.t, "failed", r.Run.State)
	require.InDelta(d.t, 3, r.Run.FinishedAt.Sub(*r.Run.StartedAt).Seconds(), 1)
	require.LessOrEqual(d.t, len(d.task(r, "again").Attempts), 3)
}

func autoTimeout(d *desk) {
	d.agent("one", 5)
	d.apply("auto.yaml")
	var runs []string
	for range 5 {
		runs = append(runs, d.start("auto"))
	}
	for _, id := range runs {
		require.Equal(d.t, "succeeded", d.ended(id, 60*time.Second).Run.State)
	}
	r := d.ended(d.start("auto", "-p", "seconds=30"), 30*time.Second)
	last := d.task(r, "step").Attempts[0]
	require.Equal(d.t, "timed_out", last.State)
	require.InDelta(d.t, 4, last.running().Seconds(), 1)
}
