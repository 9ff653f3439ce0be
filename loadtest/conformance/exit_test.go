package conformance_test

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

func exitChecks() []check {
	return []check{
		{capability: "C-11", says: "exit handlers run once: after failure, cancel, and cannot fail a good run, but alert", test: exitHandlers},
	}
}

func exitHandlers(d *desk) {
	d.agent("one", 4)
	file := filepath.Join(d.dir, "tidied")
	d.apply("exit.yaml", "FILE", file)
	tidied := func() int {
		text, err := os.ReadFile(file)
		require.NoError(d.t, err)
		return strings.Count(string(text), "tidied")
	}
	r := d.ended(d.start("exit"), 30*time.Second)
	require.Equal(d.t, "failed", r.Run.State)
	require.Equal(d.t, 1, tidied())
	require.False(d.t, r.Run.ExitFailed)

	id := d.start("exit", "-p", "how=wait")
	d.until(id, "work", 20*time.Second, "running")
	d.must("run", "cancel", id)
	r = d.ended(id, 30*time.Second)
	require.Equal(d.t, "canceled", r.Run.State)
	require.Equal(d.t, 2, tidied())

	r = d.ended(d.start("exit", "-p", "how=well", "-p", "handler=false"), 30*time.Second)
	require.Equal(d.t, "succeeded", r.Run.State)
	require.Equal(d.t, 3, tidied())
	require.Equal(d.t, "failed", d.task(r, "tidy").State)
	require.True(d.t, r.Run.ExitFailed, "exit_handler_failed")
	open := func() string {
		return d.must("alert", "list", "--json", "--jq", `.alerts[] | .tier + " " + .kind + " " + .runId`)
	}
	require.Equal(d.t, "P2 exit_handler_failed "+r.Run.ID, open())
	require.False(d.t, d.ended(d.start("exit", "-p", "how=well"), 30*time.Second).Run.ExitFailed)
	require.Empty(d.t, open(), "the next run made it good")
}
