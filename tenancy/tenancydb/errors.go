package tenancydb

import (
	"time"

	"github.com/signalboxhq/signalbox/internal/fault"
)

// The reasons of this package's faults.
const (
	ReasonBadCredentials   fault.Reason = "BAD_CREDENTIALS"
	ReasonEmailNotVerified fault.Reason = "EMAIL_NOT_VERIFIED"
	ReasonInvalid          fault.Reason = "INVALID_ARGUMENT"
	ReasonLastOwner        fault.Reason = "LAST_OWNER"
	ReasonPermission       fault.Reason = "PERMISSION_DENIED"
	ReasonQuota            fault.Reason = "QUOTA_EXCEEDED"
	ReasonRateLimited      fault.Reason = "RATE_LIMITED"
	ReasonTaken            fault.Reason = "ALREADY_EXISTS"
	ReasonTokenInvalid     fault.Reason = "TOKEN_INVALID"
	ReasonUnauthenticated  fault.Reason = "UNAUTHENTICATED"
)

// ErrUnauthenticated is the answer to every credential that is not good, for
// whatever reason.
var ErrUnauthenticated = fault.Unauthenticated(ReasonUnauthenticated,
	"the credential is not valid: it is unknown, expired or revoked")

var (
	errBadCredentials = fault.Unauthenticated(ReasonBadCredentials, "the e-mail address or the password is wrong")
	errNotVerified    = fault.FailedPrecondition(ReasonEmailNotVerified,
		"open the link that was mailed to you first; signing up again sends another one")
	errMailToken = fault.FailedPrecondition(ReasonTokenInvalid,
		"this link is not valid: it was used already, has expired, or was replaced by a newer one")
	errLastOwner = fault.FailedPrecondition(ReasonLastOwner,
		"an organization needs an owner: make somebody else owner first")
	errBeyondOwnRights = fault.PermissionDenied(ReasonPermission,
		"nobody can grant or take away more than they hold themselves, and no token holds an owner's rights: sign in to the web app for those")
	errNoSession = fault.PermissionDenied(ReasonPermission, "sign in with your password for this")
	errNoPerson  = fault.PermissionDenied(ReasonPermission, "only a person can do this, not the key of a service account")
)

func errRateLimited(wait time.Duration) error {
	seconds := int64((wait + time.Second - 1) / time.Second)
	return fault.ResourceExhausted(ReasonRateLimited, "too many tries: wait %d s", seconds)
}

func invalid(path, want string) error {
	return fault.Invalid(ReasonInvalid, "%s must be %s", path, want).
		With(fault.Violation{Path: path, Want: want, Text: path + " must be " + want})
}
