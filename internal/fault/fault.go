// Package fault is the one error type that may travel to a customer.
//
// It owns the kinds of refusal and what a refusal carries: a reason that
// programs act on, a text that people read, the violations of an invalid
// request, and the cause that only the log sees. It must not know any domain's
// words, the database or the transport: each domain builds its faults in its
// own errors.go, and internal/rpc turns them into wire errors.
//
// An error that is no fault is a defect or an outage of ours. It reaches the
// customer as an opaque internal error, so wrap freely and never put secrets or
// another tenant's data into a fault's Text.
package fault

import (
	"errors"
	"fmt"
)

// Reason says in UPPER_SNAKE why a request was refused. It is the name of a
// value of the proto enum signalbox.fault.v1.Reason without its REASON_ prefix,
// so a Reason is stable: clients compare it.
type Reason string

// ReasonNotFound is given for what is missing and for what belongs to somebody
// else alike: the two must be indistinguishable.
const ReasonNotFound Reason = "NOT_FOUND"

// Violation is one thing that is wrong in an invalid request.
type Violation struct {
	// Path leads to the field, as the customer wrote it: "tasks.train.retry".
	Path string
	// Want says what would have been right: "a duration such as 30s".
	Want string
	// Got is the value that was found, shortened; empty when absent or secret.
	Got string
	// Text is the whole sentence for people.
	Text string
	// Line and Column are the place in the source, from 1; 0 where there is none.
	Line, Column int
	// Excerpt is the source line with a caret below, ready to print.
	Excerpt string
}

// Error is a refusal that a customer may see. Make one with a constructor of
// this package; the zero value is not meaningful.
type Error struct {
	Kind   Kind
	Reason Reason
	// Text is written for the customer: one sentence, no internals.
	Text string
	// Violations are set for KindInvalid only, and optional there.
	Violations []Violation

	cause error
}

// Error returns the text and, for the log, the cause behind it. What leaves the
// process is Text alone.
func (e *Error) Error() string {
	if e.cause == nil {
		return e.Text
	}
	return e.Text + ": " + e.cause.Error()
}

// Unwrap returns the cause, so that errors.Is and errors.As see through a fault.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is a fault of the same kind and reason, so that
// errors.Is(err, ErrStale) works with a fault kept in a variable and wrapped
// with another text or cause.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error) // errors.Is calls this for each error of the chain.
	return ok && t.Kind == e.Kind && t.Reason == e.Reason
}

// Because returns a copy of the fault that carries cause for the log.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// With returns a copy of the fault that carries the violations as well.
func (e *Error) With(violations ...Violation) *Error {
	c := *e
	c.Violations = append(append([]Violation(nil), e.Violations...), violations...)
	return &c
}

// As returns the outermost fault in err's chain.
func As(err error) (*Error, bool) {
	return errors.AsType[*Error](err)
}

// KindOf returns the kind of the outermost fault in err's chain, KindInternal
// for any other error and KindNone for nil.
func KindOf(err error) Kind {
	if err == nil {
		return KindNone
	}
	if f, ok := As(err); ok {
		return f.Kind
	}
	return KindInternal
}

// ReasonOf returns the reason of the outermost fault in err's chain, or "".
func ReasonOf(err error) Reason {
	if f, ok := As(err); ok {
		return f.Reason
	}
	return ""
}

func newError(kind Kind, reason Reason, format string, args ...any) *Error {
	return &Error{Kind: kind, Reason: reason, Text: fmt.Sprintf(format, args...)}
}
