// Package audit is the arithmetic of the audit log: what an event is, and the
// hash chain that makes a changed, missing or moved entry show.
//
//	hash(n) = SHA-256( hash(n-1) ‖ canonical(entry n) )
//
// Each organization has its own chain, from seq 1 and thirty-two zero bytes. The
// names, addresses and mail addresses of people enter a hash only as a salted
// commitment: deleting them together with the salt erases the person and keeps
// the chain.
//
// Events are administration: members, keys, roles, pools, deployments, money.
// Who started a run stands in the run's journal. The package does no I/O, and
// knows neither tables nor which actions there are.
package audit

import (
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// ActorType is the sort of whoever acted.
type ActorType string

// The types of actors.
const (
	ActorUser           ActorType = "user"
	ActorServiceAccount ActorType = "service_account"
	ActorAgent          ActorType = "agent"
	ActorSystem         ActorType = "system" // Signalbox itself: a timer, the billing run
	ActorStaff          ActorType = "staff"  // a person of ours
)

// ActorTypes lists the types of actors.
func ActorTypes() []ActorType {
	return []ActorType{ActorUser, ActorServiceAccount, ActorAgent, ActorSystem, ActorStaff}
}

// Outcome is how it went.
type Outcome string

// The outcomes.
const (
	OutcomeDone   Outcome = "done"
	OutcomeDenied Outcome = "denied" // the caller may not; nothing happened
)

// Outcomes lists the outcomes.
func Outcomes() []Outcome { return []Outcome{OutcomeDone, OutcomeDenied} }

// Actor is who acted.
type Actor struct {
	Type ActorType `json:"type"`
	// ID is the user, key or agent; Nil for the system.
	ID id.UUID `json:"id"`
	// Via is the credential that was used: "session:<uuid>", "key:<uuid>", or
	// empty.
	Via string `json:"via,omitempty"`
}

// Personal is what an event tells of people. It can be erased.
type Personal struct {
	ActorName string `json:"actor_name,omitempty"` // as it was then: an e-mail address, a key's name
	IP        string `json:"ip,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`
	// Subject is the person that it happened to: the address invited, the member
	// removed.
	Subject string `json:"subject,omitempty"`
}

// Event is what happened, before it has its place in the chain.
type Event struct {
	// At is kept to the microsecond.
	At          time.Time `json:"at"`
	OrgID       id.UUID   `json:"org_id"`
	WorkspaceID id.UUID   `json:"workspace_id"` // Nil when it was no workspace's
	Actor       Actor     `json:"actor"`
	// Action is the thing and the verb: "member.invite". Those about money begin
	// with "billing.".
	Action string `json:"action"`
	// Resource is the id of what it was done to, in its written form.
	Resource  string  `json:"resource,omitempty"`
	RequestID string  `json:"request_id,omitempty"`
	Outcome   Outcome `json:"outcome"`
	// Detail is a JSON object of what changed, without personal data; empty for
	// none.
	Detail string `json:"detail,omitempty"`
	// Before and After are SHA-256 digests of the thing's two states, where it
	// has content worth comparing.
	Before []byte `json:"before,omitempty"`
	After  []byte `json:"after,omitempty"`

	Personal Personal `json:"personal,omitzero"`
}

// Entry is an event in its place.
type Entry struct {
	Seq int64 `json:"seq"`
	Event
	// Salt opens the commitment to Personal; empty once that was erased.
	Salt       []byte `json:"salt,omitempty"`
	Commitment []byte `json:"commitment"`
	Hash       []byte `json:"hash"`
}

// Erased reports whether the entry's personal part is gone for ever.
func (e Entry) Erased() bool { return len(e.Salt) == 0 }

// Head is the end of a chain: the last entry's number and hash. The zero Head
// is the chain before its first entry.
type Head struct {
	Seq  int64
	Hash []byte
}
