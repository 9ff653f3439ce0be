package conformance_test

import (
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

func scheduleChecks() []check {
	return []check{
		{capability: "C-20", says: "preview knows the clock's changes", short: true, test: previews},
		{capability: "C-20", says: "an outage over five ticks: all are made up for, or the latest", alone: true, test: catchUp},
	}
}

func previews(d *desk) {
	fires := func(from string) string {
		return d.must("schedule", "preview", "--cron", "30 2 * * *", "--tz", "Europe/Berlin", "--from", from, "--n", "3", "--json", "--jq", ".fires[].local")
	}
	require.Equal(d.t, "2026-03-28T02:30:00+01:00\n2026-03-29T03:00:00+02:00\n2026-03-30T02:30:00+02:00", fires("2026-03-28"))
	require.Equal(d.t, "2026-10-24T02:30:00+02:00\n2026-10-25T02:30:00+02:00\n2026-10-26T02:30:00+01:00", fires("2026-10-24"))
}

// catchUp uses ticks of six seconds: cron has a field for them.
func catchUp(d *desk) {
	d.agent("one", 4)
	for _, policy := range []string{"all", "latest", "none"} {
		d.apply("short.yaml", "name: short", "name: "+policy)
		d.must("schedule", "create", policy, "--pipeline", policy, "--cron", "*/6 * * * * *", "--catchup", policy)
	}
	nominals := func(policy string) []string {
		return strings.Fields(d.must("run", "list", "--pipeline", policy, "-n", "200", "--json", "--jq", ".runs[].nominal // empty"))
	}
	d.eventually(30*time.Second, "the schedules fire", func() bool { return len(nominals("latest")) > 0 })
	require.NoError(d.t, d.house.server.Kill())
	down := time.Now()
	<-time.After(33 * time.Second)
	up := time.Now()
	require.NoError(d.t, d.house.server.Start(d.t.Context()))
	d.eventually(60*time.Second, "fires go on", func() bool { return count(d, nominals("none"), up, time.Now()) > 0 })

	missed := count(d, nominals("all"), down, up)
	require.InDelta(d.t, 5, missed, 1, "all: every tick of the outage")
	// The latest may be the tick at which the server came back.
	require.LessOrEqual(d.t, count(d, nominals("latest"), down, up.Add(-time.Second)), 1)
	require.GreaterOrEqual(d.t, count(d, nominals("latest"), down, up.Add(6*time.Second)), 1)
	require.LessOrEqual(d.t, count(d, nominals("none"), down, up.Add(-time.Second)), 1, "none: at most the tick that was just due")
	for _, policy := range []string{"all", "latest", "none"} {
		list := nominals(policy)
		slices.Sort(list)
		require.Len(d.t, slices.Compact(slices.Clone(list)), len(list), "one run for each nominal time")
	}
}

// count is how many of the times lie between two.
func count(d *desk, times []string, from, to time.Time) int {
	d.t.Helper()
	n := 0
	for _, text := range times {
		at, err := time.Parse(time.RFC3339Nano, text)
		require.NoError(d.t, err)
		if at.After(from) && at.Before(to) {
			n++
		}
	}
	return n
}
