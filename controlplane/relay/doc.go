// Package relay passes logs and values from a customer's agent to a reader, as
// ciphertext: signalbox.relay.v1.RelayService.
//
//	reader ──OpenDataStream──▶ replica A ──DataRequest──▶ database ──poll, any replica──▶ agent
//	reader ◀──frames────────── replica A ◀──────────────────────────SendFrames, to A──── agent
//	                               ▲──internal listener── replica B ◀──or to B────────── agent
//
// The reader's stream lives in the replica that it is connected to, and its id
// names that replica. What is asked of the agent waits in the table data_request
// until a poll takes it, wherever the agent polls; a NOTIFY wakes that poll. The
// answer to it may be lost, so the stream asks again until it hears the agent,
// which answers a stream once. A replica that gets frames of another one's stream
// forwards them.
//
// Rules:
//
//   - Frames are ciphertext and stay in memory: never stored, never logged. The
//     package must not be able to open one.
//   - Whether the reader may see the run is decided here, as sb_api under
//     row-level security, and signed for the agent (controlplane/grant). Whether
//     it holds data.read was decided before, by the interceptor.
//   - A stream belongs to one agent of one organization. Frames of anybody else
//     are answered as if there were no stream.
//   - A stream holds a bounded number of bytes. A slow reader slows its agent
//     down, and costs nobody else anything.
//   - A stream ends within an hour: the next one is checked anew, so that a
//     reader whose rights were withdrawn does not read on for days.
package relay
