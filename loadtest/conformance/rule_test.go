package conformance_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

func ruleChecks() []check {
	return []check{
		{capability: "C-10", says: "thirteen rules over four outcomes, in any order", test: triggerRules},
		{capability: "C-10", says: "200 shuffled local runs, one result", needs: "run local --shuffle", test: func(d *desk) {
			d.t.Error("the check is not written yet")
		}},
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

func triggerRules(d *desk) {
	d.agent("one", 6)
	want, text := map[string]string{}, strings.Builder{}
	i := 0
	for rule, cells := range rules {
		for j, cell := range cells {
			name := fmt.Sprintf("t%d-%d", i, j)
			want[name+" "+rule] = map[rune]string{'r': "succeeded", 's': "skipped", 'u': "upstream_failed"}[cell]
			fmt.Fprintf(&text, "  %s: {needs: [%s], rule: \"%s\", run: \"true\"}\n", name, upstreams[j], rule)
		}
		i++
	}
	// The upstream tasks end in three orders.
	for _, order := range [][3]string{{"0", "1", "2"}, {"2", "0", "1"}, {"1", "2", "0"}} {
		d.apply("rules.yaml", "RULES", text.String(), "DS", order[0], "DF", order[1], "DK", order[2])
		states := d.ended(d.start("rules"), 60*time.Second).states()
		got := map[string]string{}
		for name := range want {
			task, _, _ := strings.Cut(name, " ")
			got[name] = states[task]
		}
		require.Equal(d.t, want, got)
	}
}
