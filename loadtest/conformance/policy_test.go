package conformance_test

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

func policyChecks() []check {
	return []check{
		{capability: "C-42", says: "five starts at once under each policy", test: policies},
		{capability: "C-42", says: "strict waits for the one that failed", test: strict},
		{capability: "C-43", says: "never more than two hold the limit", short: true, test: limits},
		{capability: "C-43", says: "what a killed agent held comes back", test: limitsAfterKill},
	}
}

func policies(d *desk) {
	d.agent("one", 6)
	want := map[string]string{
		"queue":          "succeeded succeeded succeeded succeeded succeeded",
		"queue_latest":   "succeeded dropped dropped dropped succeeded",
		"queue_first":    "succeeded succeeded dropped dropped dropped",
		"drop_new":       "succeeded dropped dropped dropped dropped",
		"cancel_running": "canceled canceled canceled canceled succeeded",
	}
	runs := map[string][]string{}
	for policy := range want {
		name := strings.ReplaceAll(policy, "_", "-")
		d.apply("single.yaml", "name: single", "name: "+name, "POLICY", policy, "FILE", filepath.Join(d.dir, "go"))
		for range 5 {
			runs[policy] = append(runs[policy], d.start(name))
		}
	}
	d.touch("go")
	for policy, ids := range runs {
		var states []string
		var last time.Time
		for _, id := range ids {
			r := d.ended(id, 60*time.Second)
			states = append(states, r.Run.State)
			if r.Run.State == "succeeded" {
				require.False(d.t, r.Run.StartedAt.Before(last), "%s: two at once", policy)
				last = *r.Run.FinishedAt
			}
		}
		require.Equal(d.t, want[policy], strings.Join(states, " "), policy)
	}
}

func strict(d *desk) {
	d.agent("one", 2)
	d.apply("single.yaml", "POLICY", "strict", "FILE", d.dir)
	first := d.start("single", "-p", "then=false")
	others := make([]string, 4)
	for i := range others {
		others[i] = d.start("single")
	}
	require.Equal(d.t, "failed", d.ended(first, 20*time.Second).Run.State)
	for _, id := range others {
		require.Equal(d.t, "pending blocked_by "+first, d.must("run", "get", id, "--json", "--jq", `.run | .state + " " + .waiting.reason + " " + .waiting.blockedBy`))
	}
	d.must("run", "unblock", first)
	for _, id := range others {
		require.Equal(d.t, "succeeded", d.ended(id, 60*time.Second).Run.State)
	}
}

// most is how many steps of limited.yaml ran at once.
func (d *desk) most(file string) int {
	d.t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(d.t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	slices.SortFunc(lines, cmp.Compare[string])
	now, most := 0, 0
	for _, line := range lines {
		_, step, _ := strings.Cut(line, " ")
		n, err := strconv.Atoi(step)
		require.NoError(d.t, err)
		now += n
		most = max(most, now)
	}
	return most
}

func limits(d *desk) {
	d.agent("one", 4)
	d.agent("two", 4)
	d.must("limit", "set", "warehouse", "--max", "2")
	file := filepath.Join(d.dir, "held")
	d.apply("limited.yaml", "FILE", file)
	require.Equal(d.t, "succeeded", d.ended(d.start("limited"), 60*time.Second).Run.State)
	require.Equal(d.t, 2, d.most(file))
	require.Equal(d.t, "0", d.held())
}

// held is how many units of the limit are in use.
func (d *desk) held() string {
	d.t.Helper()
	return d.must("limit", "list", "--json", "--jq", ".limits[0].held")
}

func limitsAfterKill(d *desk) {
	d.agent("one", 1)
	two := d.agent("two", 2)
	d.must("limit", "set", "warehouse", "--max", "2")
	d.apply("limited.yaml", "FILE", filepath.Join(d.dir, "held"), "sleep 0.5", "sleep 2")
	id := d.start("limited")
	d.eventually(20*time.Second, "the agent two holds units", func() bool {
		return d.must("agent", "list", "--jq", `.agents[] | select(.name == "two") | .leases`) != "0"
	})
	require.NoError(d.t, two.Kill())
	d.eventually(120*time.Second, "the run ends", func() bool {
		require.Contains(d.t, []string{"0", "1", "2"}, d.held(), "never more than the limit")
		return d.get(id).Run.FinishedAt != nil
	})
	require.Equal(d.t, "succeeded", d.get(id).Run.State)
	require.Equal(d.t, "0", d.held())
}
