// Package report says what a benchmark found: as JSON with all parameters beside
// the figures, as a table with the bars, and as curves. It measures nothing.
package report

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/signalboxhq/signalbox/loadtest/driver"
	"github.com/signalboxhq/signalbox/loadtest/measure"
	"github.com/signalboxhq/signalbox/loadtest/scenario"
	"github.com/signalboxhq/signalbox/loadtest/yardstick"
)

// Result is one run of one scenario.
type Result struct {
	Scenario scenario.Scenario `json:"scenario"`
	Driver   string            `json:"driver"`
	At       time.Time         `json:"at"`
	Machine  Machine           `json:"machine"`
	// Yardstick is the mean of those before and after the points.
	Yardstick yardstick.Yardstick `json:"yardstick"`
	Points    []Point             `json:"points"`
}

// Machine is where it ran.
type Machine struct {
	Cores    int               `json:"cores"`
	CPU      string            `json:"cpu"`
	Kernel   string            `json:"kernel"`
	Go       string            `json:"go"`
	Commit   string            `json:"commit,omitempty"`
	Postgres string            `json:"postgres"`
	Settings map[string]string `json:"settings"`
}

// Point is one parameter's figures.
type Point struct {
	// Name is the parameter as people say it: "64 callers", "200/s".
	Name string `json:"name"`
	// X is the parameter as a number, where curves have it.
	X float64 `json:"x"`
	// Condition is what else happened to the database.
	Condition scenario.Condition `json:"condition,omitempty"`
	// Runs and Steps were done in Usage.Seconds.
	Runs  int64 `json:"runs"`
	Steps int64 `json:"steps"`
	// Rate is the throughput a second: of steps, or of submits where these are
	// the workload.
	Rate float64 `json:"per_second"`
	// Latencies by what they measure: submit, start, done, hop, run.
	Latencies map[string]measure.Latency `json:"latencies,omitempty"`
	Usage     measure.Usage              `json:"usage"`
	// Positions are those of a small team's leases among all, the first being 1.
	Positions []int `json:"positions,omitempty"`
	// Verdict is what a check of the books found, after faults.
	Verdict *driver.Verdict `json:"verdict,omitempty"`
	// Agents is what the agents counted.
	Agents driver.Counts `json:"agents"`
}

// Told is how many attempts the tables tell of. PostgreSQL's sessions tell their
// writes up to 10 s late, so rows are not divided by the steps of the point, but
// by the leases that ended in the same telling, where there are leases.
func (p Point) Told() int64 {
	if ended := p.Usage.Rows["lease"].Deleted; ended > 0 {
		return ended
	}
	return p.Steps
}

// quiet is how much foreign load a figure stands, in cores.
const quiet = 0.3

// Disturbed reports whether something else used the machine meanwhile.
func (p Point) Disturbed() bool { return p.Usage.ForeignCores > quiet }

// Disturbed reports whether any point was.
func (r Result) Disturbed() bool { return slices.ContainsFunc(r.Points, Point.Disturbed) }

// CPUPerStep is what the measured processes took for a step, in microseconds.
func (p Point) CPUPerStep() float64 {
	return per(p.Usage.Measured("server", "postgres")*1e6, p.Steps)
}

// LoadPerStep is what the benchmark itself took for a step, agents included.
func (p Point) LoadPerStep() float64 {
	var sum float64
	for name, seconds := range p.Usage.CPU {
		if name != "server" && name != "postgres" {
			sum += seconds
		}
	}
	return per(sum*1e6, p.Steps)
}

func per(sum float64, n int64) float64 {
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// Write writes the result into a folder, named by scenario and time, and returns
// the file.
func (r Result) Write(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // results are no secret
		return "", fmt.Errorf("make the folder of the results: %w", err)
	}
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encode the result: %w", err)
	}
	path := filepath.Join(dir, r.Scenario.Name+"-"+r.At.UTC().Format("20060102T150405")+".json")
	if err := os.WriteFile(path, append(content, '\n'), 0o644); err != nil { //nolint:gosec // results are no secret
		return "", fmt.Errorf("write the result: %w", err)
	}
	return path, nil
}

// Read reads a result.
func Read(path string) (Result, error) {
	var r Result
	content, err := os.ReadFile(path)
	if err != nil {
		return r, fmt.Errorf("read a result: %w", err)
	}
	if err := json.Unmarshal(content, &r); err != nil {
		return r, fmt.Errorf("read %s: %w", path, err)
	}
	return r, nil
}
