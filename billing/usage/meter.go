package usage

import (
	"maps"
	"slices"
)

// Meter names what is counted.
type Meter string

// The meters. Times are in milliseconds.
const (
	MeterRuns         Meter = "runs"          // once per run, when its first attempt started
	MeterTaskAttempts Meter = "task_attempts" // billable attempts
	MeterTaskMS       Meter = "task_ms"       // their time
	MeterGPUMS        Meter = "gpu_ms"        // their time, times their GPUs
)

// Meters lists all meters.
func Meters() []Meter { return []Meter{MeterRuns, MeterTaskAttempts, MeterTaskMS, MeterGPUMS} }

// billable says which ends of an attempt that had started are billed. An
// outcome that is not here costs nothing, and so does one that this release
// does not know.
//
// lost is not: nobody measured how long it ran. rejected and refused never ran
// the step. Decisions, cache hits and tasks that were canceled in the queue are
// no attempts or never start.
var billable = map[string]bool{
	"succeeded": true,
	"failed":    true,
	"timed_out": true,
	"canceled":  true,
	"preempted": true,
	"skipped":   true, // exit code 77: the step itself said so, after it ran
	"suspended": true,
}

// Billable reports whether an attempt with that outcome (the journal's word) is
// billed. started says that a heartbeat or the report told of its beginning.
func Billable(outcome string, started bool) bool { return started && billable[outcome] }

// BillableOutcomes lists the outcomes that are billed, in a fixed order, for
// those who look for them in the journal.
func BillableOutcomes() []string { return slices.Sorted(maps.Keys(billable)) }
