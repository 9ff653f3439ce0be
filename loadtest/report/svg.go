package report

import (
	"encoding/xml"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/signalboxhq/signalbox/loadtest/measure"
	"github.com/signalboxhq/signalbox/loadtest/scenario"
)

// The size of a chart, and of the margin that its labels have.
const (
	chartWidth, chartHeight = 640, 360
	margin                  = 60
)

// palette tells lines apart, also for most who see few colours.
var palette = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7"}

// line is one curve.
type line struct {
	name string
	x, y []float64
}

// Curves writes, for each scenario with several points, an SVG of its throughput
// and one of its latencies, both on logarithmic axes.
func Curves(dir string, results []Result) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // results are no secret
		return fmt.Errorf("make the folder of the curves: %w", err)
	}
	for _, r := range results {
		if len(r.Points) < 2 {
			continue
		}
		charts := map[string]string{"rate": chart(r.Scenario.Title+": throughput, per second", []line{rates(r)})}
		if latencies := latencyLines(r); len(latencies) > 0 {
			charts["latency"] = chart(r.Scenario.Title+": "+headline[r.Scenario.Workload]+" latency, µs", latencies)
		}
		for kind, svg := range charts {
			path := filepath.Join(dir, r.Scenario.Name+"-"+kind+".svg")
			if err := os.WriteFile(path, []byte(svg), 0o644); err != nil { //nolint:gosec // results are no secret
				return fmt.Errorf("write a curve: %w", err)
			}
		}
	}
	return nil
}

// headline is the latency that a workload is about.
var headline = map[scenario.Workload]string{
	scenario.Submit: "submit", scenario.Latency: "start", scenario.Chain: "hop", scenario.Fan: "run",
}

func rates(r Result) line {
	l := line{name: "per second"}
	for _, p := range r.Points {
		l.x, l.y = append(l.x, p.X), append(l.y, p.Rate)
	}
	return l
}

func latencyLines(r Result) []line {
	var lines []line
	for _, q := range []struct {
		name string
		of   func(measure.Latency) int64
	}{{"p50", p50}, {"p99", p99}, {"p99.9", p999}} {
		l := line{name: q.name}
		for _, p := range r.Points {
			if latency, ok := p.Latencies[headline[r.Scenario.Workload]]; ok {
				l.x, l.y = append(l.x, p.X), append(l.y, float64(q.of(latency)))
			}
		}
		if len(l.x) > 0 {
			lines = append(lines, l)
		}
	}
	return lines
}

// axis maps values to places, by their logarithm.
type axis struct {
	low, high float64 // powers of ten
	from, to  float64 // places
}

func newAxis(values []float64, from, to float64) axis {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		e := math.Log10(max(v, 1e-3))
		low, high = min(low, math.Floor(e)), max(high, math.Ceil(e))
	}
	if high <= low {
		high = low + 1
	}
	return axis{low, high, from, to}
}

func (a axis) at(v float64) float64 {
	return a.from + (math.Log10(max(v, 1e-3))-a.low)/(a.high-a.low)*(a.to-a.from)
}

// chart draws lines with their axes.
func chart(title string, lines []line) string {
	var xs, ys []float64
	for _, l := range lines {
		xs, ys = append(xs, l.x...), append(ys, l.y...)
	}
	x, y := newAxis(xs, margin, chartWidth-margin), newAxis(ys, chartHeight-margin, margin)
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", chartWidth, chartHeight)
	_, _ = fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/><text x="%d" y="24" font-size="15">%s</text>`+"\n", chartWidth, chartHeight, margin, escape(title))
	for e := x.low; e <= x.high; e++ {
		at := x.at(math.Pow(10, e))
		_, _ = fmt.Fprintf(&b, `<path d="M%.1f %d V%d" stroke="#ddd"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n",
			at, margin, chartHeight-margin, at, chartHeight-margin+18, number(math.Pow(10, e)))
	}
	for e := y.low; e <= y.high; e++ {
		at := y.at(math.Pow(10, e))
		_, _ = fmt.Fprintf(&b, `<path d="M%d %.1f H%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			margin, at, chartWidth-margin, margin-6, at+4, number(math.Pow(10, e)))
	}
	for i, l := range lines {
		color := palette[i%len(palette)]
		var path strings.Builder
		for j := range l.x {
			_, _ = fmt.Fprintf(&path, "%s%.1f %.1f ", map[bool]string{true: "M", false: "L"}[j == 0], x.at(l.x[j]), y.at(l.y[j]))
			_, _ = fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"><title>%s: %s at %s</title></circle>`+"\n",
				x.at(l.x[j]), y.at(l.y[j]), color, escape(l.name), number(l.y[j]), number(l.x[j]))
		}
		_, _ = fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/><text x="%d" y="%d" fill="%s">%s</text>`+"\n",
			path.String(), color, chartWidth-margin+6, margin+16*i, color, escape(l.name))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes all
	return b.String()
}
