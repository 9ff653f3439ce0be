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
	"crypto/sha256"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/agentdb"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Advancer is what agents' requests become.
type Advancer interface {
	Poll(ctx context.Context, c advance.Poll) (*advance.Work, error)
	Report(ctx context.Context, c advance.Report) (*advance.Work, error)
	Lose(ctx context.Context, c advance.Lose) error
	Forget(session id.UUID)
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
	identity *Identity
	grantKey ed25519.PublicKey
	log      *slog.Logger
	now      func() time.Time
}

// Config is what a Service is made of.
type Config struct {
	Engine   *pgxpool.Pool
	Advancer Advancer
	Requests DataRequests
	Identity *Identity
	// GrantKey is the public half of the key that signs data grants.
	GrantKey ed25519.PublicKey
	Log      *slog.Logger
	Now      func() time.Time
}

// New makes a Service.
func New(c Config) *Service {
	return &Service{
		pool: c.Engine, advancer: c.Advancer, requests: c.Requests, identity: c.Identity, grantKey: c.GrantKey,
		log: c.Log.With(slog.String("component", "agentapi")), now: c.Now,
	}
}

func (s *Service) inSystem(ctx context.Context, fn func(tx pgx.Tx) error) error {
	return pg.Retry(ctx, func() error { return pg.InSystem(ctx, s.pool, fn) })
}

// Enroll exchanges a join token for an identity.
func (s *Service) Enroll(ctx context.Context, req *agentv1.EnrollRequest) (*agentv1.EnrollResponse, error) {
	if len(req.GetPublicKey()) != ed25519.PublicKeySize {
		return nil, fault.Invalid("INVALID_ARGUMENT", "public_key must be %d bytes of Ed25519", ed25519.PublicKeySize)
	}
	if n := len(req.GetName()); n == 0 || n > 100 {
		return nil, fault.Invalid("INVALID_ARGUMENT", "name must have 1 to 100 characters")
	}
	var a agentdb.Agent
	err := s.inSystem(ctx, func(tx pgx.Tx) (err error) {
		a, err = agentdb.Enroll(ctx, tx, agentdb.Enrollment{
			TokenHash: sha256.Sum256([]byte(req.GetToken())), PublicKey: req.GetPublicKey(), Name: req.GetName(), Version: req.GetVersion(),
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return &agentv1.EnrollResponse{
		AgentId: id.Format(id.Agent, a.ID), OrganizationId: id.Format(id.Org, a.Org), WorkspaceId: id.Format(id.Workspace, a.Workspace),
		PoolId: id.Format(id.Pool, a.Pool), Pool: a.PoolName, GrantKey: s.grantKey,
		SealingKid: a.SealingKid, SealingPublicKey: a.SealingPublic,
	}, nil
}

// CreateAccessToken exchanges a signed assertion for an access token.
func (s *Service) CreateAccessToken(ctx context.Context, req *agentv1.CreateAccessTokenRequest) (*agentv1.CreateAccessTokenResponse, error) {
	refused := fault.Unauthenticated("TOKEN_INVALID", "the assertion is not valid: it must be signed by the agent's key within the last minute, and be new")
	claimed, err := Claimed(req.GetAssertion())
	if err != nil {
		return nil, refused.Because(err)
	}
	var a agentdb.Agent
	err = s.inSystem(ctx, func(tx pgx.Tx) (err error) {
		a, err = agentdb.Get(ctx, tx, claimed)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := s.identity.CheckAssertion(req.GetAssertion(), a); err != nil {
		return nil, refused.Because(err)
	}
	access, expires, err := s.identity.Access(a)
	if err != nil {
		return nil, err
	}
	return &agentv1.CreateAccessTokenResponse{AccessToken: access, ExpiresAt: timestamppb.New(expires)}, nil
}

// OfferSealingKey stores the workspace's public sealing key if it has none.
func (s *Service) OfferSealingKey(ctx context.Context, req *agentv1.OfferSealingKeyRequest) (*agentv1.OfferSealingKeyResponse, error) {
	if len(req.GetPublicKey()) != 32 || len(req.GetKid()) != 16 {
		return nil, fault.Invalid("INVALID_ARGUMENT", "kid must be 16 hex digits and public_key 32 bytes")
	}
	a := from(ctx)
	out := &agentv1.OfferSealingKeyResponse{}
	err := s.inSystem(ctx, func(tx pgx.Tx) (err error) {
		if a, err = agentdb.Get(ctx, tx, a.ID); err != nil {
			return err
		}
		out.Kid, out.PublicKey, err = agentdb.OfferSealingKey(ctx, tx, a.Org, a.Workspace, req.GetKid(), req.GetPublicKey())
		return err
	})
	if err != nil {
		return nil, err
	}
	out.Accepted = out.GetKid() == req.GetKid()
	return out, nil
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
