package conformance_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"
)

var (
	full     = flag.Bool("conformance.full", false, "run all cases, not only the short ones")
	shuffles = flag.Int("conformance.shuffles", 200, "how many local runs of C-10")
	replays  = flag.Int("conformance.replays", 1000, "how many runs C-63 replays")
)

// check is one check of one capability.
type check struct {
	capability string
	says       string
	// short cases are few and quick: CI runs them.
	short bool
	// alone says that the case ends servers or freezes agents: it gets a house of its own.
	alone bool
	// needs is a command that the case is about, or a pipeline that must be valid; if
	// the program does not know it, the case is not built.
	needs string
	test  func(d *desk)
}

// row is a line of the table.
type row struct {
	check
	result  string
	seconds float64
}

// TestConformance goes through all capabilities. With -conformance.full what is
// not built fails, too: a table with holes is not a proof.
func TestConformance(t *testing.T) { //nolint:tparallel // the group waits for the cases, whose table follows
	t.Parallel()
	var mu sync.Mutex
	var rows []row
	shared := install(t)
	t.Run("checks", func(t *testing.T) {
		for i, c := range checks() {
			if !c.short && !*full {
				continue
			}
			t.Run(c.capability+" "+c.says, func(t *testing.T) {
				t.Parallel()
				begin := time.Now()
				result := "passed"
				t.Cleanup(func() {
					if t.Failed() && result == "passed" {
						result = "FAILED"
					}
					mu.Lock()
					defer mu.Unlock()
					rows = append(rows, row{c, result, time.Since(begin).Seconds()})
				})
				h := shared
				if c.alone {
					h = install(t)
				}
				d := h.sit(t, fmt.Sprintf("user-%d", i))
				if c.needs != "" && !d.knows(c.needs) {
					result = "not built"
					if *full {
						t.Errorf("not built: %s", c.needs)
					}
					return
				}
				c.test(d)
				if c.alone {
					h.healthy(t)
				}
			})
		}
	})
	shared.healthy(t)
	table(rows)
}

// knows says whether the program has a command with these flags, or takes a
// pipeline; one that it refuses for another reason, it knows.
func (d *desk) knows(what string) bool {
	if strings.HasSuffix(what, ".yaml") {
		out, failure, _ := d.cli("validate", filepath.Join("pipelines", what))
		return !strings.Contains(out+failure, "not supported yet")
	}
	words := strings.Fields(what)
	verbs := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, "--") })
	if verbs < 0 {
		verbs = len(words)
	}
	out, _, code := d.cli(append(slices.Clone(words[:verbs]), "--help")...)
	known := code == 0 && strings.Contains(out, "signalbox "+strings.Join(words[:verbs], " "))
	for _, w := range words[verbs:] {
		known = known && strings.Contains(out, w)
	}
	return known
}

// table prints one line for each check, in the order of the list.
func table(rows []row) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "\nCAPABILITY\tCHECK\tRESULT\tSECONDS")
	count := map[string]int{}
	for _, c := range checks() {
		for _, r := range rows {
			if r.capability == c.capability && r.says == c.says {
				count[r.result]++
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%.1f\n", r.capability, r.says, r.result, r.seconds)
			}
		}
	}
	_ = w.Flush()
	_, _ = fmt.Fprintf(os.Stdout, "\n%d passed, %d failed, %d not built\n\n", count["passed"], count["FAILED"], count["not built"])
}

// TestMain removes the programs after the last test.
func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if p, err := built(); err == nil {
		_ = os.RemoveAll(filepath.Dir(p.signalbox))
	}
	os.Exit(code)
}
