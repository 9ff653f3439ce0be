package fakeplane

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net/http"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/golang-jwt/jwt/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

const (
	issuer            = "signalbox"
	assertionAudience = "signalbox-token"
	accessAudience    = "signalbox-agent"
)

// refuse makes an error as the control plane does.
func refuse(code connect.Code, reason faultv1.Reason) error {
	err := connect.NewError(code, errors.New(reason.String()))
	if detail, detailErr := connect.NewErrorDetail(&faultv1.Detail{Reason: reason}); detailErr == nil {
		err.AddDetail(detail)
	}
	return err
}

func (p *Plane) strict(audience, iss string) []jwt.ParserOption {
	return []jwt.ParserOption{
		jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithAudience(audience), jwt.WithIssuer(iss),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(30 * time.Second),
	}
}

type caller struct{}

// authenticate lets in what has a valid access token, and the two calls that
// need none.
func (p *Plane) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		public := strings.HasSuffix(r.URL.Path, "/Enroll") || strings.HasSuffix(r.URL.Path, "/CreateAccessToken")
		if !public {
			token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			var claims jwt.RegisteredClaims
			_, err := jwt.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return p.key.Public(), nil },
				p.strict(accessAudience, issuer)...)
			if err != nil {
				_ = connect.NewErrorWriter().Write(w, r, refuse(connect.CodeUnauthenticated, faultv1.Reason_REASON_UNAUTHENTICATED))
				return
			}
			r = r.WithContext(context.WithValue(r.Context(), caller{}, claims.Subject))
		}
		next.ServeHTTP(w, r)
	})
}

// Revoke revokes all agents: every later call of theirs is refused.
func (p *Plane) Revoke() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.agents {
		a.gone = true
	}
	p.wake()
}

// admit checks the agent that calls, and the fault that a test has planted.
func (p *Plane) admit(ctx context.Context, method string) error {
	if err := p.faults.next(method); err != nil {
		p.wake()
		return err
	}
	agent, _ := ctx.Value(caller{}).(string)
	if a := p.agents[agent]; a == nil || a.gone {
		return refuse(connect.CodeUnauthenticated, faultv1.Reason_REASON_AGENT_REVOKED)
	}
	return nil
}

func (s *service) Enroll(_ context.Context, r *agentv1.EnrollRequest) (*agentv1.EnrollResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.faults.next("Enroll"); err != nil {
		return nil, err
	}
	if r.GetToken() != Token {
		return nil, refuse(connect.CodeUnauthenticated, faultv1.Reason_REASON_TOKEN_INVALID)
	}
	var found *agent
	for _, a := range s.agents {
		if a.public.Equal(ed25519.PublicKey(r.GetPublicKey())) {
			found = a
		}
	}
	if found == nil {
		found = &agent{id: id.Format(id.Agent, id.New()), public: r.GetPublicKey()}
		s.agents[found.id] = found
	}
	public, _ := s.key.Public().(ed25519.PublicKey)
	return &agentv1.EnrollResponse{
		AgentId: found.id, OrganizationId: id.Format(id.Org, s.Org), WorkspaceId: id.Format(id.Workspace, s.Workspace),
		PoolId: id.Format(id.Pool, s.Pool), Pool: "default", GrantKey: public,
	}, nil
}

func (s *service) CreateAccessToken(_ context.Context, r *agentv1.CreateAccessTokenRequest) (*agentv1.CreateAccessTokenResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.faults.next("CreateAccessToken"); err != nil {
		return nil, err
	}
	refused := refuse(connect.CodeUnauthenticated, faultv1.Reason_REASON_TOKEN_INVALID)
	var claims jwt.RegisteredClaims
	if _, _, err := jwt.NewParser().ParseUnverified(r.GetAssertion(), &claims); err != nil {
		return nil, refused
	}
	a := s.agents[claims.Issuer]
	if a == nil || a.gone {
		return nil, refuse(connect.CodeUnauthenticated, faultv1.Reason_REASON_AGENT_REVOKED)
	}
	_, err := jwt.ParseWithClaims(r.GetAssertion(), &claims, func(*jwt.Token) (any, error) { return a.public, nil },
		s.strict(assertionAudience, a.id)...)
	if err != nil || claims.ID == "" || s.used[claims.ID] || claims.ExpiresAt.Sub(claims.IssuedAt.Time) > time.Minute {
		return nil, refused
	}
	s.used[claims.ID] = true
	expires := time.Now().Add(10 * time.Minute)
	token, err := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.RegisteredClaims{
		Issuer: issuer, Subject: a.id, Audience: jwt.ClaimStrings{accessAudience},
		IssuedAt: jwt.NewNumericDate(time.Now()), ExpiresAt: jwt.NewNumericDate(expires),
	}).SignedString(s.key)
	return &agentv1.CreateAccessTokenResponse{AccessToken: token, ExpiresAt: timestamppb.New(expires)}, err
}

func (s *service) OfferSealingKey(ctx context.Context, r *agentv1.OfferSealingKeyRequest) (*agentv1.OfferSealingKeyResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.admit(ctx, "OfferSealingKey"); err != nil {
		return nil, err
	}
	if s.sealing.kid == "" {
		s.sealing.kid, s.sealing.public = r.GetKid(), r.GetPublicKey()
	}
	return &agentv1.OfferSealingKeyResponse{
		Kid: s.sealing.kid, PublicKey: s.sealing.public, Accepted: s.sealing.kid == r.GetKid(),
	}, nil
}

// SealingKey is the workspace's public key; a test may set it before an agent
// offers one.
func (p *Plane) SealingKey() (kid string, public []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sealing.kid, p.sealing.public
}

// SetSealingKey plays another agent that was there first.
func (p *Plane) SetSealingKey(kid string, public []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sealing.kid, p.sealing.public = kid, public
}
