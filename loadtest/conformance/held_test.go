package conformance_test

import (
	"time"

	"github.com/stretchr/testify/require"
)

func heldChecks() []check {
	return []check{
		{capability: "C-26", says: "timers and signals outlive the server, once each", alone: true, test: heldOutage},
		{capability: "C-28", says: "four eyes, a quorum of two, an intact audit log", short: true, test: approvals},
		{capability: "C-28", says: "a rejection fails and a time-out skips, as asked", test: rejections},
	}
}

func heldOutage(d *desk) {
	d.agent("one", 1)
	d.apply("held.yaml")
	id := d.start("held")
	d.until(id, "rest", 20*time.Second, "held")
	held := time.Now()
	// Before the task is reached, and twice with one key.
	d.must("run", "signal", id, "go", "--value", "hello", "--key", "k1")
	d.must("run", "signal", id, "go", "--value", "hello", "--key", "k1")
	<-time.After(time.Until(held.Add(5 * time.Second)))
	require.NoError(d.t, d.house.server.Kill())
	<-time.After(25 * time.Second) // the timer is due meanwhile
	require.NoError(d.t, d.house.server.Start(d.t.Context()))
	up := time.Now()
	r := d.ended(id, 30*time.Second)
	require.Equal(d.t, "succeeded", r.Run.State)
	require.Equal(d.t, "hello", d.value(id, "tasks.after.outputs.word"))
	ends := map[string]int{}
	for _, e := range d.history(id) {
		if e.Task == "rest" || e.Task == "late" {
			ends[e.Task]++
			require.Less(d.t, e.At.Sub(up), 5*time.Second)
		}
	}
	require.Equal(d.t, 1, ends["rest"])
	require.Equal(d.t, "1", d.must("run", "history", id, "--json", "--jq", `[.entries[] | select(.kind == "signal_received")] | length`), "one key, one signal")
	require.Equal(d.t, "1", d.must("run", "history", id, "--json", "--jq", `[.entries[] | select(.task == "late" and .next == "succeeded")] | length`))
}

// colleague is somebody else who administrates the same workspace.
func (d *desk) colleague(name string) *desk {
	d.t.Helper()
	email := name + "-of-" + d.account.Organization
	other := d.house.sit(d.t, email)
	invitation := d.must("member", "invite", email+"@example.com", "--in", d.account.Workspace, "--workspace-role", "admin", "-o", "name")
	require.NoError(d.t, d.house.server.Accept(d.t.Context(), other.account, invitation))
	other.account.Organization, other.account.Workspace = d.account.Organization, d.account.Workspace
	return other
}

func approvals(d *desk) {
	d.agent("one", 1)
	d.apply("gate.yaml")
	bob, eve := d.colleague("bob"), d.colleague("eve")
	id := d.start("gate")
	d.until(id, "gate", 20*time.Second, "held")
	failure := d.refused(5, "approve", id, "gate")
	require.Contains(d.t, failure, "another pair of eyes")
	require.Contains(d.t, failure, "FOUR_EYES")
	bob.must("approve", id, "gate", "--comment", "fine")
	require.Equal(d.t, "held", d.task(d.get(id), "gate").State, "one of two")
	require.Contains(d.t, d.why(id), "it waits for approval, 1 of 2 so far")
	eve.must("approve", id, "gate")
	approved := time.Now()
	r := d.ended(id, 20*time.Second)
	require.Equal(d.t, "succeeded", r.Run.State)
	within := 2 * time.Second
	if !*full {
		within = 20 * time.Second // beside all other tests
	}
	require.Less(d.t, d.task(r, "after").Attempts[0].StartedAt.Sub(approved), within)

	id = d.start("gate")
	d.until(id, "gate", 20*time.Second, "held")
	bob.must("approve", id, "gate", "--reject", "--comment", "no")
	r = d.ended(id, 20*time.Second)
	require.Equal(d.t, "failed", r.Run.State)
	require.Contains(d.t, d.task(r, "gate").Reason, "rejected by bob")
	require.Contains(d.t, d.must("audit", "verify"), "intact")
	require.Equal(d.t, "approval.reject\napproval.approve\napproval.approve", d.must("audit", "list", "--json", "--jq",
		`.entries[] | select(.action | startswith("approval.")) | .action`), "every vote is in it, newest first")
}

func rejections(d *desk) {
	d.agent("one", 1)
	d.apply("gate-timeout.yaml")
	r := d.ended(d.start("gate-timeout"), 20*time.Second)
	require.Equal(d.t, "succeeded", r.Run.State)
	require.Equal(d.t, "skipped", d.task(r, "gate").State)
	require.InDelta(d.t, 3, r.Run.FinishedAt.Sub(*r.Run.StartedAt).Seconds(), 1)
	d.apply("gate-timeout.yaml", "timeout: 3s, on_timeout: skip", "on_reject: skip")
	id := d.start("gate-timeout")
	d.until(id, "gate", 20*time.Second, "held")
	d.must("approve", id, "gate", "--reject")
	r = d.ended(id, 20*time.Second)
	require.Equal(d.t, "succeeded", r.Run.State)
	require.Equal(d.t, "skipped", d.task(r, "gate").State)
}
