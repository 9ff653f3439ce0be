// Package agentapi serves the agents: signalbox.agent.v1.AgentService.
//
// Its handlers are thin: they turn messages into commands of
// controlplane/advance and statements of controlplane/agentdb. It has its own
// credentials (Identity) and its own Authorizer; a user's cookie or key opens
// nothing here. It must never see a plain value: what agents report is passed on
// as it came.
package agentapi

import (
	"context"
	"crypto/ed25519"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/folded"
	"github.com/signalboxhq/signalbox/controlplane/replica"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pace"
	"github.com/signalboxhq/signalbox/internal/pg"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Advancer is what agents' requests become.
type Advancer interface {
	Poll(ctx context.Context, c advance.Poll) (*advance.Work, error)
	Report(ctx context.Context, c advance.Report) (*advance.Work, error)
	EndSession(ctx context.Context, c advance.EndSession) (bool, error)
	Lose(ctx context.Context, c advance.Lose) error
	Forget(session id.UUID)
	Lost(replica id.UUID)
}

// Replicas is how polls reach the replica that gathers a pool's agents.
type Replicas interface {
	HandleAsk(path string, h replica.Answerer)
	Ask(ctx context.Context, to id.UUID, path string, body []byte) ([]byte, error)
}

// DataRequests is what readers ask of agents, and where the answers go.
type DataRequests interface {
	// Take removes and returns what is asked of an agent.
	Take(ctx context.Context, org, agent id.UUID) ([]*agentv1.DataRequest, error)
	// Watch returns a channel that is closed when something is asked of the
	// agent, at once if something was. cancel must be called.
	Watch(agent id.UUID) (news <-chan struct{}, cancel func())
	// Deliver passes frames on to their reader. Errors: STREAM_CLOSED.
	Deliver(ctx context.Context, org, agent id.UUID, stream string, frames []*relayv1.Frame) error
}

// Service implements AgentService.
type Service struct {
	pool     *pgxpool.Pool
	advancer Advancer
	requests DataRequests
	replicas Replicas
	identity *Identity
	grantKey ed25519.PublicKey
	log      *slog.Logger
	now      func() time.Time
	// runs are folded for GetInputs.
	runs folded.Cache
	// strangers counts what failed of those who are no agent yet, by address.
	strangers *pace.Pacer
}

// Config is what a Service is made of.
type Config struct {
	Engine   *pgxpool.Pool
	Advancer Advancer
	Requests DataRequests
	// Replicas are the others; nil: there is none.
	Replicas Replicas
	Identity *Identity
	// GrantKey is the public half of the key that signs data grants.
	GrantKey ed25519.PublicKey
	Log      *slog.Logger
	Now      func() time.Time
}

// New makes a Service.
func New(c Config) *Service {
	s := &Service{
		pool: c.Engine, advancer: c.Advancer, requests: c.Requests, replicas: c.Replicas, identity: c.Identity, grantKey: c.GrantKey,
		log: c.Log.With(slog.String("component", "agentapi")), now: c.Now,
		strangers: pace.New(strangersRate, strangersBurst, c.Now),
	}
	if s.replicas != nil {
		s.replicas.HandleAsk(pollPath, s.receive)
	}
	return s
}

func (s *Service) inSystem(ctx context.Context, fn func(tx pgx.Tx) error) error {
	return pg.Retry(ctx, func() error { return pg.InSystem(ctx, s.pool, fn) })
}

// SendFrames passes sealed frames on to their reader.
func (s *Service) SendFrames(ctx context.Context, req *agentv1.SendFramesRequest) (*agentv1.SendFramesResponse, error) {
	a := from(ctx)
	err := s.requests.Deliver(ctx, a.Org, a.ID, req.GetStreamId(), req.GetFrames())
	if fault.ReasonOf(err) == "STREAM_CLOSED" {
		return &agentv1.SendFramesResponse{Closed: true}, nil
	}
	if err != nil {
		return nil, err
	}
	return &agentv1.SendFramesResponse{}, nil
}
