package conformance_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

func ruleChecks() []check {
	return []check{
		{capability: "C-10", says: "thirteen rules over four outcomes, in any order", test: triggerRules},
		{capability: "C-10", says: "the shipped file of all rules, run locally in any order, is the table", needs: "run local", test: localRules},
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

// shipped is the file that anybody can run, golden the table that its rows are
// compared with, as the engine's own tests are.
const (
	shipped = "../../conformance/rules.yaml"
	golden  = "../../controlplane/engine/testdata/rules.golden"
)

// goldenCells are the cells of the table: by rule, and how many upstream tasks there
// are, of which so many are s, f, u, k.
func goldenCells(d *desk) map[string]string {
	d.t.Helper()
	text, err := os.ReadFile(golden)
	require.NoError(d.t, err)
	var names []string
	cells := map[string]string{}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		switch {
		case len(words) > 1 && words[0] == strconv.Itoa(len(names)+1) && len(words) < 5:
			names = append(names, strings.Join(words[1:], " "))
		case len(names) > 0 && len(words) == 5+len(names) && words[0] != "n":
			for i, name := range names {
				cells[name+" "+strings.Join(words[:5], " ")] = words[5+i]
			}
		}
	}
	return cells
}

// shippedTasks are the lines of the file's tasks, and what the table says that
// each becomes. `all_done-sf` waits by the rule all_done for s and f.
func shippedTasks(d *desk) (head string, lines []string, want map[string]string) {
	d.t.Helper()
	text, err := os.ReadFile(shipped)
	require.NoError(d.t, err)
	head, tasks, found := strings.Cut(string(text), "tasks:\n")
	require.True(d.t, found)
	cells, want := goldenCells(d), map[string]string{}
	for line := range strings.Lines(tasks) {
		name, _, task := strings.Cut(strings.TrimSpace(line), ":")
		if !task || strings.HasPrefix(name, "#") {
			continue
		}
		lines = append(lines, line)
		rule, upstream, ruled := strings.Cut(name, "-")
		if !ruled {
			continue
		}
		of := func(kind string) int { return strings.Count(upstream, kind) }
		cell := cells[fmt.Sprintf("%s %d %d %d %d %d", rule, len(upstream), of("s"), of("f"), of("u"), of("k"))]
		want[name] = map[string]string{"R": "succeeded", "U": "upstream_failed", "K": "skipped"}[cell]
		require.NotEmpty(d.t, want[name], name)
	}
	require.Greater(d.t, len(want), 12*10)
	return head + "tasks:\n", lines, want
}

// localRules runs the file without a server: each time its tasks stand and begin in
// another order, and its upstream tasks take other times.
func localRules(d *desk) {
	head, lines, want := shippedTasks(d)
	file := filepath.Join(d.dir, "rules.yaml")
	shuffle := rand.New(rand.NewPCG(1, 2)) // the same orders each time
	for i := range *shuffles {
		text := head + strings.Join(lines, "")
		if i > 0 { // first as it is shipped
			shuffle.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
			delays := []string{"0", "0.1"}
			shuffle.Shuffle(len(delays), func(i, j int) { delays[i], delays[j] = delays[j], delays[i] })
			text = strings.NewReplacer(`  s: {run: "true"}`, "  s: {run: sleep "+delays[0]+"}", `  f: {run: "false"}`, "  f: {run: sleep "+delays[1]+"; exit 1}").
				Replace(head + strings.Join(lines, ""))
		}
		require.NoError(d.t, os.WriteFile(file, []byte(text), 0o600))
		call := []string{"run", "local", file, "--json"}
		if i > 0 {
			call = append(call, fmt.Sprintf("--shuffle=%d", i))
		}
		out, failure, code := d.cli(call...)
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
