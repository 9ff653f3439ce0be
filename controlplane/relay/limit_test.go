package relay_test

import (
	"context"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/relay"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/seal"
)

func TestStreamsAtOnceAreLimited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.worker()
	n := b.node(relay.Limits{Streams: 2})
	ctx, leave := context.WithCancel(t.Context())
	n.read(ctx, b.logsOf("train", 1))
	n.read(t.Context(), b.logsOf("train", 1))
	_, err := n.tryRead(t.Context(), b.user(), b.logsOf("train", 1))
	require.Equal(t, connect.CodeResourceExhausted, connect.CodeOf(err))
	require.ErrorContains(t, err, "reads 2 streams")
	leave()
	require.Eventually(t, func() bool {
		_, err := n.tryRead(t.Context(), b.user(), b.logsOf("train", 1))
		return err == nil
	}, 10*time.Second, 10*time.Millisecond, "the place of one who left is free")
}

func TestBytesAnHourAreLimited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	agent, n := b.worker(), b.node(relay.Limits{BytesPerHour: 1000})
	r := n.read(t.Context(), b.logsOf("train", 1))
	asked := agent.poll(n.relay)
	require.NoError(t, agent.deliver(n.relay, asked.GetStreamId(), &relayv1.Frame{Ciphertext: make([]byte, 2000)}))
	require.NotNil(t, r.frame())
	require.ErrorIs(t, agent.deliver(n.relay, asked.GetStreamId(), &relayv1.Frame{Seq: 1}), errClosed)
	require.Nil(t, r.frame())
	require.Equal(t, connect.CodeResourceExhausted, connect.CodeOf(r.stream.Err()))
	_, err := n.tryRead(t.Context(), b.user(), b.logsOf("train", 1))
	require.Equal(t, connect.CodeResourceExhausted, connect.CodeOf(err))
}

func TestDeliveriesAreBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	agent, n := b.worker(), b.node(relay.Limits{})
	n.read(t.Context(), b.logsOf("train", 1))
	stream := agent.poll(n.relay).GetStreamId()
	frame := func(seq uint64, size int) *relayv1.Frame {
		return &relayv1.Frame{Seq: seq, Ciphertext: make([]byte, size)}
	}
	many := make([]*relayv1.Frame, 1001)
	for i := range many {
		many[i] = frame(uint64(i), 0)
	}
	for name, frames := range map[string][]*relayv1.Frame{
		"a large frame": {frame(0, seal.MaxPayload+2<<10)},
		"many frames":   many,
		"many bytes":    {frame(0, 256<<10), frame(1, 256<<10), frame(2, 256<<10), frame(3, 256<<10), frame(4, 1)},
	} {
		require.Equal(t, fault.KindInvalid, fault.KindOf(agent.deliver(n.relay, stream, frames...)), name)
	}
	require.NoError(t, agent.deliver(n.relay, stream, frame(0, seal.MaxPayload+64)), "the largest that an agent seals")
}

func TestIdlePollCostsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	agent, n := b.worker(), b.node(relay.Limits{})
	// A context that is over fails every query.
	over, cancel := context.WithCancel(t.Context())
	cancel()
	asked, err := n.relay.Take(over, b.org, agent.id)
	require.NoError(t, err)
	require.Empty(t, asked)

	n.read(t.Context(), b.logsOf("train", 1))
	_, err = n.relay.Take(over, b.org, agent.id)
	require.Error(t, err)
	asked, err = n.relay.Take(t.Context(), b.org, agent.id)
	require.NoError(t, err)
	require.Len(t, asked, 1, "an error is not the end of the news")
	asked, err = n.relay.Take(over, b.org, agent.id)
	require.NoError(t, err)
	require.Empty(t, asked)
}

func (b *bundle) plantRequest(agent id.UUID, expires string) {
	b.t.Helper()
	b.exec(`INSERT INTO data_request (org_id, id, agent_id, request, expires_at) VALUES (@org, @id, @agent, '', now() + @expires::interval)`,
		pgx.NamedArgs{"org": b.org, "id": id.New(), "agent": agent, "expires": expires})
}

func TestExpiredRequestsAreSwept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	agent, n := id.New(), b.node(relay.Limits{})
	b.plantRequest(agent, "-1 second")
	b.plantRequest(agent, "1 minute")
	require.NoError(t, n.relay.Sweep(t.Context()))
	require.Equal(t, 1, b.requests())
	asked, err := n.relay.Take(t.Context(), b.org, agent)
	require.NoError(t, err)
	require.Len(t, asked, 1, "and those whose notification was lost are found")
}

func TestExpiredRequestsAreNotGivenOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	agent, n := id.New(), b.node(relay.Limits{})
	b.plantRequest(agent, "1 minute")
	require.NoError(t, n.relay.Sweep(t.Context()))
	b.exec(`UPDATE data_request SET expires_at = now() - interval '1 second'`, nil)
	asked, err := n.relay.Take(t.Context(), b.org, agent)
	require.NoError(t, err)
	require.Empty(t, asked)
	require.Zero(t, b.requests())
}

func TestRequestsFromBeforeTheListenerAreFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	agent := id.New()
	b.plantRequest(agent, "1 minute")
	n := b.node(relay.Limits{})
	asked, err := n.relay.Take(t.Context(), b.org, agent)
	require.NoError(t, err)
	require.Len(t, asked, 1)
}

// TestListenerThatIsCutListensAgain also holds what was asked meanwhile: either
// the look at the reconnection finds it, or the notification comes.
func TestListenerThatIsCutListensAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	agent, home, away := b.worker(), b.node(relay.Limits{}), b.node(relay.Limits{})
	cut, err := pgtest.Super(t, b.db.URL()).Exec(t.Context(), `
		SELECT pg_terminate_backend(pid)
		FROM pg_stat_activity
		WHERE datname = current_database() AND query = 'LISTEN "sb_data"'`)
	require.NoError(t, err)
	require.EqualValues(t, 2, cut.RowsAffected())
	r := home.read(t.Context(), b.logsOf("train", 1))
	require.Equal(t, r.opened.GetStreamId(), agent.poll(away.relay).GetStreamId())
}

func TestTakingNamesTheOrganization(t *testing.T) {
	t.Parallel()
	b := setup(t)
	agent, n := id.New(), b.node(relay.Limits{})
	b.plantRequest(agent, "1 minute")
	require.NoError(t, n.relay.Sweep(t.Context()))
	asked, err := n.relay.Take(t.Context(), id.New(), agent)
	require.NoError(t, err)
	require.Empty(t, asked)
	require.Equal(t, 1, b.requests())
}
