// Package poolapi serves signalbox.pool.v1.PoolService.
//
// It turns stored pools and agents into messages, and ends the sessions of an
// agent that was revoked through the group commit. What is stored, and the rules
// about it, are controlplane/pooldb's.
package poolapi

import (
	"context"
	"fmt"
	"io"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/controlplane/pooldb"
	"github.com/signalboxhq/signalbox/internal/pg"
	poolv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1/poolv1connect"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Handler is the service.
type Handler struct {
	store     *pooldb.Store
	advancer  Advancer
	publicURL string
}

var _ poolv1connect.PoolServiceHandler = (*Handler)(nil)

// New makes the service. publicURL is where agents reach this server, for the
// command that people copy. random is crypto/rand.Reader and now is time.Now
// outside tests.
func New(db *pg.DB, advancer Advancer, publicURL string, random io.Reader, now func() time.Time) *Handler {
	return &Handler{store: pooldb.NewStore(db, random, now), advancer: advancer, publicURL: publicURL}
}

// CreatePool makes a pool.
func (h *Handler) CreatePool(ctx context.Context, req *poolv1.CreatePoolRequest) (*poolv1.CreatePoolResponse, error) {
	p, err := h.store.CreatePool(ctx, caller.From(ctx), req.GetName(), req.GetSlots())
	if err != nil {
		return nil, err
	}
	return &poolv1.CreatePoolResponse{Pool: poolMessage(p)}, nil
}

// UpdatePool sets what is given.
func (h *Handler) UpdatePool(ctx context.Context, req *poolv1.UpdatePoolRequest) (*poolv1.UpdatePoolResponse, error) {
	p, err := h.store.UpdatePool(ctx, caller.From(ctx), req.GetName(), updateOf(req))
	if err != nil {
		return nil, err
	}
	return &poolv1.UpdatePoolResponse{Pool: poolMessage(p)}, nil
}

// ListPools lists the workspace's pools by name.
func (h *Handler) ListPools(ctx context.Context, _ *poolv1.ListPoolsRequest) (*poolv1.ListPoolsResponse, error) {
	list, err := h.store.ListPools(ctx, caller.From(ctx))
	if err != nil {
		return nil, err
	}
	res := &poolv1.ListPoolsResponse{}
	for _, p := range list {
		res.Pools = append(res.Pools, poolMessage(p))
	}
	return res, nil
}

// GetPool returns a pool with its agents and the workspace's sealing key.
func (h *Handler) GetPool(ctx context.Context, req *poolv1.GetPoolRequest) (*poolv1.GetPoolResponse, error) {
	page, err := h.store.GetPool(ctx, caller.From(ctx), req.GetName())
	if err != nil {
		return nil, err
	}
	key, err := sealingKeyMessage(page.SealingPublic)
	if err != nil {
		return nil, err
	}
	return &poolv1.GetPoolResponse{Pool: poolMessage(page.Pool), Agents: agentMessages(page.Agents), SealingKey: key}, nil
}

// CreateJoinToken makes a token that lets agents join one pool.
func (h *Handler) CreateJoinToken(ctx context.Context, req *poolv1.CreateJoinTokenRequest) (*poolv1.CreateJoinTokenResponse, error) {
	// Bounded first: a product that overflows would look like a short life.
	life := time.Duration(min(req.GetHours(), 1_000_000)) * time.Hour
	secret, expires, err := h.store.CreateJoinToken(ctx, caller.From(ctx), req.GetPool(), req.GetUses(), life)
	if err != nil {
		return nil, err
	}
	return &poolv1.CreateJoinTokenResponse{
		Token: secret.Secret(), ExpiresAt: timestamppb.New(expires),
		Command: fmt.Sprintf("signalbox-agent start --server %s --token %s", h.publicURL, secret.Secret()),
	}, nil
}

// RevokeJoinTokens makes all join tokens of a pool worthless.
func (h *Handler) RevokeJoinTokens(ctx context.Context, req *poolv1.RevokeJoinTokensRequest) (*poolv1.RevokeJoinTokensResponse, error) {
	revoked, err := h.store.RevokeJoinTokens(ctx, caller.From(ctx), req.GetPool())
	if err != nil {
		return nil, err
	}
	return &poolv1.RevokeJoinTokensResponse{Revoked: uint32(revoked)}, nil
}

// ListAgents lists the agents of a pool, or of the workspace.
func (h *Handler) ListAgents(ctx context.Context, req *poolv1.ListAgentsRequest) (*poolv1.ListAgentsResponse, error) {
	list, err := h.store.ListAgents(ctx, caller.From(ctx), req.GetPool())
	if err != nil {
		return nil, err
	}
	return &poolv1.ListAgentsResponse{Agents: agentMessages(list)}, nil
}

// RevokeAgent ends an agent's sessions and leases at once.
func (h *Handler) RevokeAgent(ctx context.Context, req *poolv1.RevokeAgentRequest) (*poolv1.RevokeAgentResponse, error) {
	agent, err := parseAgent(req.GetId())
	if err != nil {
		return nil, err
	}
	if err := h.revoke(ctx, caller.From(ctx), agent); err != nil {
		return nil, err
	}
	return &poolv1.RevokeAgentResponse{}, nil
}

// GetSealingKey returns the workspace's public key, or nothing yet.
func (h *Handler) GetSealingKey(ctx context.Context, _ *poolv1.GetSealingKeyRequest) (*poolv1.GetSealingKeyResponse, error) {
	public, err := h.store.SealingPublic(ctx, caller.From(ctx))
	if err != nil {
		return nil, err
	}
	key, err := sealingKeyMessage(public)
	if err != nil {
		return nil, err
	}
	return &poolv1.GetSealingKeyResponse{SealingKey: key}, nil
}
