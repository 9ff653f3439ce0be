package usage

import (
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// Attempt is the end of one attempt, as the journal's entry tells it.
type Attempt struct {
	Org       id.UUID
	Workspace id.UUID
	Pool      id.UUID
	Pipeline  id.UUID
	LabelSet  int64
	// Started is zero if the step never ran. Both are by the agent's monotonic
	// clock, cut to the time between grant and report by the database's.
	Started  time.Time
	Finished time.Time
	// Recorded is when the entry was written. It stands in for a Finished that
	// nobody told.
	Recorded time.Time
	// Billable is false for ends that cost nothing: see Billable. It needs a
	// start.
	Billable bool
	GPUs     int32
	// Members is how many agents ran it at once as a gang, each with these GPUs,
	// and BusyMS what they took together; 0: it was no gang's.
	Members int32
	BusyMS  int64
	// FirstOfRun marks the first attempt of the run, over all its generations,
	// that started: the run itself is counted with it, billable or not.
	FirstOfRun bool
}

// DurationMS is what an attempt is billed for: whole milliseconds from start to
// end, never negative, zero if it is not billable.
func (a Attempt) DurationMS() int64 {
	if !a.billed() {
		return 0
	}
	if a.Members > 0 {
		return a.BusyMS
	}
	return max(0, a.Finished.Sub(a.Started).Milliseconds())
}

// GPUMS is what an attempt is billed for of GPU time: DurationMS times the GPUs,
// of each member of a gang.
func (a Attempt) GPUMS() int64 { return a.DurationMS() * int64(a.GPUs) }

func (a Attempt) billed() bool { return a.Billable && !a.Started.IsZero() }

// ended is the hour, UTC, that the attempt counts in: the one it ended in, even
// if the report came later. A period that was closed meanwhile gets an
// adjustment.
func (a Attempt) ended() time.Time {
	if a.Finished.IsZero() {
		return hour(a.Recorded)
	}
	return hour(a.Finished)
}

func hour(t time.Time) time.Time { return t.UTC().Truncate(time.Hour) }
