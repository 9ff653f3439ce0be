package usage

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// Key is what quantities are summed by.
type Key struct {
	Org       id.UUID
	Meter     Meter
	Workspace id.UUID
	Pool      id.UUID
	Pipeline  id.UUID
	LabelSet  int64
	Hour      time.Time // UTC; in which the attempt ended, or the run began
}

// Quantity is a sum of one key.
type Quantity struct {
	Key

	Value int64 // never zero
}

// Measure returns the quantities of one attempt.
func Measure(a Attempt) []Quantity {
	var out []Quantity
	add := func(m Meter, hour time.Time, v int64) {
		if v > 0 {
			out = append(out, Quantity{Value: v, Key: Key{
				Org: a.Org, Meter: m, Workspace: a.Workspace, Pool: a.Pool,
				Pipeline: a.Pipeline, LabelSet: a.LabelSet, Hour: hour,
			}})
		}
	}
	if a.FirstOfRun && !a.Started.IsZero() {
		add(MeterRuns, hour(a.Started), 1)
	}
	if a.billed() {
		ended := a.ended()
		add(MeterTaskAttempts, ended, 1)
		add(MeterTaskMS, ended, a.DurationMS())
		add(MeterGPUMS, ended, a.GPUMS())
	}
	return out
}

// Sum adds up the quantities of many attempts by key. The order of the result
// is that of the keys, so that batches write their rows in one order.
func Sum(attempts []Attempt) []Quantity {
	sums := map[Key]int64{}
	for i := range attempts {
		for _, q := range Measure(attempts[i]) {
			sums[q.Key] += q.Value
		}
	}
	out := make([]Quantity, 0, len(sums))
	for k, v := range sums {
		out = append(out, Quantity{Key: k, Value: v})
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
