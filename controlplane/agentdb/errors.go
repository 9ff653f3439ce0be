package agentdb

import "github.com/signalboxhq/signalbox/internal/fault"

// ErrTokenUnknown is the answer to every join token that was never made, or is
// mistyped.
var ErrTokenUnknown = fault.Unauthenticated("TOKEN_INVALID",
	"this join token is not known; make a new one on the pool's page or with `signalbox pool join-token`")

func errTooManySessions(most int) error {
	return fault.ResourceExhausted("QUOTA_EXCEEDED", "this agent has %d living sessions, as many as it may; wait until some have ended", most)
}

func errRevoked() error {
	return fault.Unauthenticated("AGENT_REVOKED", "this agent was revoked; join again with a new token")
}
