package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/signalboxhq/signalbox/loadtest/scenario"
)

// Table prints the figures of results: the medians of those that repeat a
// scenario, each with its yardstick, the ratio, the bar, and whether it holds.
func Table(out io.Writer, results []Result) error {
	var b strings.Builder
	yardsticks(&b, results)
	_, _ = fmt.Fprintf(&b, "\n| workload | figure | absolute | yardstick | ratio | bar | holds |\n|---|---|---|---|---|---|---|\n")
	for _, r := range Rows(results) {
		_, _ = fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", r.Workload, r.Figure, r.Absolute, r.Yardstick, r.Ratio, r.Bar, r.Holds)
	}
	if slices.ContainsFunc(results, Result.Disturbed) {
		_, _ = fmt.Fprintf(&b, "\n~ something else used more than %g cores of this machine meanwhile: such a figure proves nothing.\n", quiet)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func yardsticks(b *strings.Builder, results []Result) {
	if len(results) == 0 {
		return
	}
	m := results[0].Machine
	_, _ = fmt.Fprintf(b, "%d cores (%s), %.60s, fsync %s, synchronous_commit %s\n", m.Cores, m.CPU, m.Postgres, m.Settings["fsync"], m.Settings["synchronous_commit"])
	c := median(results, func(r Result) float64 { return float64(r.Yardstick.Commit.P50) })
	s := median(results, func(r Result) float64 { return r.Yardstick.Inserts })
	l := median(results, func(r Result) float64 { return r.Yardstick.Lifecycle })
	_, _ = fmt.Fprintf(b, "yardsticks: C = %.0f µs (one-row commit), S = %.0f/s (one-row INSERTs, 32 clients), L = %.0f tasks/s (hand-written lifecycle, batch 100; %.0f µs of PostgreSQL's CPU each)\n", c, s, l,
		median(results, func(r Result) float64 { return r.Yardstick.LifecycleCPU }))
}

// Row is a line of the table.
type Row struct {
	Workload, Figure, Absolute, Yardstick, Ratio, Bar, Holds string
}

// Rows are the figures of all results, those of a scenario together.
func Rows(results []Result) []Row {
	var order []string
	groups := map[string][]Result{}
	for _, r := range results {
		if groups[r.Scenario.Name] == nil {
			order = append(order, r.Scenario.Name)
		}
		groups[r.Scenario.Name] = append(groups[r.Scenario.Name], r)
	}
	var rows []Row
	for _, name := range order {
		group := groups[name]
		for i := range group[0].Points {
			if others := basesOf(groups, group, i); len(others) > 0 {
				for _, f := range compared[group[0].Scenario.Workload] {
					rows = append(rows, f.against(group, i, median(others, f.of)))
				}
				continue
			}
			for _, f := range figures[group[0].Scenario.Workload] {
				if row, ok := f.row(group, i); ok {
					rows = append(rows, row)
				}
			}
		}
	}
	return rows
}

// basesOf are what a point is compared with instead of a yardstick: the same point
// of another scenario, or the scenario's own while nothing disturbed it.
func basesOf(groups map[string][]Result, group []Result, point int) []Point {
	s, p := group[0].Scenario, group[0].Points[point]
	if compared[s.Workload] == nil {
		return nil
	}
	from, same := groups[s.Against], func(other Point) bool { return other.X == p.X }
	if p.Condition != "" && p.Condition != scenario.Undisturbed {
		from, same = group, func(other Point) bool { return other.X == p.X && other.Condition == scenario.Undisturbed }
	}
	var bases []Point
	for _, r := range from {
		for _, other := range r.Points {
			if same(other) {
				bases = append(bases, other)
			}
		}
	}
	return bases
}

// median is that of results or of points; of two it is the smaller.
func median[T any](all []T, of func(T) float64) float64 {
	values := make([]float64, 0, len(all))
	for _, one := range all {
		values = append(values, of(one))
	}
	slices.SortFunc(values, cmp.Compare)
	if len(values) == 0 {
		return 0
	}
	return values[(len(values)-1)/2]
}
