package fault

// Kind is the class of a fault: what a caller that knows no reasons can do
// about it.
type Kind int

// The kinds. KindNone is the kind of no error and never that of an Error.
const (
	KindNone               Kind = iota
	KindInvalid                 // The request is wrong in itself; do not repeat it.
	KindNotFound                // The thing does not exist for this caller.
	KindUnauthenticated         // Nobody is asking, or a credential is not valid.
	KindPermissionDenied        // The caller is known and may not.
	KindFailedPrecondition      // The thing is in a state that does not allow it.
	KindAlreadyExists           // The name or key is taken.
	KindConflict                // Somebody else was faster; read again and repeat.
	KindResourceExhausted       // A quota, a limit or a budget is used up.
	KindUnavailable             // A passing outage; repeat with backoff.
	KindInternal                // A defect of ours.
)

// Kinds lists every kind that an Error can have.
func Kinds() []Kind {
	return []Kind{
		KindInvalid, KindNotFound, KindUnauthenticated, KindPermissionDenied, KindFailedPrecondition,
		KindAlreadyExists, KindConflict, KindResourceExhausted, KindUnavailable, KindInternal,
	}
}

// String returns the kind in lower_snake, as logs and metrics name it.
func (k Kind) String() string {
	switch k {
	case KindNone:
		return "none"
	case KindInvalid:
		return "invalid"
	case KindNotFound:
		return "not_found"
	case KindUnauthenticated:
		return "unauthenticated"
	case KindPermissionDenied:
		return "permission_denied"
	case KindFailedPrecondition:
		return "failed_precondition"
	case KindAlreadyExists:
		return "already_exists"
	case KindConflict:
		return "conflict"
	case KindResourceExhausted:
		return "resource_exhausted"
	case KindUnavailable:
		return "unavailable"
	case KindInternal:
		return "internal"
	}
	return "unknown"
}

// Invalid refuses a request that is wrong in itself.
func Invalid(reason Reason, format string, args ...any) *Error {
	return newError(KindInvalid, reason, format, args...)
}

// NotFound says that there is no such thing for this caller. what is the thing
// in the glossary's words ("run"), id the name that the caller gave.
func NotFound(what, id string) *Error {
	return newError(KindNotFound, ReasonNotFound, "there is no %s %q", what, id)
}

// Unauthenticated refuses a caller whose credential is missing or not valid.
func Unauthenticated(reason Reason, format string, args ...any) *Error {
	return newError(KindUnauthenticated, reason, format, args...)
}

// PermissionDenied refuses a known caller who may not do this.
func PermissionDenied(reason Reason, format string, args ...any) *Error {
	return newError(KindPermissionDenied, reason, format, args...)
}

// FailedPrecondition refuses what the thing's present state does not allow.
func FailedPrecondition(reason Reason, format string, args ...any) *Error {
	return newError(KindFailedPrecondition, reason, format, args...)
}

// AlreadyExists refuses a name or key that is taken.
func AlreadyExists(reason Reason, format string, args ...any) *Error {
	return newError(KindAlreadyExists, reason, format, args...)
}

// Conflict says that somebody else changed the thing first: read and repeat.
func Conflict(reason Reason, format string, args ...any) *Error {
	return newError(KindConflict, reason, format, args...)
}

// ResourceExhausted refuses what a quota, a limit or a budget does not allow.
func ResourceExhausted(reason Reason, format string, args ...any) *Error {
	return newError(KindResourceExhausted, reason, format, args...)
}

// Unavailable says that a passing outage prevents it: repeat with backoff.
func Unavailable(reason Reason, format string, args ...any) *Error {
	return newError(KindUnavailable, reason, format, args...)
}

// Internal reports a defect of ours that has a reason worth telling. Any other
// defect is a plain error.
func Internal(reason Reason, format string, args ...any) *Error {
	return newError(KindInternal, reason, format, args...)
}
