// Package id makes, writes and reads the ids of everything that has one.
//
// An id is a UUIDv7: it carries the millisecond in which it was made, so ids
// sort by age, indexes grow at one end, and the journal can be partitioned by
// run. Inside the system it travels as a UUID (16 bytes). Towards people and
// clients it is written with the kind of thing it names:
//
//	run_01kb5z6w3dfqmrr8nwv1c3yh2k
//	└┬┘ └───────────┬────────────┘
//	kind            26 digits of Crockford's base 32, lower case
//
// The 128 bits are read as one number, padded at the front, so the text sorts
// as the bytes do. There is exactly one spelling of an id: capitals and the
// look-alikes that Crockford forgives (i, l, o) are refused, so that texts may
// be compared, cached and searched for.
//
// The prefix refuses mix-ups: a pipeline's id where a run's was expected is an
// error that names both, not a NotFound to wonder about.
//
// The package knows nothing of what the ids name and does no I/O.
package id
