package relay_test

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/agentapi"
	"github.com/signalboxhq/signalbox/controlplane/relay"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

var _ agentapi.DataRequests = (*relay.Relay)(nil)

// others leaves out of a list of changes what replicas say of themselves.
var others = regexp.MustCompile(`(?m)^\w+ replica .*\n`)

// TestAcrossReplicas has the reader at one replica, the agent's poll at another,
// and its frames at both in turn.
func TestAcrossReplicas(t *testing.T) {
	t.Parallel()
	b := setup(t)
	agent := b.worker()
	const frames = 20
	var passed bytes.Buffer
	nodes := []*node{b.node(relay.Limits{}), b.node(relay.Limits{})}
	changes := pgtest.Changes(t, b.db, func() {
		r := nodes[0].read(t.Context(), b.logsOf("train", 0))
		require.Equal(t, "gpu-1", r.opened.GetAgentName())
		require.Equal(t, id.Format(id.Agent, agent.id), r.opened.GetAgentId())

		asked := agent.poll(nodes[1].relay)
		require.Equal(t, r.opened.GetStreamId(), asked.GetStreamId())
		require.True(t, strings.HasPrefix(asked.GetStreamId(), nodes[0].replica.ID().String()+".str_"))
		require.Zero(t, asked.GetAttempt(), "as the reader gave it: the seal is bound to it")
		sealer, opener := agent.sealer(asked), r.key.Opener(streamOf(b, asked))
		for seq := range uint64(frames) {
			f := agent.frame(sealer, seq, seq == frames-1)
			encoded, err := proto.Marshal(f)
			require.NoError(t, err)
			passed.Write(encoded)
			require.NoError(t, agent.deliver(nodes[seq%2].relay, asked.GetStreamId(), f))
			require.NoError(t, ignoreClosed(agent.deliver(nodes[(seq+1)%2].relay, asked.GetStreamId(), f)), "again: the answer was lost")
		}
		for seq := range uint64(frames) {
			f := r.frame()
			require.Equal(t, seq, f.GetSeq())
			plain, _, err := opener.Open(f.GetCiphertext())
			require.NoError(t, err)
			require.Equal(t, line(seq), string(plain))
		}
		require.Nil(t, r.frame())
		require.NoError(t, r.stream.Err())
		require.NoError(t, opener.Close())
		for _, n := range nodes {
			require.ErrorIs(t, agent.deliver(n.relay, asked.GetStreamId(), &relayv1.Frame{Seq: frames}), errClosed)
		}
	})
	require.Empty(t, others.ReplaceAllString(changes, ""), "nothing is left in the database")
	require.NotContains(t, passed.String(), "the-secret-line", "what passes is ciphertext")
	require.Empty(t, b.log.String(), "and nobody writes about it")
}

var errClosed = fault.FailedPrecondition("STREAM_CLOSED", "")

// ignoreClosed passes over the refusal of a frame that came again after the last
// one was read.
func ignoreClosed(err error) error {
	if fault.ReasonOf(err) == "STREAM_CLOSED" {
		return nil
	}
	return err
}

func TestValuesAreAskedOfWhoHoldsTheKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	agent, n := b.worker(), b.node(relay.Limits{})
	r := n.read(t.Context(), &relayv1.OpenDataStreamRequest{
		RunId: id.Format(id.Run, b.run), Kind: relayv1.DataKind_DATA_KIND_VALUES, Task: "ignored", Offset: 7,
	})
	asked := agent.poll(n.relay)
	require.Equal(t, relayv1.DataKind_DATA_KIND_VALUES, asked.GetKind())
	require.Empty(t, asked.GetTask())
	require.NoError(t, agent.deliver(n.relay, asked.GetStreamId(), agent.frame(agent.sealer(asked), 0, true)))
	plain, last, err := r.key.Opener(streamOf(b, asked)).Open(r.frame().GetCiphertext())
	require.NoError(t, err)
	require.True(t, last)
	require.Equal(t, line(0), string(plain))
}

func TestFollowingReachesTheAgent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	agent, n := b.worker(), b.node(relay.Limits{})
	req := b.logsOf("train", 1)
	req.Offset, req.Follow = 1234, true
	n.read(t.Context(), req)
	asked := agent.poll(n.relay)
	require.EqualValues(t, 1234, asked.GetOffset())
	require.True(t, asked.GetFollow())
	require.EqualValues(t, 1, asked.GetAttempt())
	require.Equal(t, req.GetPublicKey(), asked.GetPublicKey())
}

func TestSlowReaderGetsAllOfIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	agent, limits := b.worker(), relay.Limits{RoomWithin: 20 * time.Millisecond, BytesPerHour: 1 << 40}
	home, away := b.node(limits), b.node(limits)
	r := home.read(t.Context(), b.logsOf("train", 1))
	asked := agent.poll(home.relay)

	// The sockets take some; then the agent is held back, at either replica.
	seq, held := uint64(0), 0
	for _, at := range []*node{home, away, home} {
		for {
			f := &relayv1.Frame{Seq: seq, Ciphertext: bytes.Repeat([]byte{byte(seq)}, 200<<10)}
			err := agent.deliver(at.relay, asked.GetStreamId(), f)
			if fault.ReasonOf(err) == "RATE_LIMITED" {
				held++
				break
			}
			require.NoError(t, err)
			seq++
		}
	}
	require.Equal(t, 3, held)
	delivered := make(chan error, 1)
	go func() {
		err := error(fault.ResourceExhausted("RATE_LIMITED", ""))
		for fault.ReasonOf(err) == "RATE_LIMITED" {
			err = agent.deliver(away.relay, asked.GetStreamId(), &relayv1.Frame{Seq: seq, Last: true})
		}
		delivered <- err
	}()
	for want := range seq + 1 {
		f := r.frame()
		require.Equal(t, want, f.GetSeq())
		require.Equal(t, want == seq, f.GetLast())
	}
	require.NoError(t, <-delivered)
	require.Nil(t, r.frame())
}

func TestReaderWhoLeavesClosesTheStream(t *testing.T) {
	t.Parallel()
	b := setup(t)
	agent, home, away := b.worker(), b.node(relay.Limits{}), b.node(relay.Limits{})
	for _, at := range []*node{home, away} {
		ctx, leave := context.WithCancel(t.Context())
		home.read(ctx, b.logsOf("train", 1))
		asked := agent.poll(at.relay)
		require.NoError(t, agent.deliver(at.relay, asked.GetStreamId(), &relayv1.Frame{}))
		leave()
		require.Eventually(t, func() bool {
			// A call without frames only asks.
			return fault.ReasonOf(agent.deliver(at.relay, asked.GetStreamId())) == "STREAM_CLOSED"
		}, 10*time.Second, time.Millisecond)
	}
}

func TestReaderWhoLeavesTakesHisRequestBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.worker()
	n := b.node(relay.Limits{})
	ctx, leave := context.WithCancel(t.Context())
	n.read(ctx, b.logsOf("train", 1))
	require.Equal(t, 1, b.requests())
	leave()
	require.Eventually(t, func() bool { return b.requests() == 0 }, 10*time.Second, time.Millisecond)
}

func (b *bundle) requests() (n int) {
	b.t.Helper()
	require.NoError(b.t, b.db.Engine.QueryRow(context.Background(), `SELECT count(*) FROM data_request`).Scan(&n))
	return n
}

func TestStreamBelongsToItsAgent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, home, away := b.worker(), b.node(relay.Limits{}), b.node(relay.Limits{})
	home.read(t.Context(), b.logsOf("train", 1))
	asked := a.poll(home.relay)
	stream := asked.GetStreamId()
	replicaPart, streamPart, _ := strings.Cut(stream, ".")
	for _, at := range []*node{home, away} {
		for name, deliver := range map[string]func() error{
			"another agent":        func() error { return at.relay.Deliver(t.Context(), b.org, id.New(), stream, nil) },
			"another organization": func() error { return at.relay.Deliver(t.Context(), id.New(), a.id, stream, nil) },
			"another stream": func() error {
				return a.deliver(at.relay, replicaPart+"."+id.Format(id.Stream, id.New()))
			},
			"another replica": func() error { return a.deliver(at.relay, id.New().String()+"."+streamPart) },
			"no stream":       func() error { return a.deliver(at.relay, streamPart) },
		} {
			require.ErrorIs(t, deliver(), errClosed, name)
		}
		require.NoError(t, a.deliver(at.relay, stream), "its own")
	}
}

func TestReplicaThatEndedIsAClosedStream(t *testing.T) {
	t.Parallel()
	b := setup(t)
	agent, home, away := b.worker(), b.node(relay.Limits{}), b.node(relay.Limits{})
	r := home.read(t.Context(), b.logsOf("train", 1))
	asked := agent.poll(away.relay)
	require.NoError(t, agent.deliver(away.relay, asked.GetStreamId(), &relayv1.Frame{Ciphertext: []byte("x")}))
	require.NotNil(t, r.frame())
	home.relay.Stop()
	require.Nil(t, r.frame())
	require.Equal(t, connect.CodeUnavailable, connect.CodeOf(r.stream.Err()), "open it again at another one")
	require.ErrorIs(t, agent.deliver(away.relay, asked.GetStreamId()), errClosed)
	home.replica.Stop()
	require.ErrorIs(t, agent.deliver(away.relay, asked.GetStreamId()), errClosed)

	_, err := home.tryRead(t.Context(), b.user(), b.logsOf("train", 1))
	require.Equal(t, connect.CodeUnavailable, connect.CodeOf(err))
}

func TestAgentThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.worker()
	n := b.node(relay.Limits{AnswerWithin: 50 * time.Millisecond})
	r := n.read(t.Context(), b.logsOf("train", 1))
	require.Nil(t, r.frame())
	require.Equal(t, connect.CodeUnavailable, connect.CodeOf(r.stream.Err()))
	require.ErrorContains(t, r.stream.Err(), "did not answer in time")
	require.Zero(t, b.requests(), "the request was taken back before the reader was told")
}

// What a poll took whose answer was lost is asked again, at any replica; what the
// agent has heard is not.
func TestALostRequestIsAskedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	agent := b.worker()
	home, away := b.node(relay.Limits{AskAgain: 20 * time.Millisecond}), b.node(relay.Limits{})
	r := home.read(t.Context(), b.logsOf("train", 1))
	lost := agent.poll(away.relay)
	asked := agent.poll(away.relay)
	require.Equal(t, lost.GetStreamId(), asked.GetStreamId())
	sealer := agent.sealer(asked)
	require.NoError(t, agent.deliver(away.relay, asked.GetStreamId(), agent.frame(sealer, 0, false)))
	require.NotNil(t, r.frame())
	require.NoError(t, agent.deliver(away.relay, asked.GetStreamId(), agent.frame(sealer, 1, true)))
	require.NotNil(t, r.frame())
	require.Nil(t, r.frame())
	require.NoError(t, r.stream.Err())
}
