package agentapi

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/signalboxhq/signalbox/controlplane/agentdb"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/rpc"
	authzv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/authz/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

// The tokens of agents: an assertion that an agent signs with its own key, and
// the access token that it gets for it.
const (
	issuer            = "signalbox"
	assertionAudience = "signalbox-token"
	accessAudience    = "signalbox-agent"
	assertionLife     = time.Minute
	accessLife        = 10 * time.Minute
)

type accessClaims struct {
	jwt.RegisteredClaims

	Organization string `json:"org"`
	Workspace    string `json:"ws"`
	Pool         string `json:"pool"`
}

// Identity makes and checks agents' credentials.
type Identity struct {
	key ed25519.PrivateKey
	now func() time.Time

	mu sync.Mutex
	// Verifying a signature costs sixty times what a look-up does.
	verified map[[sha256.Size]byte]verifiedToken
	// An assertion is good for one token.
	used map[string]time.Time
}

type verifiedToken struct {
	agent   agentdb.Agent
	expires time.Time
}

// maxRemembered bounds both memories; they are emptied when full.
const maxRemembered = 20_000

// NewIdentity makes an Identity on the installation's access key.
func NewIdentity(key ed25519.PrivateKey, now func() time.Time) *Identity {
	return &Identity{key: key, now: now, verified: map[[sha256.Size]byte]verifiedToken{}, used: map[string]time.Time{}}
}

// strict is how every token is parsed: one method, and no claim may be missing.
func (i *Identity) strict(audience, iss string) []jwt.ParserOption {
	return []jwt.ParserOption{
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithAudience(audience), jwt.WithIssuer(iss),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithTimeFunc(i.now), jwt.WithLeeway(30 * time.Second),
	}
}

var errAssertion = errors.New("the assertion is not valid")

// Claimed returns which agent an assertion says it is from. Nothing is proven
// by it: its key must be looked up to Check it.
func Claimed(assertion string) (id.UUID, error) {
	var c jwt.RegisteredClaims
	if _, _, err := jwt.NewParser().ParseUnverified(assertion, &c); err != nil {
		return id.UUID{}, errAssertion
	}
	return id.Parse(id.Agent, c.Issuer)
}

// CheckAssertion proves that an assertion was signed by the agent's key, lately,
// and was not used before on this replica.
func (i *Identity) CheckAssertion(assertion string, a agentdb.Agent) error {
	var c jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(assertion, &c, func(*jwt.Token) (any, error) { return a.PublicKey, nil },
		i.strict(assertionAudience, id.Format(id.Agent, a.ID))...)
	if err != nil {
		return fmt.Errorf("%w: %w", errAssertion, err)
	}
	if c.ID == "" || c.IssuedAt == nil || c.ExpiresAt.Sub(c.IssuedAt.Time) > assertionLife {
		return errAssertion
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if _, again := i.used[c.ID]; again {
		return errAssertion
	}
	if len(i.used) >= maxRemembered {
		clear(i.used)
	}
	i.used[c.ID] = c.ExpiresAt.Time
	return nil
}

// Access issues an access token.
func (i *Identity) Access(a agentdb.Agent) (string, time.Time, error) {
	now := i.now()
	expires := now.Add(accessLife)
	c := accessClaims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Subject: id.Format(id.Agent, a.ID), Audience: jwt.ClaimStrings{accessAudience},
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(expires),
		},
		Organization: id.Format(id.Org, a.Org), Workspace: id.Format(id.Workspace, a.Workspace), Pool: id.Format(id.Pool, a.Pool),
	}
	out, err := jwt.NewWithClaims(jwt.SigningMethodEdDSA, c).SignedString(i.key)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("sign access token: %w", err)
	}
	return out, expires, nil
}

func (i *Identity) verify(token string) (agentdb.Agent, error) {
	sum := sha256.Sum256([]byte(token))
	i.mu.Lock()
	known, ok := i.verified[sum]
	i.mu.Unlock()
	if ok && i.now().Before(known.expires) {
		return known.agent, nil
	}
	var c accessClaims
	public := i.key.Public()
	_, err := jwt.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return public, nil }, i.strict(accessAudience, issuer)...)
	if err != nil {
		return agentdb.Agent{}, err
	}
	var a agentdb.Agent
	for _, p := range []struct {
		kind id.Kind
		text string
		into *id.UUID
	}{{id.Agent, c.Subject, &a.ID}, {id.Org, c.Organization, &a.Org}, {id.Workspace, c.Workspace, &a.Workspace}, {id.Pool, c.Pool, &a.Pool}} {
		if *p.into, err = id.Parse(p.kind, p.text); err != nil {
			return agentdb.Agent{}, err
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.verified) >= maxRemembered {
		clear(i.verified)
	}
	i.verified[sum] = verifiedToken{a, c.ExpiresAt.Time}
	return a, nil
}

type agentKey struct{}

// Middleware puts the agent of a valid access token into the context. A cookie
// or a user's key means nothing here.
func (i *Identity) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
			if a, err := i.verify(token); err == nil {
				r = r.WithContext(context.WithValue(r.Context(), agentKey{}, a))
			}
		}
		next.ServeHTTP(w, r)
	})
}

// from returns the agent that asks. The Authorizer has made sure that there is
// one.
func from(ctx context.Context) agentdb.Agent {
	a, _ := ctx.Value(agentKey{}).(agentdb.Agent)
	return a
}

// Authorizer lets agents in, and nobody else.
type Authorizer struct{}

// Authorize refuses a call without an agent's token, unless its method is
// public. Whether the agent was revoked is asked with its session at each call.
func (Authorizer) Authorize(ctx context.Context, call rpc.Call) (context.Context, error) {
	if call.Rule.GetScope() != authzv1.Scope_SCOPE_AGENT {
		return nil, fault.PermissionDenied("PERMISSION_DENIED", "agents may not call this")
	}
	if call.Rule.GetPublic() {
		return ctx, nil
	}
	if from(ctx).ID == (id.UUID{}) {
		return nil, fault.Unauthenticated("UNAUTHENTICATED", "this needs an agent's access token")
	}
	return ctx, nil
}
