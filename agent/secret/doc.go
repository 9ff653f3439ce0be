// Package secret resolves the references to secrets that a pipeline names:
// `env:NAME` (the agent's environment) and `file:/path` (the agent's disk).
//
// A secret's value exists here, in the step's environment and in the redactor,
// and nowhere else: it is never sent, logged, sealed or written to disk, and it
// prints as REDACTED. Whether a pipeline may use a secret is not decided here
// but by the agent's policy (agent/policy); only the agent's own identity is out
// of reach of every policy.
package secret
