// Package logs keeps the output of attempts on the agent's disk and reads it
// back, from any offset and live.
//
//	<dir>/<run>/<task>/<attempt>/00000000000000000000.log    segments, named by
//	                             00000000000016777216.log    where they begin
//
// A log is a sequence of JSON lines, one for each piece of output as it came:
//
//	{"t":1767312000123,"s":"stdout","d":"epoch 1/10\n"}
//
// Its offset counts the bytes of these lines from the beginning of the log and
// never changes its meaning: a reader that was cut off goes on where it was. A
// log that outgrows its limit loses the middle, segment by segment: how a run
// began and how it ended is what people look for.
//
// Followers wait for the writer's own signal, not on a tick: writer and readers
// are one process, and a log without a writer is complete.
//
// What is written here is redacted already (agent/redact). Nothing here leaves
// the machine; the sealed relay sends what a reader with the right to see it
// asks for.
package logs
