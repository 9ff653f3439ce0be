// Package redact hides resolved secrets in everything that leaves a step: its
// output before it is written to the agent's own disk, and every text that the
// agent sends on.
//
// A secret is hidden in each form in which a tool may print it: as it is, each
// of its lines, the strings inside it if it is JSON, base64 at any of the three
// alignments (in both alphabets), URL-escaped, JSON-escaped. It is not hidden if
// a step transforms it in another way (reversed, encrypted, base64 broken into
// lines): redaction guards against accidents, not against a step's author.
//
// The package knows no names of secrets and resolves none (agent/secret does).
package redact
