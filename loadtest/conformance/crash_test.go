package conformance_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"
)

func crashChecks() []check {
	return []check{
		{capability: "C-15", says: "a server that is gone for 45 s costs no attempt", alone: true, test: serverOutage},
		{capability: "C-15", says: "a frozen agent's late word counts no more", test: frozenAgent},
	}
}

func serverOutage(d *desk) {
	d.agent("one", 1)
	d.apply("steps.yaml", "FILE", filepath.Join(d.dir, "pid"), "LONG", "60")
	id := d.start("steps")
	d.until(id, "step", 20*time.Second, "running")
	require.NoError(d.t, d.house.server.Kill())
	<-time.After(45 * time.Second)
	require.NoError(d.t, d.house.server.Start(d.t.Context()))
	r := d.ended(id, 90*time.Second)
	require.Equal(d.t, "succeeded", r.Run.State)
	require.Len(d.t, d.task(r, "step").Attempts, 1)
}

// frozenAgent stops an agent while one step ends under its hands and another goes on.
func frozenAgent(d *desk) {
	first := d.agent("one", 2)
	dir := d.dir
	d.apply("frozen.yaml", "DIR", dir)
	id := d.start("frozen")
	d.until(id, "ends", 20*time.Second, "running")
	d.until(id, "lasts", 20*time.Second, "running")
	require.NoError(d.t, first.Freeze())
	thaw := time.After(60 * time.Second)
	d.agent("two", 2)
	r := d.ended(id, 90*time.Second)
	<-thaw
	pid := d.pid(filepath.Join(dir, "lasts.1"))
	require.True(d.t, alive(pid), "nobody could stop it")
	require.NoError(d.t, first.Thaw())
	d.eventually(10*time.Second, "the agent ends the step that is not its own any more", func() bool { return !alive(pid) })
	d.eventually(10*time.Second, "the agent says that its word was refused", func() bool {
		log, err := os.ReadFile(first.Log())
		return err == nil && strings.Contains(string(log), "reason=STALE_FENCE")
	})
	require.Equal(d.t, "succeeded", r.Run.State)
	for _, name := range []string{"ends", "lasts"} {
		attempts := d.task(d.get(id), name).Attempts
		require.Len(d.t, attempts, 2)
		require.Equal(d.t, "lost", attempts[0].State)
		require.Equal(d.t, "succeeded", attempts[1].State)
		require.Equal(d.t, "two", attempts[1].AgentName)
	}
}

// pid reads the process number that a step wrote down.
func (d *desk) pid(file string) int {
	d.t.Helper()
	var pid int
	d.eventually(10*time.Second, "the step has written down its number", func() bool {
		text, err := os.ReadFile(file)
		if err == nil {
			pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
		}
		return err == nil
	})
	return pid
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }
