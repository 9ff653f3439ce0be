package rundb

import "github.com/signalboxhq/signalbox/internal/fault"

// The reasons of this package's faults.
const (
	ReasonInvalid     fault.Reason = "INVALID_ARGUMENT"
	ReasonPaused      fault.Reason = "PIPELINE_PAUSED"
	ReasonNotDeployed fault.Reason = "VERSION_NOT_DEPLOYED"
)

func errNoRun(text string) error { return fault.NotFound("run", text) }

func errNoPipeline(name string) error { return fault.NotFound("pipeline", name) }

func invalid(path, want string) error {
	return fault.Invalid(ReasonInvalid, "%s must be %s", path, want).
		With(fault.Violation{Path: path, Want: want, Text: path + " must be " + want})
}
