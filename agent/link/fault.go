package link

import (
	"errors"
	"strings"

	"connectrpc.com/connect"

	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
)

// Reason is why the control plane refused a call, as a word for programs.
type Reason string

// The reasons that an agent acts on.
const (
	ReasonNone           Reason = ""
	ReasonAgentRevoked   Reason = "AGENT_REVOKED"
	ReasonSessionExpired Reason = "SESSION_EXPIRED"
	ReasonStaleFence     Reason = "STALE_FENCE"
	ReasonStreamClosed   Reason = "STREAM_CLOSED"
	ReasonTokenInvalid   Reason = "TOKEN_INVALID"
	ReasonTokenUsed      Reason = "TOKEN_USED"
	ReasonTokenExpired   Reason = "TOKEN_EXPIRED"
	ReasonNotFound       Reason = "NOT_FOUND"
)

// ReasonOf returns the reason of a refused call, or ReasonNone.
func ReasonOf(err error) Reason {
	refused, ok := errors.AsType[*connect.Error](err)
	if !ok {
		return ReasonNone
	}
	for _, detail := range refused.Details() {
		value, err := detail.Value()
		if err != nil {
			continue
		}
		if fault, ok := value.(*faultv1.Detail); ok {
			return Reason(strings.TrimPrefix(fault.GetReason().String(), "REASON_"))
		}
	}
	return ReasonNone
}

// Temporary reports whether the same call may succeed later without anybody
// changing anything: nobody answered, or the one who did could not.
func Temporary(err error) bool {
	switch connect.CodeOf(err) { //nolint:exhaustive // the others are refusals
	case connect.CodeUnavailable, connect.CodeDeadlineExceeded, connect.CodeCanceled, connect.CodeAborted,
		connect.CodeInternal, connect.CodeUnknown, connect.CodeResourceExhausted:
		return true
	}
	return false
}
