package relay

import (
	"fmt"
	"time"

	"github.com/signalboxhq/signalbox/internal/fault"
)

// What agents are told. They act on the reason: STREAM_CLOSED ends the answer,
// RATE_LIMITED and UNAVAILABLE have the frames sent again.
var (
	errStreamClosed = fault.FailedPrecondition("STREAM_CLOSED", "the reader of this stream has gone; stop")
	errSlowReader   = fault.ResourceExhausted("RATE_LIMITED", "the reader is slow; send these frames again")
	errOutOfReach   = fault.Unavailable("UNAVAILABLE", "the replica that holds the reader does not answer; send these frames again")
)

func errFrames(format string, args ...any) error {
	return fault.Invalid("INVALID_ARGUMENT", format, args...)
}

// What readers are told. After UNAVAILABLE a reader may open the stream anew
// where it was cut.
var (
	errStopping   = fault.Unavailable("UNAVAILABLE", "this replica is stopping; open the stream again")
	errLasted     = fault.Unavailable("UNAVAILABLE", "the stream has lasted as long as one may; open it again")
	errNoAnswer   = fault.Unavailable("UNAVAILABLE", "the agent did not answer in time; it may be busy or have lost its connection. Try again")
	errFellSilent = fault.Unavailable("UNAVAILABLE", "the agent fell silent in the middle of the stream; open it again")
	errStuck      = fault.FailedPrecondition("STREAM_CLOSED", "the reader took nothing for too long")
)

func errTooManyStreams(limit int) error {
	return fault.ResourceExhausted("RATE_LIMITED", "the organization reads %d streams of logs and values already, as many as it may at once; close one", limit)
}

func errTooManyBytes(limit int64, until time.Time) error {
	return fault.ResourceExhausted("RATE_LIMITED", "the organization has read %d MB of logs and values within an hour, as much as it may; go on at %s",
		limit/1_000_000, shown(until))
}

func errNoAttempt(task string, attempt uint32) error {
	if attempt == 0 {
		return fault.NotFound("attempt of task", task)
	}
	return &fault.Error{
		Kind: fault.KindNotFound, Reason: fault.ReasonNotFound, Text: fmt.Sprintf("there is no attempt %d of task %q", attempt, task),
	}
}

func errDataGone(agent string) error {
	return fault.FailedPrecondition("DATA_GONE", "the log stayed with the agent %q, which was revoked: it can no longer be read from here", agent)
}

func errAgentOffline(agent string, seen time.Time) error {
	if seen.IsZero() {
		return fault.FailedPrecondition("NO_AGENT_ONLINE", "the log is with the agent %q, which is offline", agent)
	}
	return fault.FailedPrecondition("NO_AGENT_ONLINE", "the log is with the agent %q, which is offline; it was last seen at %s", agent, shown(seen))
}

// errNobodyToOpen explains why no agent can open the values, by the agent of the
// workspace that was seen last.
func errNobodyToOpen(last *candidate) error {
	switch {
	case last == nil:
		return fault.FailedPrecondition("NO_AGENT_ONLINE", "this workspace has no agent that could open its values; install one")
	case last.online:
		return fault.FailedPrecondition("NO_AGENT_ONLINE",
			"no agent that is online holds the workspace's sealing key; give it to %q with `signalbox-agent key import`", last.name)
	case last.seen.IsZero():
		return fault.FailedPrecondition("NO_AGENT_ONLINE", "values are opened by an agent, and none is online; %q was not seen yet", last.name)
	}
	return fault.FailedPrecondition("NO_AGENT_ONLINE", "values are opened by an agent, and none is online; %q was last seen at %s", last.name, shown(last.seen))
}

func shown(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 MST") }
