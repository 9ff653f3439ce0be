// Package relay answers data requests: somebody with the right to see a run's
// data reads its logs or values, end to end.
//
//	control plane ──DataRequest (in a poll)──▶ agent
//	reader ◀──relayed, never stored────────── SendFrames ◀── sealed to the reader's key
//
// A request carries a grant of the control plane for one reader's key and one
// run, of which the agent believes nothing but what it can check. What is sent
// was redacted when it was written. A request may come again, because nobody heard
// the agent yet; a stream is answered once. Nothing is sent in the clear, no error
// either: whatever goes wrong here is told inside the sealed stream or not at
// all.
package relay
