package relay_test

import (
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/agentapi"
	"github.com/signalboxhq/signalbox/controlplane/grant"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// agent is a scripted agent: it polls and delivers through what agentapi asks
// for, at the replica that its proxy happens to lead to.
type agent struct {
	*bundle

	id id.UUID
}

// worker makes an agent that is online, holds the key and ran attempt 1 of the
// task "train".
func (b *bundle) worker() *agent {
	b.t.Helper()
	a := &agent{bundle: b, id: b.addAgent("gpu-1")}
	b.connect(a.id, false, kid)
	b.endAttempt(a.id, "train", 1)
	return a
}

// poll waits at a replica until something is asked.
func (a *agent) poll(at agentapi.DataRequests) *agentv1.DataRequest {
	a.t.Helper()
	for {
		news, cancel := at.Watch(a.id)
		asked, err := at.Take(a.t.Context(), a.org, a.id)
		require.NoError(a.t, err)
		if len(asked) == 0 {
			select {
			case <-news:
			case <-a.t.Context().Done():
				require.NoError(a.t, a.t.Context().Err())
			}
		}
		cancel()
		if len(asked) > 0 {
			require.Len(a.t, asked, 1)
			return asked[0]
		}
	}
}

func (a *agent) deliver(at agentapi.DataRequests, stream string, frames ...*relayv1.Frame) error {
	return at.Deliver(a.t.Context(), a.org, a.id, stream, frames)
}

// sealer checks the grant as agents do, and seals to the reader's key.
func (a *agent) sealer(req *agentv1.DataRequest) *seal.StreamSealer {
	a.t.Helper()
	public, ok := a.grantKey.Public().(ed25519.PublicKey)
	require.True(a.t, ok)
	claims, err := grant.Check(public, time.Now(), req.GetGrant())
	require.NoError(a.t, err)
	require.Equal(a.t, req.GetRunId(), claims.Run)
	require.Equal(a.t, id.Format(id.Org, a.org), claims.Organization)
	require.Equal(a.t, grant.KeyHash(req.GetPublicKey()), claims.KeyHash)
	require.Equal(a.t, id.Format(id.User, a.user().UserID), claims.Subject)
	s, err := seal.NewStreamSealer(req.GetPublicKey(), streamOf(a.bundle, req))
	require.NoError(a.t, err)
	return s
}

func streamOf(b *bundle, req *agentv1.DataRequest) seal.Stream {
	s := seal.Stream{Org: b.org, Run: b.run, What: seal.ValuesOfRun}
	if req.GetKind() == relayv1.DataKind_DATA_KIND_LOGS {
		s.What = seal.LogsOf(req.GetTask(), req.GetAttempt())
	}
	return s
}

// line is the text of a frame, which nobody on the way may see.
func line(seq uint64) string { return fmt.Sprintf("the-secret-line-%d", seq) }

func (a *agent) frame(s *seal.StreamSealer, seq uint64, last bool) *relayv1.Frame {
	a.t.Helper()
	ciphertext, err := s.Seal([]byte(line(seq)), last)
	require.NoError(a.t, err)
	return &relayv1.Frame{Seq: seq, Ciphertext: ciphertext, Last: last}
}
