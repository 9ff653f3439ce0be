package agentapi_test

import (
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
)

const living = `SELECT count(*) FROM session WHERE NOT ended`

func TestAClosingPollEndsTheSession(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.organization("acme")
	a := b.agent(acme)
	b.start(acme, "train", one())
	polled, err := a.Poll(t.Context(), &agentv1.PollRequest{SessionId: a.session, Free: &agentv1.Capacity{Slots: 1}, Closing: true})
	require.NoError(t, err)
	require.Empty(t, polled.GetWork().GetLeases(), "it is leaving")
	require.Zero(t, queryOne[int64](b, living, nil))
	_, err = a.Poll(t.Context(), &agentv1.PollRequest{SessionId: a.session, Closing: true})
	requireReason(t, "SESSION_EXPIRED", err)
}

// Neither an agent of the same pool nor one from elsewhere closes another's.
func TestOnlyItsAgentClosesASession(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.organization("acme")
	victim := b.agent(acme)
	for name, p := range map[string]place{"the same pool": acme, "another organization": b.organization("umbrella")} {
		thief := b.agent(p)
		_, err := thief.Poll(t.Context(), &agentv1.PollRequest{SessionId: victim.session, Closing: true})
		require.Error(t, err, name)
		requireReason(t, "SESSION_EXPIRED", err)
	}
	require.EqualValues(t, 3, queryOne[int64](b, living, nil))
}

func TestWhoHoldsALeaseCannotClose(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.agent(b.organization("acme"))
	_, err := a.Poll(t.Context(), &agentv1.PollRequest{SessionId: a.session, Closing: true, Held: []*agentv1.Held{{LeaseId: 1}}})
	require.Equal(t, connect.CodeInvalidArgument, connect.CodeOf(err))
	require.EqualValues(t, 1, queryOne[int64](b, living, nil))
}
