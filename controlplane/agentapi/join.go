package agentapi

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/controlplane/agentdb"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/rpc"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/seal"
	"github.com/signalboxhq/signalbox/tenancy/throttle"
	"github.com/signalboxhq/signalbox/tenancy/token"
)

// Two methods answer to strangers. Only what fails is counted, so that a fleet
// behind one address may start at once.
const (
	strangersRate  = 10.0 // a second
	strangersBurst = 300
)

// stranger runs what somebody asks who is no agent yet, or has not shown it; an
// address from which too much has failed is not served at all. Agents that have
// shown who they are before are: they may share their address with whoever fails.
func (s *Service) stranger(ctx context.Context, claimed id.UUID, fn func() error) error {
	address := throttle.Address(addressOf(ctx))
	if wait := s.strangers.Wait(address); wait > 0 && !s.identity.shown.Knows(claimed) {
		return fault.ResourceExhausted("RATE_LIMITED", "too many calls from your address have failed: wait %d s", 1+int(wait.Seconds()))
	}
	err := fn()
	switch fault.KindOf(err) {
	case fault.KindUnauthenticated, fault.KindFailedPrecondition, fault.KindPermissionDenied:
		s.strangers.Take(address)
	case fault.KindNone, fault.KindInvalid, fault.KindNotFound, fault.KindAlreadyExists, fault.KindConflict,
		fault.KindResourceExhausted, fault.KindUnavailable, fault.KindInternal:
	}
	return err
}

func (s *Service) origin(ctx context.Context) agentdb.Origin {
	return agentdb.Origin{At: s.now(), IP: addressOf(ctx), RequestID: rpc.RequestID(ctx), Random: rand.Reader}
}

// Enroll exchanges a join token for an identity.
func (s *Service) Enroll(ctx context.Context, req *agentv1.EnrollRequest) (*agentv1.EnrollResponse, error) {
	if len(req.GetPublicKey()) != ed25519.PublicKeySize {
		return nil, fault.Invalid("INVALID_ARGUMENT", "public_key must be %d bytes of Ed25519", ed25519.PublicKeySize)
	}
	if err := checkText("name", req.GetName(), 1, maxName); err != nil {
		return nil, err
	}
	if err := checkText("version", req.GetVersion(), 0, maxVersion); err != nil {
		return nil, err
	}
	var a agentdb.Agent
	err := s.stranger(ctx, id.Nil, func() error {
		secret, err := token.ParseKind(token.Join, req.GetToken())
		if err != nil {
			return agentdb.ErrTokenUnknown // mistyped: the database need not be asked
		}
		return s.inSystem(ctx, func(tx pgx.Tx) (err error) {
			a, err = agentdb.Enroll(ctx, tx, agentdb.Enrollment{
				TokenHash: secret.Hash(), PublicKey: req.GetPublicKey(), Name: req.GetName(), Version: req.GetVersion(),
			}, s.origin(ctx))
			return err
		})
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
	var a agentdb.Agent
	claimed, unread := Claimed(req.GetAssertion())
	err := s.stranger(ctx, claimed, func() error {
		if unread != nil {
			return refused.Because(unread)
		}
		err := s.inSystem(ctx, func(tx pgx.Tx) (err error) {
			a, err = agentdb.Get(ctx, tx, claimed)
			return err
		})
		if err != nil {
			return err
		}
		if err := s.identity.CheckAssertion(req.GetAssertion(), a); err != nil {
			return refused.Because(err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	access, expires, err := s.identity.Access(a)
	if err != nil {
		return nil, err
	}
	return &agentv1.CreateAccessTokenResponse{AccessToken: access, ExpiresAt: timestamppb.New(expires)}, nil
}

// OfferSealingKey stores the workspace's public sealing key if it has none.
func (s *Service) OfferSealingKey(ctx context.Context, req *agentv1.OfferSealingKeyRequest) (*agentv1.OfferSealingKeyResponse, error) {
	if err := checkSealingKey(req.GetKid(), req.GetPublicKey()); err != nil {
		return nil, err
	}
	out := &agentv1.OfferSealingKeyResponse{}
	err := s.inSystem(ctx, func(tx pgx.Tx) error {
		a, err := agentdb.Get(ctx, tx, from(ctx).ID)
		if err != nil {
			return err
		}
		out.Kid, out.PublicKey, err = agentdb.OfferSealingKey(ctx, tx, a, req.GetKid(), req.GetPublicKey(), s.origin(ctx))
		return err
	})
	if err != nil {
		return nil, err
	}
	out.Accepted = out.GetKid() == req.GetKid()
	return out, nil
}

// checkSealingKey refuses a key under another's name, and one to which anybody
// could open what is sealed: the workspace would keep it for ever.
func checkSealingKey(kid string, public []byte) error {
	key, err := seal.ParsePublicKey(public)
	if err != nil {
		return fault.Invalid("INVALID_ARGUMENT", "public_key is not an X25519 key of %d bytes", seal.PublicKeySize).Because(err)
	}
	if own := key.KID().String(); own != kid {
		return fault.Invalid("INVALID_ARGUMENT", "kid must be %s, the id of the public key", own).
			Because(fmt.Errorf("kid %q was given", kid))
	}
	return nil
}
