package conformance_test

import (
	"path/filepath"
	"time"

	"github.com/stretchr/testify/require"
)

func turnChecks() []check {
	return []check{
		{capability: "C-30", says: "pause starts nothing more; resume goes on", test: pauses},
		{capability: "C-30", says: "suspend frees the slots; resume runs the step again", test: suspends},
		{capability: "C-30", says: "cancel --force ends at once, without exit handlers", test: forces},
		{capability: "C-30", says: "cancel and force in every state of a run", test: cancels},
		{capability: "C-30", says: "a drained pool gives out nothing until it is resumed", test: drains},
		{capability: "C-30", says: "a paused pipeline's runs wait; what runs goes on", test: pipelinePauses},
		{capability: "C-30", says: "a frozen organization gets nothing new", short: true, test: freezes},
	}
}

func pauses(d *desk) {
	d.agent("one", 1)
	d.apply("count.yaml", "LONG", "3")
	id := d.start("count")
	d.until(id, "first", 20*time.Second, "running")
	d.must("run", "pause", id)
	d.until(id, "first", 20*time.Second, "succeeded")
	// A run that comes later is served before it: had the agent been given anything
	// of the paused one, it would have been that.
	d.apply("behind.yaml")
	require.Equal(d.t, "succeeded", d.ended(d.start("behind"), 20*time.Second).Run.State)
	require.Contains(d.t, []string{"pending", "ready"}, d.task(d.get(id), "second").State)
	require.Equal(d.t, "paused", d.get(id).Run.State)
	d.must("run", "resume", id)
	require.Equal(d.t, "succeeded", d.ended(id, 20*time.Second).Run.State)
}

func suspends(d *desk) {
	d.agent("one", 1)
	file := filepath.Join(d.dir, "pid")
	d.apply("steps.yaml", "FILE", file, "LONG", "6")
	id := d.start("steps")
	d.until(id, "step", 20*time.Second, "running")
	pid := d.pid(file + ".1")
	d.must("run", "suspend", id)
	d.eventually(12*time.Second, "the slot is free within the grace", func() bool {
		return d.must("pool", "get", "default", "--jq", ".pool.leased") == "0"
	})
	require.False(d.t, alive(pid))
	require.Nil(d.t, d.get(id).Run.FinishedAt)
	d.must("run", "resume", id)
	r := d.ended(id, 30*time.Second)
	require.Equal(d.t, "succeeded", r.Run.State)
	step := d.task(r, "step")
	require.Len(d.t, step.Attempts, 2)
	require.Zero(d.t, step.UsedUser, "a suspension is nobody's failure")
}

func forces(d *desk) {
	d.agent("one", 1)
	file := filepath.Join(d.dir, "tidied")
	d.apply("exit.yaml", "FILE", file)
	id := d.start("exit", "-p", "how=wait")
	d.until(id, "work", 20*time.Second, "running")
	d.must("run", "cancel", id, "--force")
	r := d.get(id)
	require.Equal(d.t, "canceled", r.Run.State, "at once")
	require.Equal(d.t, map[string]string{"work": "canceled", "tidy": "canceled", "cheer": "canceled"}, r.states())
	require.NoFileExists(d.t, file)
	d.eventually(15*time.Second, "the slot is free", func() bool { return d.must("pool", "get", "default", "--jq", ".pool.leased") == "0" })
}
