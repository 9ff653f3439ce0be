package exit

import (
	"fmt"

	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
)

// Error is an error that knows how the program ends because of it.
type Error struct {
	Code Code
	// Name is the machine's word for the class of the error: the wire code of
	// the service ("not_found") or the name of the exit code.
	Name string
	// Reason is a reason of signalbox.fault.v1 without its prefix, or empty.
	Reason string
	// Text says what happened, in one sentence for a person.
	Text string
	// Hint says what to do about it; empty where there is nothing to say.
	Hint       string
	Violations []*faultv1.Violation
	// Request is the id of the request that failed, for a report to whoever runs
	// the service; set where that is needed.
	Request string

	cause error
}

// New makes an error of this program's own.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Name: code.Name(), Text: fmt.Sprintf(format, args...)}
}

// Usagef says that the command line is wrong.
func Usagef(format string, args ...any) *Error { return New(Usage, format, args...) }

// Wrongf says that a value or a file is wrong.
func Wrongf(format string, args ...any) *Error { return New(Wrong, format, args...) }

// Advise returns a copy of the error with another hint.
func (e *Error) Advise(format string, args ...any) *Error {
	c := *e
	c.Hint = fmt.Sprintf(format, args...)
	return &c
}

// Because returns a copy of the error with the error that caused it.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// Error is the text alone; Report writes the rest.
func (e *Error) Error() string { return e.Text }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// QuietError is an error that has been told already: it only carries the exit code,
// as when a run that was watched has failed before the reader's eyes.
type QuietError struct {
	Code Code
}

// Error names the code, for tests and logs; Report prints nothing.
func (q *QuietError) Error() string { return "exit: " + q.Code.Name() }
