package conformance_test

import (
	"path/filepath"
	"time"

	"github.com/stretchr/testify/require"
)

// cancels goes through the states of a run: what a cancel means in each, and what
// with force.
func cancels(d *desk) {
	d.agent("one", 2)
	file := filepath.Join(d.dir, "tidied")
	d.apply("stop.yaml", "DIR", d.dir)
	start := func(args ...string) string {
		id := d.start("stop", args...)
		d.until(id, "work", 20*time.Second, "running")
		return id
	}
	ends := func(id, state string, tasks map[string]string) {
		r := d.ended(id, 30*time.Second)
		require.Equal(d.t, state, r.Run.State)
		require.Equal(d.t, tasks, r.states())
	}

	// Running, by way of canceling: exit handlers run. A second time changes nothing.
	id := start()
	d.must("run", "cancel", id)
	ends(id, "canceled", map[string]string{"work": "canceled", "tidy": "succeeded"})
	d.must("run", "cancel", id)
	require.FileExists(d.t, file)

	// Paused: the same.
	id = start()
	d.must("run", "pause", id)
	d.must("run", "cancel", id)
	ends(id, "canceled", map[string]string{"work": "canceled", "tidy": "succeeded"})

	// Paused until all is done: it ends when it is resumed.
	id = start("-p", "work=quick")
	d.must("run", "pause", id)
	d.touch("quick")
	d.until(id, "work", 20*time.Second, "succeeded")
	require.Equal(d.t, "paused", d.get(id).Run.State)
	require.Equal(d.t, "pending", d.task(d.get(id), "tidy").State)
	d.must("run", "resume", id)
	ends(id, "succeeded", map[string]string{"work": "succeeded", "tidy": "succeeded"})

	// Finalizing: a cancel is too late; force ends the handlers, and the outcome stays.
	id = d.start("stop", "-p", "work=quick", "-p", "tidy=slow")
	d.until(id, "tidy", 20*time.Second, "running")
	require.Contains(d.t, d.refused(6, "run", "cancel", id), "RUN_FINALIZING")
	require.Equal(d.t, "finalizing", d.get(id).Run.State)
	d.must("run", "cancel", id, "--force")
	require.Equal(d.t, "succeeded", d.get(id).Run.State, "at once")
	require.Equal(d.t, "canceled", d.task(d.get(id), "tidy").State)
	require.Contains(d.t, d.refused(6, "run", "cancel", id), "RUN_TERMINAL")

	// Pending: it never ran, and nor do its handlers.
	d.must("pipeline", "pause", "stop")
	id = d.start("stop")
	require.Equal(d.t, "pending", d.get(id).Run.State)
	d.must("run", "cancel", id)
	r := d.get(id)
	require.Equal(d.t, "canceled", r.Run.State)
	require.Zero(d.t, d.executed(id, ""))
}

func drains(d *desk) {
	d.agent("one", 2)
	d.apply("count.yaml", "LONG", "3")
	id := d.start("count")
	d.until(id, "first", 20*time.Second, "running")
	d.must("pool", "drain", "default", "--note", "new disks") // it waits
	require.Equal(d.t, "0", d.leased())
	require.Equal(d.t, "succeeded", d.task(d.get(id), "first").State, "what ran ended by itself")
	require.Regexp(d.t, `^pool default is paused.*new disks`, d.why(id))
	require.Equal(d.t, "running", d.get(id).Run.State)
	d.must("pool", "resume", "default")
	require.Equal(d.t, "succeeded", d.ended(id, 20*time.Second).Run.State)
}

func pipelinePauses(d *desk) {
	d.agent("one", 2)
	d.apply("count.yaml", "LONG", "3")
	first := d.start("count")
	d.until(first, "first", 20*time.Second, "running")
	d.must("pipeline", "pause", "count")
	second := d.start("count")
	require.Equal(d.t, "succeeded", d.ended(first, 20*time.Second).Run.State)
	require.Equal(d.t, "pending pipeline_paused", d.must("run", "get", second, "--json", "--jq", `.run | .state + " " + .waiting.reason`))
	d.must("pipeline", "resume", "count")
	require.Equal(d.t, "succeeded", d.ended(second, 20*time.Second).Run.State)
}

func freezes(d *desk) {
	d.agent("one", 2)
	d.apply("count.yaml", "LONG", "3")
	id := d.start("count")
	d.until(id, "first", 20*time.Second, "running")
	d.must("org", "freeze", "--note", "a leak")
	d.until(id, "first", 20*time.Second, "succeeded")
	require.Contains(d.t, d.why(id), "a leak")
	require.Empty(d.t, d.task(d.get(id), "second").Attempts)
	d.must("org", "unfreeze")
	require.Equal(d.t, "succeeded", d.ended(id, 20*time.Second).Run.State)
}
