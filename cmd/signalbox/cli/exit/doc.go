// Package exit turns errors into what the command line ends with: an exit code
// that scripts may rely on, and a text that says what happened, why, and what
// to do about it.
//
// It owns the table of exit codes and the advice for each reason of the
// contract. It must not call the service and must not end the process.
package exit
