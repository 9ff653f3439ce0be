package runapi

import (
	"fmt"

	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/internal/fault"
)

const (
	reasonParam     fault.Reason = "PARAM_INVALID"
	reasonNotSealed fault.Reason = "PARAM_NOT_SEALED"
)

// errRestricted is said while the bill is open: no new runs.
var errRestricted = fault.PermissionDenied("PERMISSION_DENIED",
	"the organization starts no new runs while its bill is open; running ones go on")

// errAgain ends a stream whose client should open another one: CodeAborted, so
// that it is no failure in anybody's log.
var errAgain = fault.Conflict("STREAM_CLOSED", "the stream has ended before the run; watch it again")

func errMismatch(key string) error {
	return fault.Conflict("IDEMPOTENCY_MISMATCH",
		"the idempotency key %q started another run of this pipeline, with other params, labels or version", key)
}

func invalidLabels(violations []fault.Violation) error {
	return fault.Invalid(rundb.ReasonInvalid, "%s", many(violations, "label")).With(violations...)
}

// many is the text above a list of violations: the only one itself, or how many.
func many(violations []fault.Violation, thing string) string {
	if len(violations) == 1 {
		return violations[0].Text
	}
	return fmt.Sprintf("%d %ss are wrong", len(violations), thing)
}
