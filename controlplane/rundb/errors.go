package rundb

import "github.com/signalboxhq/signalbox/internal/fault"

// The reasons of this package's faults.
const (
	ReasonInvalid     fault.Reason = "INVALID_ARGUMENT"
	ReasonNotDeployed fault.Reason = "VERSION_NOT_DEPLOYED"
)

func errNoRun(text string) error { return fault.NotFound("run", text) }

func errNoPipeline(name string) error { return fault.NotFound("pipeline", name) }

func invalid(path, want string) error {
	return fault.Invalid(ReasonInvalid, "%s must be %s", path, want).
		With(fault.Violation{Path: path, Want: want, Text: path + " must be " + want})
}

// errArchived is said where more than a run's row is asked for.
func errArchived(r *Run) error {
	return fault.FailedPrecondition("JOURNAL_ARCHIVED", "the journal of %s#%d was archived: only what lists show of it is at hand", r.Pipeline, r.Number)
}
