package id

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
)

// UUID is an id inside the system: 16 bytes, comparable, usable as a map key
// and as a parameter of a query.
type UUID = uuid.UUID

// Nil is the id of nothing. New and NewAt never return it.
var Nil = uuid.Nil

// New makes an id. Ids made by one process are strictly increasing.
func New() UUID {
	// NewV7 fails only when the system's randomness does, and crypto/rand ends
	// the program in that case.
	return uuid.Must(uuid.NewV7())
}

// NewAt makes the id of a given moment (millisecond precision) from the given
// randomness, of which it reads 10 bytes. Two ids of the same millisecond are
// in no order. It panics when random fails or t lies outside the years 1970 to
// 10889, both of which are mistakes of the caller.
func NewAt(t time.Time, random io.Reader) UUID {
	u := Floor(t)
	var tail [10]byte
	if _, err := io.ReadFull(random, tail[:]); err != nil {
		panic(fmt.Sprintf("id: read randomness: %v", err))
	}
	copy(u[6:], tail[:])
	u[6] = 0x70 | u[6]&0x0f // version 7
	u[8] = 0x80 | u[8]&0x3f // variant of RFC 9562
	return u
}

// Floor is the smallest UUID whose time is t's millisecond: no id made earlier
// is above it, none made from then on is below. It bounds partitions and pages
// by time; it is not an id of anything. It panics like NewAt.
func Floor(t time.Time) UUID {
	ms := t.UnixMilli()
	if ms < 0 || ms >= 1<<48 {
		panic(fmt.Sprintf("id: the time %v does not fit a UUIDv7", t))
	}
	var u UUID
	binary.BigEndian.PutUint64(u[:8], uint64(ms)<<16)
	return u
}

// Time is the moment an id was made, in UTC, to the millisecond. It means
// nothing for a UUID that is no version 7.
func Time(u UUID) time.Time {
	ms := binary.BigEndian.Uint64(u[:8]) >> 16
	return time.UnixMilli(int64(ms)).UTC()
}

// Compare orders ids by age, then by their random part: -1, 0 or 1. It is the
// order of their bytes, of their texts, and of uuid in PostgreSQL.
func Compare(a, b UUID) int {
	return bytes.Compare(a[:], b[:])
}
