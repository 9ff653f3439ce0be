package conformance_test

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

func resumeChecks() []check {
	return []check{
		{capability: "C-19", says: "retry in place runs what failed, and keeps the rest", short: true, test: retryInPlace},
		{capability: "C-19", says: "resume reuses what is unchanged, and says what is not", needs: "run resume --from", test: resumeAfterFix},
		{capability: "C-60", says: "a task tested by itself leaves its run as it was", needs: "task test", test: taskTest},
	}
}

func retryInPlace(d *desk) {
	d.agent("one", 2)
	file := filepath.Join(d.dir, "go")
	d.apply("chain.yaml", "AAA", "one", "BBB", "test -e "+file)
	id := d.start("chain")
	r := d.ended(id, 30*time.Second)
	require.Equal(d.t, "failed", r.Run.State)
	require.Equal(d.t, map[string]string{"a": "succeeded", "b": "failed", "c": "upstream_failed"}, r.states())
	d.touch("go")
	d.must("run", "retry", id)
	r = d.ended(id, 30*time.Second)
	require.Equal(d.t, "succeeded", r.Run.State)
	require.Equal(d.t, 2, r.Run.Generation)
	require.Len(d.t, d.task(r, "a").Attempts, 1)
	require.Len(d.t, d.task(r, "b").Attempts, 2, "history is kept")
}

func resumeAfterFix(d *desk) {
	d.agent("one", 2)
	d.apply("chain.yaml", "AAA", "one", "BBB", `"false"`)
	id := d.start("chain")
	require.Equal(d.t, "failed", d.ended(id, 30*time.Second).Run.State)

	d.apply("chain.yaml", "AAA", "one", "BBB", `"true"`)
	r := d.ended(d.resume(id), 30*time.Second)
	require.Equal(d.t, map[string]string{"a": "reused", "b": "succeeded", "c": "succeeded"}, r.states())
	require.Empty(d.t, d.task(r, "a").Attempts)
	require.Equal(d.t, "b\nc", d.billed(r.Run.ID), "what is reused costs nothing")
	require.Equal(d.t, "a\nb", d.billed(id), "as it was billed where it ran")

	d.apply("chain.yaml", "AAA", "two", "BBB", `"true"`)
	said := d.must("run", "resume", id)
	require.Contains(d.t, said, "spec changed")
	newest := d.must("run", "list", "-n", "1", "-o", "name")
	r = d.ended(newest, 30*time.Second)
	require.Equal(d.t, map[string]string{"a": "succeeded", "b": "succeeded", "c": "succeeded"}, r.states())
}

func taskTest(d *desk) {
	d.agent("one", 2)
	d.apply("chain.yaml", "AAA", "one", "BBB", "exit 3")
	id := d.start("chain")
	require.Equal(d.t, "failed", d.ended(id, 30*time.Second).Run.State)
	before := d.must("run", "get", id, "--json")
	out, failure, code := d.cli("task", "test", id, "b")
	require.Equal(d.t, 9, code, "%s%s", out, failure)
	require.Regexp(d.t, `exit code\s+3`, out)
	require.Regexp(d.t, `exit code\s+0`, d.must("task", "test", id, "a"))
	require.Equal(d.t, before, d.must("run", "get", id, "--json"))
}

// billed are the tasks of a run of which attempts were billed.
func (d *desk) billed(id string) string {
	d.t.Helper()
	return d.must("usage", "attempts", id, "--json", "--jq", "[.attempts[].task] | unique | .[]")
}

// resume starts a new run of one that has ended, and returns its id.
func (d *desk) resume(id string, args ...string) string {
	d.t.Helper()
	d.must(append([]string{"run", "resume", id}, args...)...)
	next := d.must("run", "list", "-n", "1", "-o", "name")
	require.NotEqual(d.t, id, next)
	return next
}

// executed is how many attempts a run has had of tasks whose path begins so.
func (d *desk) executed(id, prefix string) int {
	d.t.Helper()
	n := 0
	for _, e := range d.history(id) {
		if e.Kind == "attempt_ended" && strings.HasPrefix(e.Task, prefix) {
			n++
		}
	}
	return n
}

// touch makes a file that a step looks for.
func (d *desk) touch(name string) {
	d.t.Helper()
	require.NoError(d.t, os.WriteFile(filepath.Join(d.dir, name), nil, 0o600))
}
