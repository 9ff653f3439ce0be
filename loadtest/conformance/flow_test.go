package conformance_test

import (
	"path/filepath"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"
)

func flowChecks() []check {
	return []check{
		{capability: "C-07", says: "one branch runs, the other says why not", short: true, test: branches},
		{capability: "C-13", says: "a green leaf makes no failed run green", test: failureModes},
		{capability: "C-17", says: "a tolerated failure counts as success", short: true, test: tolerated},
		{capability: "C-61", says: "a loop runs until its condition holds", short: true, test: loops},
		{capability: "C-61", says: "resume goes on at the last whole pass", needs: "run resume --from", test: loopResumes},
	}
}

func branches(d *desk) {
	d.agent("one", 2)
	d.apply("conditions.yaml")
	r := d.ended(d.start("conditions"), 30*time.Second)
	require.Equal(d.t, "succeeded", r.Run.State)
	require.Equal(d.t, map[string]string{"evaluate": "succeeded", "register": "succeeded", "notify": "skipped"}, r.states())
	r = d.ended(d.start("conditions", "-p", "f1=0.5"), 30*time.Second)
	require.Equal(d.t, "succeeded", r.Run.State)
	require.Equal(d.t, map[string]string{"evaluate": "succeeded", "register": "skipped", "notify": "succeeded"}, r.states())
	require.Equal(d.t, "condition_false: evaluate.f1 (0.5) >= 0.85", d.must("task", "get", r.Run.ID, "register", "--json", "--jq", ".reason"))
}

func failureModes(d *desk) {
	d.agent("one", 4)
	want := map[string]map[string]string{
		"continue":        {"bad": "failed", "cleanup": "succeeded", "long": "succeeded", "later": "succeeded"},
		"stop_scheduling": {"bad": "failed", "cleanup": "canceled", "long": "succeeded", "later": "canceled"},
		"cancel_running":  {"bad": "failed", "cleanup": "canceled", "long": "canceled", "later": "canceled"},
	}
	runs := map[string]string{}
	for mode := range want {
		d.apply("green.yaml", "MODE", mode)
		runs[mode] = d.start("green")
	}
	for mode, id := range runs {
		r := d.ended(id, 60*time.Second)
		require.Equal(d.t, "failed", r.Run.State, mode)
		require.Equal(d.t, want[mode], r.states(), mode)
	}
}

func tolerated(d *desk) {
	d.agent("one", 2)
	d.apply("tolerate.yaml")
	r := d.ended(d.start("tolerate"), 30*time.Second)
	require.Equal(d.t, "succeeded", r.Run.State)
	require.Equal(d.t, map[string]string{"risky": "tolerated", "after": "succeeded"}, r.states())
}

func loops(d *desk) {
	d.agent("one", 2)
	d.apply("loop.yaml", "FILE", "/")
	r := d.ended(d.start("loop"), 30*time.Second)
	require.Equal(d.t, "succeeded", r.Run.State)
	require.Equal(d.t, 5, d.task(r, "search").Items.Succeeded, "passes")
}

func loopResumes(d *desk) {
	d.agent("one", 2)
	file := filepath.Join(d.dir, "go")
	d.apply("loop.yaml", "FILE", file)
	id := d.start("loop")
	// Three passes are whole when the fourth is killed.
	require.NoError(d.t, syscall.Kill(d.pid(file+".pid"), syscall.SIGKILL))
	killed := d.ended(id, 30*time.Second)
	require.Equal(d.t, "failed", killed.Run.State)
	require.Equal(d.t, 3, d.task(killed, "search").Items.Succeeded, "whole passes")
	d.touch("go")
	again := d.ended(d.resume(id), 30*time.Second)
	require.Equal(d.t, "succeeded", again.Run.State)
	require.Equal(d.t, 2, d.executed(again.Run.ID, "search["), "passes that ran")
	require.Equal(d.t, 5, d.task(again, "search").Items.Total, "passes")
}
