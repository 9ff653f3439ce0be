package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/signalboxhq/signalbox/loadtest/measure"
	"github.com/signalboxhq/signalbox/loadtest/scenario"
)

// figure is one thing that a point tells, and the bar that it must hold.
type figure struct {
	name string
	unit string
	of   func(p Point) float64
	// yardstick is what it is compared with; none where the bar is absolute.
	yardstick yardstickKind
	// bars by the point's X; a point without one is shown only if show says so.
	bars map[float64]bar
	show func(p Point) bool
}

type yardstickKind int

const (
	none yardstickKind = iota
	byCommit
	byInserts
	byLifecycle
)

// bar is a limit: of the ratio where there is a yardstick, else of the figure.
type bar struct {
	limit float64
	most  bool // at most, else at least
	// spare is by how much more a figure may be than that of others, whatever the
	// ratio is.
	spare float64
}

func atLeast(limit float64) bar { return bar{limit: limit} }
func atMost(limit float64) bar  { return bar{limit: limit, most: true} }

// every stands for all points.
var every = math.Inf(1)

func rate(p Point) float64 { return p.Rate }

func latency(name string, of func(measure.Latency) int64) func(Point) float64 {
	return func(p Point) float64 { return float64(of(p.Latencies[name])) }
}

func p50(l measure.Latency) int64  { return l.P50 }
func p95(l measure.Latency) int64  { return l.P95 }
func p99(l measure.Latency) int64  { return l.P99 }
func p999(l measure.Latency) int64 { return l.P999 }

// perLease is how many leases there were for one of the small team's, from its
// first to its last.
func perLease(p Point) float64 {
	n := len(p.Positions)
	if n == 0 {
		return math.NaN()
	}
	return float64(p.Positions[n-1]) / float64(n)
}

func always(Point) bool    { return true }
func counted(p Point) bool { return p.Usage.RowsWritten > 0 }

// costs are the figures that say what a step takes of the machine.
func costs(x, rows float64) []figure {
	return []figure{
		{name: "CPU of server and PostgreSQL per step", unit: "µs", of: Point.CPUPerStep, bars: map[float64]bar{x: atMost(90)}, show: always},
		{name: "CPU of the benchmark and its agents per step", unit: "µs", of: Point.LoadPerStep, show: always},
		{name: "WAL per step", unit: "B", of: func(p Point) float64 { return per(float64(p.Usage.WALBytes), p.Steps) }, bars: map[float64]bar{x: atMost(3072)}, show: always},
		{name: "rows written per attempt", of: func(p Point) float64 { return per(float64(p.Usage.RowsWritten), p.Told()) }, bars: map[float64]bar{x: atMost(rows)}, show: counted},
		{name: "writing commits per attempt", of: func(p Point) float64 { return per(float64(p.Usage.Writes), p.Steps) }, bars: map[float64]bar{x: atMost(0.05)}, show: always},
	}
}

// figures are what each workload tells, and the bars.
var figures = map[scenario.Workload][]figure{
	scenario.Bulk: append([]figure{
		{name: "steps", unit: "/s", of: rate, yardstick: byLifecycle, bars: map[float64]bar{every: atLeast(0.2)}},
	}, costs(every, 5.5)...),
	scenario.Submit: {
		{name: "submits", unit: "/s", of: rate, yardstick: byInserts, bars: map[float64]bar{64: atLeast(0.15)}, show: always},
		{name: "CPU of server and PostgreSQL per run", unit: "µs", of: Point.CPUPerStep, show: always},
		{name: "submit p50", unit: "µs", of: latency("submit", p50), yardstick: byCommit, show: always},
	},
	scenario.Latency: {
		{name: "submit to start p50", unit: "µs", of: latency("start", p50), yardstick: byCommit, bars: map[float64]bar{200: atMost(10)}, show: always},
		{name: "submit to start p99", unit: "µs", of: latency("start", p99), yardstick: byCommit, bars: map[float64]bar{200: atMost(40)}, show: always},
		{name: "submit to start p99.9", unit: "µs", of: latency("start", p999), yardstick: byCommit, show: always},
		{name: "submit to done p50", unit: "µs", of: latency("done", p50), yardstick: byCommit, show: always},
		{name: "generator late p99", unit: "µs", of: latency("late", p99), show: always},
	},
	scenario.Chain: append([]figure{
		{name: "attempts", unit: "/s", of: rate, yardstick: byLifecycle, bars: map[float64]bar{64: atLeast(0.2)}, show: always},
		{name: "hop p50", unit: "µs", of: latency("hop", p50), yardstick: byCommit, bars: map[float64]bar{1: atMost(12)}, show: always},
		{name: "hop p99", unit: "µs", of: latency("hop", p99), yardstick: byCommit, show: always},
	}, costs(64, 5)...),
	scenario.Fan: {
		{name: "attempts", unit: "/s", of: rate, yardstick: byLifecycle, show: always},
		{name: "run p50", unit: "µs", of: latency("run", p50), yardstick: byCommit, show: always},
		{name: "CPU of server and PostgreSQL per step", unit: "µs", of: Point.CPUPerStep, show: always},
	},
	scenario.Map: append([]figure{
		{name: "steps", unit: "/s", of: rate, yardstick: byLifecycle, bars: map[float64]bar{every: atLeast(0.2)}},
		{name: "run p50", unit: "µs", of: latency("run", p50), yardstick: byCommit, show: always},
	}, costs(every, 5.5)...),
	scenario.Flood: {
		{name: "submit to start p50", unit: "µs", of: latency("start", p50), yardstick: byCommit, show: always},
		{name: "submit to start p95", unit: "µs", of: latency("start", p95), yardstick: byCommit, show: always},
		{name: "steps of both", unit: "/s", of: rate, show: always},
	},
	scenario.Faults: {
		{name: "runs lost or doubled", of: func(p Point) float64 { return math.Abs(float64(p.Verdict.Runs - p.Verdict.Submitted)) }, bars: map[float64]bar{every: atMost(0)}},
		{name: "runs that did not succeed", of: func(p Point) float64 { return float64(p.Verdict.Open + p.Verdict.Failed) }, bars: map[float64]bar{every: atMost(0)}},
		{name: "steps done twice", of: func(p Point) float64 { return float64(p.Verdict.Doubled) }, bars: map[float64]bar{every: atMost(0)}},
		{name: "attempts billed too many or too few", of: func(p Point) float64 { return math.Abs(float64(p.Verdict.Billed - p.Verdict.Attempts)) }, bars: map[float64]bar{every: atMost(0)}},
		{name: "lines that the doctor complains", of: func(p Point) float64 { return float64(strings.Count(p.Verdict.Complaints, "\n")) }, bars: map[float64]bar{every: atMost(0)}},
	},
	scenario.Restart: {
		{name: "kill to the first lease", unit: "µs", of: latency("first lease", p50), bars: map[float64]bar{every: atMost(5e6)}},
		{name: "kill to a healthy server", unit: "µs", of: latency("healthy", p50), show: always},
		{name: "memory of the server", unit: "MiB", of: func(p Point) float64 { return float64(p.Usage.Memory["server"]) / (1 << 20) }, show: always},
	},
	scenario.Share: {
		{name: "leases of either team to one of the small team's", of: perLease, bars: map[float64]bar{every: atMost(2)}},
	},
	scenario.Gang: {
		// Of the scenario: 2 s of reserve_after, and the longest small step of 0.4 s.
		{name: "submit to the last member's lease, p99", unit: "µs", of: latency("all leased", p99), bars: map[float64]bar{every: atMost(2.4e6)}},
		{name: "small steps beside it", unit: "/s", of: rate, show: always},
	},
	scenario.Idle: {
		{name: "cores of server and PostgreSQL", of: func(p Point) float64 { return p.Usage.Measured("server", "postgres") / p.Usage.Seconds }, bars: map[float64]bar{1000: atMost(0.03)}, show: always},
		{name: "memory of the server", unit: "MiB", of: func(p Point) float64 { return float64(p.Usage.Memory["server"]) / (1 << 20) }, bars: map[float64]bar{10_000: atMost(512)}, show: always},
		{name: "writing commits", unit: "/s", of: func(p Point) float64 { return float64(p.Usage.Writes) / p.Usage.Seconds }, show: always},
	},
}

// compared are the figures of a scenario that is compared with another one, or
// of a condition with none: the ratio is to the same figure there.
var compared = map[scenario.Workload][]figure{
	scenario.Bulk: {
		{name: "steps, kept", unit: "/s", of: rate, bars: map[float64]bar{every: atLeast(0.8)}},
		{name: "CPU of server and PostgreSQL per step, changed", unit: "µs", of: Point.CPUPerStep},
	},
	scenario.Latency: {{name: "submit to start p50, grown", unit: "µs", of: latency("start", p50), bars: map[float64]bar{every: atMost(1.3)}}},
	scenario.Flood: {
		{name: "submit to start p50, grown", unit: "µs", of: latency("start", p50)},
		{name: "submit to start p95, grown", unit: "µs", of: latency("start", p95), bars: map[float64]bar{every: {limit: 1.2, most: true, spare: 5000}}},
		{name: "steps of both", unit: "/s", of: rate},
	},
}

// against tells a point's figure as a ratio to that of others.
func (f figure) against(group []Result, point int, base float64) Row {
	p := group[0].Points[point]
	value := median(group, func(r Result) float64 { return f.of(r.Points[point]) })
	row := Row{
		Workload: p.named(group[0].Scenario), Figure: f.name, Absolute: number(value) + unit(f.unit), Yardstick: number(base) + unit(f.unit),
		Ratio: number(value / base), Bar: "–", Holds: "–",
	}
	if limit, barred := f.bars[every]; barred {
		row.Bar, row.Holds = limit.text()+limit.more(f.unit), limit.judge(value/base)
		if limit.spare > 0 && value-base <= limit.spare {
			row.Holds = "yes"
		}
	}
	if slices.ContainsFunc(group, func(r Result) bool { return r.Points[point].Disturbed() }) {
		row.Absolute = "~" + row.Absolute
	}
	return row
}

// row tells the figure of a point, as the median of the results.
func (f figure) row(group []Result, point int) (Row, bool) {
	p := group[0].Points[point]
	limit, barred := f.bars[p.X]
	if !barred {
		limit, barred = f.bars[every]
	}
	if !barred && f.show == nil || f.show != nil && !f.show(p) {
		return Row{}, false
	}
	var had []Result
	disturbed := false
	for _, r := range group {
		if point < len(r.Points) {
			had = append(had, r)
			disturbed = disturbed || r.Points[point].Disturbed()
		}
	}
	value := median(had, func(r Result) float64 { return f.of(r.Points[point]) })
	row := Row{
		Workload: p.named(group[0].Scenario), Figure: f.name, Absolute: number(value) + unit(f.unit), Yardstick: "–", Ratio: "–", Bar: "–", Holds: "–",
	}
	if f.yardstick != none {
		value = median(had, func(r Result) float64 { return f.of(r.Points[point]) / f.yardstick.of(r) })
		row.Yardstick = number(median(had, f.yardstick.of)) + f.yardstick.unit()
		row.Ratio = number(value) + " " + f.yardstick.letter()
	}
	if barred {
		row.Bar, row.Holds = limit.text()+f.yardstick.after(), limit.judge(value)
	}
	if disturbed {
		row.Absolute = "~" + row.Absolute
	}
	return row, true
}

func (p Point) named(s scenario.Scenario) string { return s.Title + ", " + p.Name }

func (b bar) text() string {
	if b.most {
		return "≤ " + number(b.limit)
	}
	return "≥ " + number(b.limit)
}

// more tells the spare.
func (b bar) more(of string) string {
	if b.spare == 0 {
		return ""
	}
	return " or +" + number(b.spare) + unit(of)
}

func (b bar) judge(value float64) string {
	if b.most && value <= b.limit || !b.most && value >= b.limit {
		return "yes"
	}
	return "NO"
}

func (k yardstickKind) of(r Result) float64 {
	switch k {
	case byCommit:
		return float64(r.Yardstick.Commit.P50)
	case byInserts:
		return r.Yardstick.Inserts
	case byLifecycle:
		return r.Yardstick.Lifecycle
	case none:
	}
	return 1
}

func (k yardstickKind) letter() string { return [...]string{"", "C", "S", "L"}[k] }

func (k yardstickKind) after() string {
	if k == none {
		return ""
	}
	return " " + k.letter()
}

func (k yardstickKind) unit() string { return [...]string{"", " µs", "/s", "/s"}[k] }

func unit(u string) string {
	if u == "" || u == "/s" {
		return u
	}
	return " " + u
}

// number writes three digits that count.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a >= 100 || a == math.Trunc(a):
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	case a >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
