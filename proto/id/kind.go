package id

import "strings"

// Kind is the sort of thing an id names. Its text is the prefix of the id's
// written form, without the underscore.
type Kind string

// The kinds. The prefixes are part of the public API: they never change, and
// one that is given up is never used again.
const (
	Org        Kind = "org"  // organization
	Workspace  Kind = "ws"   // workspace
	User       Kind = "usr"  // user
	Member     Kind = "mem"  // membership of a user in an organization
	Invitation Kind = "inv"  // invitation to an organization
	Key        Kind = "key"  // API key
	Pipeline   Kind = "pipe" // pipeline
	Run        Kind = "run"  // run
	Pool       Kind = "pool" // pool
	Agent      Kind = "agt"  // agent
	Session    Kind = "ses"  // session of an agent
	JoinToken  Kind = "jt"   // join token
	Audit      Kind = "aud"  // audit event
	Stream     Kind = "str"  // sealed stream
	Schedule   Kind = "sch"  // schedule
)

// Kinds lists every kind, in the order of the constants.
func Kinds() []Kind {
	return []Kind{
		Org, Workspace, User, Member, Invitation, Key, Pipeline, Run, Pool, Agent, Session,
		JoinToken, Audit, Stream, Schedule,
	}
}

// Noun is the kind in a sentence, with its article: "a run", "an agent". An
// unknown kind is "an unknown thing".
func (k Kind) Noun() string {
	switch k {
	case Org:
		return "an organization"
	case Workspace:
		return "a workspace"
	case User:
		return "a user"
	case Member:
		return "a member"
	case Invitation:
		return "an invitation"
	case Key:
		return "a key"
	case Pipeline:
		return "a pipeline"
	case Run:
		return "a run"
	case Pool:
		return "a pool"
	case Agent:
		return "an agent"
	case Session:
		return "a session"
	case JoinToken:
		return "a join token"
	case Audit:
		return "an audit event"
	case Stream:
		return "a stream"
	case Schedule:
		return "a schedule"
	}
	return "an unknown thing"
}

// KindOf tells what a text claims to name by its prefix, whether or not the
// rest is a valid id; ok is false where the prefix is no kind. It lets a client
// accept `sb get <any id>`, and tells an id from a slug.
func KindOf(text string) (kind Kind, ok bool) {
	prefix, _, found := strings.Cut(text, "_")
	if !found {
		return "", false
	}
	for _, k := range Kinds() {
		if string(k) == prefix {
			return k, true
		}
	}
	return "", false
}
