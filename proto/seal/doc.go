// Package seal keeps the customers' values from us.
//
// # Who holds what
//
// A workspace has one sealing key pair (X25519), and may have had others
// before. Its first agent makes it; the other agents and, if somebody exports
// it, the CLI get the private half from the customer, never through us. The
// control plane stores the public half, and envelopes it cannot open.
//
//	browser, CLI ──Sender──▶ envelope ──▶ control plane ──▶ agent ──Ring.Open──▶ value
//	agent ──Sender──▶ envelope ──▶ control plane (outputs, error text)
//	agent ──StreamSealer──▶ frames ──▶ control plane (relays) ──▶ StreamOpener, browser or CLI
//
// # Envelopes
//
// One value sealed to a workspace. All numbers are byte counts:
//
//	 0   1  version, 1
//	 1   8  kid: the first 8 bytes of sha256(public key)
//	 9  32  enc: the sender's ephemeral public key (HPKE)
//	41  48  the content key, 32 bytes, sealed with HPKE
//	89  12  nonce, random
//	101  n  AES-256-GCM ciphertext of the padded value, tag included
//
// HPKE is RFC 9180 in base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256
// and AES-256-GCM; its info is "signalbox content key v1". A sender wraps one
// content key for at most an hour (ContentKeyLife), so bytes 0 to 88 repeat.
//
// The padded value is the value, 0x80, and zeros up to a multiple of 32: `true`
// and `false`, 7 and 70000 look alike. The ciphertext authenticates as
// associated data
//
//	"signalbox value v1" ‖ 0x00 ‖ bytes 0 to 88 ‖ organization (16) ‖ workspace (16) ‖ name
//
// The name says what the value was sealed as: `params.<param>`,
// `outputs.<task>.<output>` or `error`. The run is left out on purpose: running
// again, the cache, a resume and other pools pass the envelope on unopened.
//
// # Keyed digests
//
// Cache keys, resumed items and comparisons need equality without content: an
// HMAC under a key that is derived from the private one. Only agents can make
// them, nobody can guess a value by hashing candidates, and digests of two keys
// never compare equal, because the kid is part of them.
//
// # Streams
//
// Logs and values on their way to a reader are sealed to a key pair that the
// reader made for this one stream:
//
//	first frame   0x01 ‖ enc (32) ‖ ciphertext
//	other frames  0x02 ‖ ciphertext
//	plaintext     0x00, or 0x01 in the last frame ‖ payload
//
// One HPKE context (same suite) seals all frames: info is
// "signalbox relay v1|<org id>|<run id>|<what>", associated data the frame's
// number from zero, 8 bytes big-endian. A frame that is changed, repeated, left
// out, moved or taken from another stream does not open, and a stream that ends
// without its last frame is known to be cut.
//
// frontend/src/seal is the same in TypeScript; testdata/ holds the vectors that
// both are tested with.
//
// # What this does not protect
//
//   - Who takes over the control plane may offer new clients a key of its own
//     (so the CLI pins the fingerprint and the page shows it), may forge inputs,
//     because sealing needs the public key only, and may replay an envelope as
//     the same name in another run or another pipeline of the workspace. It
//     cannot read what was sealed before, and cannot run code that an agent's
//     policy refuses.
//   - Base mode proves nothing about a stream's sender, and the control plane
//     tells the agent whose key to seal to. An agent's policy may ask for the
//     reader's own identity token; without it, the relay is safe from theft and
//     from a curious operator, not from one who rewrites the service.
//   - The private key opens everything that was ever sealed to it: rotation
//     limits the future, not the past.
//   - Lengths are hidden within 32 bytes for values and not at all for streams;
//     equal digests show equal values.
//
// The package does no I/O and reads no clock; randomness is a parameter except
// inside crypto/hpke, which takes the system's.
package seal
