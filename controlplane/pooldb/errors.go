package pooldb

import "github.com/signalboxhq/signalbox/internal/fault"

// The reasons of this package's faults.
const (
	ReasonInvalid    fault.Reason = "INVALID_ARGUMENT"
	ReasonTaken      fault.Reason = "ALREADY_EXISTS"
	ReasonPermission fault.Reason = "PERMISSION_DENIED"
	ReasonQuota      fault.Reason = "QUOTA_EXCEEDED"
	ReasonLimitHeld  fault.Reason = "LIMIT_HELD"
)

func errNoPool(name string) error { return fault.NotFound("pool", name) }

func errTaken(name string) error {
	return fault.AlreadyExists(ReasonTaken, "the workspace has a pool %q", name)
}

func errTooManyPools(most int) error {
	return fault.ResourceExhausted(ReasonQuota, "the workspace has %d pools, as many as it may", most)
}

// errRestricted is said while the bill is open: no new agents.
var errRestricted = fault.PermissionDenied(ReasonPermission,
	"the organization takes no new agents while its bill is open; those it has go on")

func invalid(path, want string) error {
	return fault.Invalid(ReasonInvalid, "%s must be %s", path, want).
		With(fault.Violation{Path: path, Want: want, Text: path + " must be " + want})
}
