package pg

import (
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/signalboxhq/signalbox/internal/fault"
)

// The SQLSTATEs that somebody acts on.
const (
	stateForeignKeyViolation  = "23503"
	stateUniqueViolation      = "23505"
	stateCheckViolation       = "23514"
	stateSerializationFailure = "40001"
	stateDeadlockDetected     = "40P01"
	statePrivilege            = "42501"
	stateLockNotAvailable     = "55P03"
	stateQueryCanceled        = "57014"
	stateNotInRepertoire      = "22021"
	stateUntranslatable       = "22P05"

	// Classes of states.
	classConnection = "08"
	classResources  = "53" // no connection, memory or disk left
	classShutdown   = "57P"
)

// NoRows reports whether a query that must return a row returned none.
func NoRows(err error) bool { return errors.Is(err, pgx.ErrNoRows) }

// NotFoundAs returns missing when err says that there was no row, and err
// otherwise (nil included).
func NotFoundAs(err error, missing *fault.Error) error {
	if NoRows(err) {
		return missing
	}
	return err
}

// UniqueViolation reports whether err is a duplicate key, and the name of the
// constraint or unique index that refused it.
func UniqueViolation(err error) (constraint string, ok bool) {
	return violation(err, stateUniqueViolation)
}

// ForeignKeyViolation reports whether err is a reference to a missing row, or
// the deletion of a row still referred to, and the constraint's name.
func ForeignKeyViolation(err error) (constraint string, ok bool) {
	return violation(err, stateForeignKeyViolation)
}

// CheckViolation reports whether err is a refused CHECK, and its name.
func CheckViolation(err error) (constraint string, ok bool) {
	return violation(err, stateCheckViolation)
}

// Retryable reports whether the database rolled the transaction back only
// because of another one: the same transaction may well succeed now.
func Retryable(err error) bool {
	s := state(err)
	return s == stateSerializationFailure || s == stateDeadlockDetected
}

// LockTimeout reports whether a lock was not to be had in time (lock_timeout,
// NOWAIT).
func LockTimeout(err error) bool { return state(err) == stateLockNotAvailable }

// Canceled reports whether the database ended the statement: its
// statement_timeout passed, or somebody asked for it.
func Canceled(err error) bool { return state(err) == stateQueryCanceled }

// Denied reports whether the role may not do this or row-level security
// refused a row.
func Denied(err error) bool { return state(err) == statePrivilege }

// Unstorable reports whether a text was refused because PostgreSQL cannot hold
// it: it has a NUL or is not UTF-8. That is the fault of whoever sent it.
func Unstorable(err error) bool {
	s := state(err)
	return s == stateNotInRepertoire || s == stateUntranslatable
}

// OutcomeUnknown reports whether err, returned by a commit, leaves open what
// became of the transaction: the connection broke before the answer came.
// Whoever asked must be told to repeat, never that it failed.
func OutcomeUnknown(err error) bool {
	if err == nil || errors.Is(err, pgx.ErrTxClosed) || errors.Is(err, pgx.ErrTxCommitRollback) {
		return false
	}
	pe, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return true
	}
	// A FATAL answer ends the session at any moment (57P01, an administrator's
	// stop), also between the commit record and the answer.
	return pe.SeverityUnlocalized != "ERROR"
}

func violation(err error, want string) (constraint string, ok bool) {
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok && pe.Code == want {
		return pe.ConstraintName, true
	}
	return "", false
}

func state(err error) string {
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pe.Code
	}
	return ""
}

// Unreachable reports whether the database could not be asked, or went away
// before it answered: it is down, starting, stopping, or out of connections,
// memory or disk.
// The same request may succeed soon.
func Unreachable(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if s := state(err); s != "" {
		return strings.HasPrefix(s, classConnection) || strings.HasPrefix(s, classResources) || strings.HasPrefix(s, classShutdown)
	}
	_, broken := errors.AsType[*net.OpError](err)
	return broken || errors.Is(err, io.ErrUnexpectedEOF) || pgconn.SafeToRetry(err)
}
