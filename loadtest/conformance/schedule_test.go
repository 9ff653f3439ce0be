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

// catchUp takes the server away in the middle of a minute, and brings it back five
// minutes later: five ticks are missed, and none is near an end of the outage.
func catchUp(d *desk) {
	d.agent("one", 4)
	for _, policy := range []string{"all", "latest", "none"} {
		d.apply("short.yaml", "name: short", "name: "+policy)
		d.must("schedule", "create", policy, "--pipeline", policy, "--cron", "* * * * *", "--catchup", policy)
	}
	nominals := func(policy string) []string {
		return strings.Fields(d.must("run", "list", "--pipeline", policy, "-n", "200", "--json", "--jq", ".runs[].nominal // empty"))
	}
	d.eventually(90*time.Second, "the schedules fire", func() bool { return len(nominals("latest")) > 0 })
	d.eventually(90*time.Second, "a minute is half over", func() bool { return time.Now().Second() >= 25 && time.Now().Second() < 35 })
	down := time.Now()
	require.NoError(d.t, d.house.server.Kill())
	<-time.After(5 * time.Minute)
	require.NoError(d.t, d.house.server.Start(d.t.Context()))
	up := down.Add(5 * time.Minute)
	d.eventually(120*time.Second, "fires go on", func() bool {
		return count(d, nominals("none"), up, time.Now()) > 0 && count(d, nominals("latest"), down, up) > 0 && count(d, nominals("all"), down, up) >= 5
	})
	require.Equal(d.t, 5, count(d, nominals("all"), down, up), "all: every tick of the outage")
	require.Equal(d.t, 1, count(d, nominals("latest"), down, up), "latest: one")
	require.LessOrEqual(d.t, count(d, nominals("none"), down, up), 1, "none: at most the tick that was just due")
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
