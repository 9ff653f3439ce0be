package local

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/internal/fault"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

// agentService implements AgentService.
type agentService struct{ *Plane }

// accessLife is how long the agent's access token is good for. It is checked
// here only, on a port of this machine, and ends with this process.
const accessLife = 24 * time.Hour

var (
	errToken   = fault.Unauthenticated("TOKEN_INVALID", "the token is not this run's")
	errSession = fault.FailedPrecondition("SESSION_EXPIRED", "the session is over; open a new one")
	errStale   = fault.FailedPrecondition("STALE_FENCE", "the lease is gone; end its step and drop its results")
)

func errBroken(err error) error {
	return fault.Unavailable("UNAVAILABLE", "the local run cannot go on: %s", err).Because(err)
}

// same compares secrets.
func same(a, b string) bool { return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// agentOnly lets in what has the agent's access token, and the two calls that
// need none.
func (p *Plane) agentOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		access := p.agent.access
		p.mu.Unlock()
		public := strings.HasSuffix(r.URL.Path, "/Enroll") || strings.HasSuffix(r.URL.Path, "/CreateAccessToken")
		if !public && !same(access, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Enroll takes the one agent in. The same key again is the same agent.
func (s agentService) Enroll(_ context.Context, req *agentv1.EnrollRequest) (*agentv1.EnrollResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !same(s.JoinToken, req.GetToken()) || len(req.GetPublicKey()) != ed25519.PublicKeySize {
		return nil, errToken
	}
	switch {
	case s.agent.public == nil:
		s.agent = agent{id: id.New(), public: req.GetPublicKey(), name: req.GetName()}
	case !s.agent.public.Equal(ed25519.PublicKey(req.GetPublicKey())):
		return nil, fault.FailedPrecondition("TOKEN_USED", "a local run has one agent, and it is there already")
	}
	public, _ := s.grantKey.Public().(ed25519.PublicKey)
	return &agentv1.EnrollResponse{
		AgentId: id.Format(id.Agent, s.agent.id), OrganizationId: id.Format(id.Org, s.Org), WorkspaceId: id.Format(id.Workspace, s.Workspace),
		PoolId: id.Format(id.Pool, s.pool), Pool: "local", GrantKey: public,
		SealingKid: s.config.Key.KID().String(), SealingPublicKey: s.config.Key.Bytes(),
	}, nil
}

// CreateAccessToken answers whoever signed with the agent's key.
func (s agentService) CreateAccessToken(_ context.Context, req *agentv1.CreateAccessTokenRequest) (*agentv1.CreateAccessTokenResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var c jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(req.GetAssertion(), &c, func(*jwt.Token) (any, error) { return s.agent.public, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithAudience("signalbox-token"),
		jwt.WithIssuer(id.Format(id.Agent, s.agent.id)), jwt.WithExpirationRequired(), jwt.WithLeeway(time.Minute))
	if s.agent.public == nil || err != nil {
		return nil, errToken.Because(err)
	}
	if s.agent.access == "" {
		s.agent.access = rand.Text()
	}
	return &agentv1.CreateAccessTokenResponse{AccessToken: s.agent.access, ExpiresAt: timestamppb.New(time.Now().Add(accessLife))}, nil
}

// OfferSealingKey answers with the key that holds: it was there before the agent.
func (s agentService) OfferSealingKey(_ context.Context, req *agentv1.OfferSealingKeyRequest) (*agentv1.OfferSealingKeyResponse, error) {
	kid := s.config.Key.KID().String()
	return &agentv1.OfferSealingKeyResponse{Kid: kid, PublicKey: s.config.Key.Bytes(), Accepted: kid == req.GetKid()}, nil
}
