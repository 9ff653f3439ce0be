package conformance_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

func ruleChecks() []check {
	return []check{
		{capability: "C-10", says: "thirteen rules over four outcomes, in any order", test: triggerRules},
		{capability: "C-10", says: "shuffled local runs, one result", needs: "run local", test: localRules},
	}
}

// upstreams are what the tasks of rules.yaml depend on: one that succeeds (s),
// one that fails (f), two that are skipped (k, k2).
var upstreams = []string{"s, k", "s, f", "k, k2", "f, k"}

// rules say of each rule what a task becomes after each of the upstreams: it runs
// (r), is skipped (s), or an upstream task failed (u).
var rules = map[string]string{
	"all_success":                 "susu",
	"all_failed":                  "ssss",
	"all_done":                    "rrrr",
	"all_skipped":                 "ssrs",
	"one_success":                 "rrsu",
	"one_failed":                  "srsr",
	"one_done":                    "rrsr",
	"none_failed":                 "ruru",
	"none_failed_min_one_success": "rusu",
	"none_skipped":                "srss",
	"all_done_min_one_success":    "srss",
	"always":                      "rrrr",
	"quorum(0.5)":                 "rrsu",
}

// ruleTasks are the lines of all tasks, and what each becomes.
func ruleTasks() (lines []string, want map[string]string) {
	want = map[string]string{}
	for rule, cells := range rules {
		short, _, _ := strings.Cut(strings.ReplaceAll(rule, "_", "-"), "(")
		for j, cell := range cells {
			name := fmt.Sprintf("%s-%d", short, j)
			want[name] = map[rune]string{'r': "succeeded", 's': "skipped", 'u': "upstream_failed"}[cell]
			lines = append(lines, fmt.Sprintf("  %s: {needs: [%s], rule: \"%s\", run: \"true\"}\n", name, upstreams[j], rule))
		}
	}
	slices.Sort(lines)
	return lines, want
}

// rulesOf are the states of the tasks that have a rule.
func rulesOf(r run, want map[string]string) map[string]string {
	got := r.states()
	maps.DeleteFunc(got, func(name, _ string) bool { return want[name] == "" })
	return got
}

func triggerRules(d *desk) {
	d.agent("one", 6)
	lines, want := ruleTasks()
	// The upstream tasks end in three orders.
	for _, order := range [][3]string{{"0", "1", "2"}, {"2", "0", "1"}, {"1", "2", "0"}} {
		d.apply("rules.yaml", "RULES", strings.Join(lines, ""), "DS", order[0], "DF", order[1], "DK", order[2])
		require.Equal(d.t, want, rulesOf(d.ended(d.start("rules"), 60*time.Second), want))
	}
}

// localRules runs the same without a server, the tasks in another order each time.
func localRules(d *desk) {
	lines, want := ruleTasks()
	shuffle := rand.New(rand.NewPCG(1, 2)) // the same orders each time
	for i := range *shuffles {
		shuffle.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		delays := []string{"0", "0.1", "0.2"}
		shuffle.Shuffle(len(delays), func(i, j int) { delays[i], delays[j] = delays[j], delays[i] })
		file := d.write("rules.yaml", "RULES", strings.Join(lines, ""), "DS", delays[0], "DF", delays[1], "DK", delays[2])
		out, failure, code := d.cli("run", "local", file, "--json")
		require.Equal(d.t, 9, code, "a task fails: %s", failure)
		var last run // the run after each change; its values follow
		for line := range strings.Lines(out) {
			var now run
			require.NoError(d.t, json.Unmarshal([]byte(line), &now))
			if len(now.Tasks) > 0 {
				last = now
			}
		}
		require.Equal(d.t, want, rulesOf(last, want), "run %d", i)
	}
}
