package conformance_test

import (
	"path/filepath"
	"time"

	"github.com/stretchr/testify/require"
)

func retryChecks() []check {
	return []check{
		{capability: "C-14", says: "three attempts with gaps of 1 s and 2 s; exit:2 is never retried", short: true, test: budgets},
		{capability: "C-14", says: "a killed agent is not the step's fault", test: killedAgent},
	}
}

func budgets(d *desk) {
	d.agent("one", 4)
	d.apply("retries.yaml")
	r := d.ended(d.start("retries"), 40*time.Second)
	twice := d.task(r, "twice")
	require.Len(d.t, twice.Attempts, 3)
	require.Equal(d.t, 2, twice.UsedUser)
	for i, want := range []time.Duration{time.Second, 2 * time.Second} {
		// The gap is what was decided; how soon after it an agent starts says how
		// busy the machine is.
		end, next := *twice.Attempts[i].FinishedAt, *twice.Attempts[i+1].ReadyAt
		require.InDelta(d.t, want.Seconds(), next.Sub(end).Seconds(), 0.3, "gap %d", i+1)
		require.False(d.t, twice.Attempts[i+1].StartedAt.Before(next))
	}
	require.Len(d.t, d.task(r, "never").Attempts, 1)
	require.Len(d.t, d.task(r, "again").Attempts, 2)
	require.Equal(d.t, "succeeded", d.task(r, "again").State)
}

// killedAgent is C-14's and C-15 (b): the attempt is lost by infrastructure, another
// agent takes the next one, and no slot leaks.
func killedAgent(d *desk) {
	first := d.agent("one", 1)
	d.apply("steps.yaml", "FILE", filepath.Join(d.dir, "pid"), "LONG", "8")
	id := d.start("steps")
	d.until(id, "step", 20*time.Second, "running")
	killed := time.Now()
	require.NoError(d.t, first.Kill())
	d.agent("two", 1)
	r := d.ended(id, 90*time.Second)
	require.Equal(d.t, "succeeded", r.Run.State)
	step := d.task(r, "step")
	require.Len(d.t, step.Attempts, 2)
	require.Equal(d.t, "lost", step.Attempts[0].State)
	require.Equal(d.t, "infra", step.Attempts[0].Cause)
	require.Less(d.t, step.Attempts[0].FinishedAt.Sub(killed), 45*time.Second)
	require.Equal(d.t, "two", step.Attempts[1].AgentName)
	require.Zero(d.t, step.UsedUser)
	require.Equal(d.t, 1, step.UsedInfra)
	require.Equal(d.t, "0", d.must("pool", "get", "default", "--jq", ".pool.leased"))
}
