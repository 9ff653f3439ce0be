// Package usage turns what happened into quantities of meters: pure, so that
// the same function counts in the journal's transaction and re-derives an
// invoice from the journal years later.
//
// It must know no prices (that is billing/rating) and must not round: a
// quantity is whole milliseconds or a count.
package usage

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// Meter names what is counted.
type Meter string

// The meters. Times are in milliseconds.
const (
	MeterRuns         Meter = "runs"
	MeterTaskAttempts Meter = "task_attempts"
	MeterTaskMS       Meter = "task_ms"
	MeterGPUMS        Meter = "gpu_ms"
)

// Meters lists all meters.
func Meters() []Meter { return []Meter{MeterRuns, MeterTaskAttempts, MeterTaskMS, MeterGPUMS} }

// Attempt is the end of one attempt, as the journal's entry tells it.
type Attempt struct {
	Org       id.UUID
	Workspace id.UUID
	Pool      id.UUID
	Pipeline  id.UUID
	LabelSet  int64
	// Started is zero if the step never ran; Finished is never before it.
	Started  time.Time
	Finished time.Time
	// Recorded is when the entry was written: the hour that it counts in.
	Recorded time.Time
	// Billable is false for ends that cost nothing: see Billable.
	Billable bool
	GPUs     int32
	// FirstOfRun marks the first attempt of the run that started: the run
	// itself is counted with it.
	FirstOfRun bool
}

// Billable reports whether an end of that outcome is billed: what the platform
// or a policy ended before the step ran is not (tenancy-and-money.md D 2).
func Billable(outcome string, started bool) bool {
	if !started {
		return false
	}
	switch outcome {
	case "succeeded", "failed", "timed_out", "canceled", "skipped", "preempted", "lost", "suspended":
		return true
	}
	return false
}

// Key is what quantities are summed by.
type Key struct {
	Org       id.UUID
	Meter     Meter
	Workspace id.UUID
	Pool      id.UUID
	Pipeline  id.UUID
	LabelSet  int64
	Hour      time.Time
}

// Quantity is a sum of one key.
type Quantity struct {
	Key

	Value int64
}

// DurationMS is what an attempt is billed for: milliseconds from start to end,
// never negative.
func (a Attempt) DurationMS() int64 {
	if !a.Billable || a.Started.IsZero() {
		return 0
	}
	return max(0, a.Finished.Sub(a.Started).Milliseconds())
}

// Measure returns the quantities of one attempt.
func Measure(a Attempt) []Quantity {
	key := Key{
		Org: a.Org, Workspace: a.Workspace, Pool: a.Pool, Pipeline: a.Pipeline, LabelSet: a.LabelSet,
		Hour: a.Recorded.UTC().Truncate(time.Hour),
	}
	var out []Quantity
	add := func(m Meter, v int64) {
		if v > 0 {
			key.Meter = m
			out = append(out, Quantity{key, v})
		}
	}
	if a.FirstOfRun {
		add(MeterRuns, 1)
	}
	if a.Billable {
		add(MeterTaskAttempts, 1)
		add(MeterTaskMS, a.DurationMS())
		add(MeterGPUMS, a.DurationMS()*int64(a.GPUs))
	}
	return out
}

// Sum adds up the quantities of many attempts by key, in a fixed order.
func Sum(attempts []Attempt) []Quantity {
	sums := map[Key]int64{}
	for i := range attempts {
		for _, q := range Measure(attempts[i]) {
			sums[q.Key] += q.Value
		}
	}
	out := make([]Quantity, 0, len(sums))
	for k, v := range sums {
		out = append(out, Quantity{k, v})
	}
	slices.SortFunc(out, func(x, y Quantity) int { return compare(x.Key, y.Key) })
	return out
}

func compare(x, y Key) int {
	return cmp.Or(
		bytes.Compare(x.Org[:], y.Org[:]),
		cmp.Compare(x.Meter, y.Meter),
		bytes.Compare(x.Workspace[:], y.Workspace[:]),
		bytes.Compare(x.Pool[:], y.Pool[:]),
		bytes.Compare(x.Pipeline[:], y.Pipeline[:]),
		cmp.Compare(x.LabelSet, y.LabelSet),
		x.Hour.Compare(y.Hour),
	)
}
