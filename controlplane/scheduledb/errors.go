package scheduledb

import (
	"github.com/signalboxhq/signalbox/controlplane/schedule"
	"github.com/signalboxhq/signalbox/internal/fault"
)

// The reasons of this package's faults.
const (
	ReasonInvalid fault.Reason = "INVALID_ARGUMENT"
	ReasonTaken   fault.Reason = "ALREADY_EXISTS"
	ReasonQuota   fault.Reason = "QUOTA_EXCEEDED"
	ReasonOfFile  fault.Reason = "SCHEDULE_OF_FILE"
)

func errNoSchedule(name string) error { return fault.NotFound("schedule", name) }

func errNoPipeline(name string) error { return fault.NotFound("pipeline", name) }

func errTaken(name string) error {
	return fault.AlreadyExists(ReasonTaken, "the workspace has a schedule %q", name)
}

func errTooMany(most int) error {
	return fault.ResourceExhausted(ReasonQuota, "the workspace has %d schedules, as many as it may", most)
}

func errOfFile(name string) error {
	return fault.FailedPrecondition(ReasonOfFile,
		"the schedule %q stands in its pipeline's file; take it out there and apply the file, or pause it", name)
}

func errName(name string) error {
	const want = "lower-case letters, digits, - and _, at most 63, a letter or digit first"
	return fault.Invalid(ReasonInvalid, "%q is no name of a schedule: want %s", clip(name), want).
		With(fault.Violation{Path: "name", Want: want, Got: clip(name), Text: "name must be " + want})
}

func errNote(most int) error {
	return fault.Invalid(ReasonInvalid, "the note must be one line of at most %d bytes", most).
		With(fault.Violation{Path: "note", Text: "note must be one line"})
}

// ErrSpec refuses a schedule, with a violation for each fault.
func ErrSpec(faults []schedule.Fault) error {
	refusal := fault.Invalid(ReasonInvalid, "%s: %s", faults[0].Field, faults[0].Text)
	if len(faults) > 1 {
		refusal = fault.Invalid(ReasonInvalid, "%d things are wrong with the schedule", len(faults))
	}
	for _, f := range faults {
		refusal = refusal.With(fault.Violation{Path: f.Field, Text: f.Field + ": " + f.Text})
	}
	return refusal
}

func clip(text string) string {
	const most = 80
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
