// Package scenario reads what a benchmark is to do. A scenario is a file; what
// it says is written beside the result, so that a figure never stands alone. The
// package runs nothing.
package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Workload is one of the kinds of docs: what is done, and what is measured.
type Workload string

// The workloads. Those named by their letter and number in README.md.
const (
	Bulk    Workload = "bulk"    // W1
	Submit  Workload = "submit"  // W2
	Latency Workload = "latency" // W3
	Chain   Workload = "chain"   // W4
	Fan     Workload = "fan"     // W5
	Flood   Workload = "flood"   // W7: one tenant floods while another submits
	Faults  Workload = "faults"  // W8
	Idle    Workload = "idle"    // W9
	Map     Workload = "map"     // one run of a task for each item of a list
	Restart Workload = "restart" // the server dies while very many steps are open
	Share   Workload = "share"   // a small team behind a large one, in one pool
	Gang    Workload = "gang"    // a step of several agents in a stream of small ones
)

// Workloads lists them all.
func Workloads() []Workload {
	return []Workload{Bulk, Submit, Latency, Chain, Fan, Flood, Faults, Idle, Map, Restart, Share, Gang}
}

// Condition is what else happens to the database during a point.
type Condition string

// The conditions of W7, and those of W10 that need no switch in the server.
const (
	Undisturbed Condition = "undisturbed"
	Snapshot    Condition = "snapshot held"
	Checkpoints Condition = "checkpoints"
	Vacuum      Condition = "vacuum"
	SlowDisk    Condition = "disk 1 ms slower"
	NoRowLevel  Condition = "no row-level security"
	// Analyzed while idle: the planner believes that queue and leases are empty,
	// as after any quiet night.
	AnalyzedIdle Condition = "analyzed while idle"
	NoMetering   Condition = "no metering"
	// What steps leave: usually an open value each.
	SealedValues Condition = "sealed values"
	NoValues     Condition = "no values"
	// What the workload itself puts beside a point; no scenario asks for it.
	BesideMap Condition = "beside a map"
)

// Conditions lists those that a scenario may ask for.
func Conditions() []Condition {
	return []Condition{Undisturbed, Snapshot, Checkpoints, Vacuum, SlowDisk, NoRowLevel, AnalyzedIdle, NoMetering, SealedValues, NoValues}
}

// Fault is what is killed in the middle.
type Fault string

// The faults of W8.
const (
	KillServer   Fault = "server"
	KillDatabase Fault = "database"
	KillAgents   Fault = "agents"
)

// Faulty lists them all.
func Faulty() []Fault { return []Fault{KillServer, KillDatabase, KillAgents} }

// Shape is what the database holds before anything is measured.
type Shape struct {
	// Queued steps wait in a pool that has no agents, Finished ones are history.
	Queued   int `yaml:"queued" json:"queued,omitempty"`
	Finished int `yaml:"finished" json:"finished,omitempty"`
	// Tenants are others that do nothing, IdleAgents connected ones of theirs.
	Tenants    int `yaml:"tenants" json:"tenants,omitempty"`
	IdleAgents int `yaml:"idle_agents" json:"idle_agents,omitempty"`
}

// Filled reports whether the shape is of rows: these take long to make, and can be
// copied.
func (s Shape) Filled() bool { return s.Queued+s.Finished+s.Tenants > 0 }

// Scenario is one file. Fields that a workload does not use stay empty.
type Scenario struct {
	Name     string   `yaml:"name" json:"name"`
	Title    string   `yaml:"title" json:"title"`
	Workload Workload `yaml:"workload" json:"workload"`

	Tenants int    `yaml:"tenants" json:"tenants"`
	Agents  Agents `yaml:"agents" json:"agents"`
	// SpecBytes is about the size of a step's description, ResultBytes that of
	// the value it leaves.
	SpecBytes   int `yaml:"spec_bytes" json:"spec_bytes"`
	ResultBytes int `yaml:"result_bytes" json:"result_bytes"`

	// Steps is how many are done in all, Width how many one run has (bulk, fan),
	// Length how long a chain is.
	Steps  int `yaml:"steps" json:"steps,omitempty"`
	Width  int `yaml:"width" json:"width,omitempty"`
	Length int `yaml:"length" json:"length,omitempty"`
	// Items makes the flood maps of so many items, one after the other, instead of
	// wide runs for which nobody waits.
	Items int `yaml:"items" json:"items,omitempty"`
	// AtOnce is how many runs each tenant has going, or how many callers submit:
	// one point for each.
	AtOnce []int `yaml:"at_once" json:"at_once,omitempty"`
	// Rates are submits a second: one point for each.
	Rates []float64 `yaml:"rates" json:"rates,omitempty"`
	// Warmup goes before each point and is not counted; Duration is the point's.
	Warmup   Duration `yaml:"warmup" json:"warmup"`
	Duration Duration `yaml:"duration" json:"duration"`
	// CountRows are the points, by AtOnce, whose rows and transactions are
	// counted. PostgreSQL tells them late, which costs 10 s each.
	CountRows []int `yaml:"count_rows" json:"count_rows,omitempty"`

	// Against names the scenario whose figures these are compared with.
	Against string `yaml:"against" json:"against,omitempty"`
	// Shape is filled in first.
	Shape Shape `yaml:"shape" json:"shape"`
	// Under are conditions: each point is repeated under each (bulk).
	Under []Condition `yaml:"under" json:"under,omitempty"`
	// Kill is what dies, one after the other, every so often (faults).
	Kill  []Fault  `yaml:"kill" json:"kill,omitempty"`
	Every Duration `yaml:"every" json:"every,omitempty"`

	// ReserveAfter is how long a step that does not fit waits until room is kept
	// for it (gang).
	ReserveAfter Duration `yaml:"reserve_after" json:"reserve_after,omitempty"`

	// Postgres is settings beside the defaults.
	Postgres map[string]string `yaml:"postgres" json:"postgres,omitempty"`
}

// Agents are those of each tenant.
type Agents struct {
	Count int `yaml:"count" json:"count"`
	Slots int `yaml:"slots" json:"slots"`
	// ReportBatch is how many ends one report carries at most; agents have 50.
	ReportBatch int      `yaml:"report_batch" json:"report_batch"`
	Step        Duration `yaml:"step" json:"step"`
}

// Duration is written as `2s`.
type Duration time.Duration

// UnmarshalYAML reads it.
func (d *Duration) UnmarshalYAML(node *yaml.Node) error {
	v, err := time.ParseDuration(node.Value)
	if err != nil {
		return fmt.Errorf("line %d: %w", node.Line, err)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes it into the result.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads it from a result.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// Load reads a file. What it leaves out has the defaults of the design: 200 B of
// description, 60 B of result, reports of 50.
func Load(path string) (Scenario, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return Scenario{}, fmt.Errorf("read a scenario: %w", err)
	}
	s, err := Parse(content)
	if err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	if s.Name == "" {
		s.Name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	}
	return s, nil
}

// Parse reads a scenario. An unknown key is an error.
func Parse(content []byte) (Scenario, error) {
	s := Scenario{Tenants: 1, SpecBytes: 200, ResultBytes: 60, Agents: Agents{ReportBatch: 50}}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&s); err != nil {
		return s, fmt.Errorf("parse a scenario: %w", err)
	}
	return s, s.validate()
}

// Scaled is the scenario with more or fewer steps, a larger or smaller shape, and
// longer or shorter points.
func (s Scenario) Scaled(by float64) Scenario {
	for _, n := range []*int{&s.Steps, &s.Shape.Queued, &s.Shape.Finished, &s.Shape.Tenants, &s.Shape.IdleAgents} {
		*n = int(float64(*n) * by)
	}
	s.Warmup, s.Duration = Duration(float64(s.Warmup)*by), Duration(float64(s.Duration)*by)
	return s
}

func (s Scenario) validate() error {
	var errs []error
	need := func(ok bool, text string) {
		if !ok {
			errs = append(errs, errors.New(text))
		}
	}
	need(s.Tenants > 0, "tenants must be positive")
	need(s.Agents.ReportBatch > 0, "agents.report_batch must be positive")
	need(s.Agents.Count == 0 || s.Agents.Slots > 0, "agents.slots must be positive")
	switch s.Workload {
	case Bulk:
		need(s.Steps > 0 && s.Width > 0 && len(s.AtOnce) > 0, "bulk needs steps, width and at_once")
	case Submit:
		need(len(s.AtOnce) > 0 && s.Duration > 0, "submit needs at_once and duration")
	case Latency:
		need(len(s.Rates) > 0 && s.Duration > 0, "latency needs rates and duration")
	case Chain:
		need(s.Length > 1 && len(s.AtOnce) > 0 && s.Duration > 0, "chain needs length, at_once and duration")
	case Fan:
		need(s.Width > 0 && len(s.AtOnce) > 0 && s.Duration > 0, "fan needs width, at_once and duration")
	case Flood:
		need((s.Items > 0 || s.Steps > 0 && s.Width > 0) && len(s.Rates) > 0 && s.Duration > 0 && s.Tenants == 2, "flood needs two tenants, steps and width or items, rates and duration")
	case Faults:
		need(s.Steps > 0 && s.Width > 0 && len(s.AtOnce) == 1 && len(s.Kill) > 0 && s.Every > 0, "faults needs steps, width, one at_once, kill and every")
	case Idle:
		need(len(s.AtOnce) > 0 && s.Duration > 0, "idle needs at_once (agents) and duration")
	case Map:
		need(s.Width > 0 && len(s.AtOnce) > 0 && s.Duration > 0, "map needs width, at_once and duration")
	case Restart:
		need(s.Steps > 0 && s.Width > 0 && len(s.AtOnce) == 1, "restart needs steps, width and one at_once (callers)")
	case Share:
		need(s.Steps > s.Width && s.Width > 1 && s.Tenants == 1, "share needs one tenant, steps (of the large team) and width (of the small one)")
	case Gang:
		need(s.Width > 1 && s.Steps > 0 && s.ReserveAfter > 0 && s.Tenants == 1, "gang needs one tenant, steps (gangs), width (members) and reserve_after")
	default:
		need(false, fmt.Sprintf("workload %q is none of %v", s.Workload, Workloads()))
	}
	for _, c := range s.Under {
		need(slices.Contains(Conditions(), c), fmt.Sprintf("condition %q is none of %q", c, Conditions()))
	}
	for _, f := range s.Kill {
		need(slices.Contains(Faulty(), f), fmt.Sprintf("kill %q is none of %q", f, Faulty()))
	}
	need(s.Workload == Submit || s.Workload == Idle || s.Agents.Count > 0, "agents.count must be positive")
	return errors.Join(errs...)
}
