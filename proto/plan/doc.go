// Package plan is the compiled form of a pipeline version: what the control
// plane's compiler writes, its engine advances and an agent executes.
//
// A plan is canonical JSON, kept and sent as bytes. The sha256 of those bytes
// *is* the version's digest: an agent runs a task only from bytes that hash to
// the version its lease names, so nobody between author and agent can change
// what runs.
//
// The package owns the shape of a plan and its encoding. It knows no YAML (that
// is controlplane/pipeline) and evaluates nothing (that is proto/expr).
package plan
