package agentapi

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/signalboxhq/signalbox/controlplane/agentdb"
	"github.com/signalboxhq/signalbox/internal/aside"
	"github.com/signalboxhq/signalbox/internal/pace"
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
	leeway            = 30 * time.Second

	// An agent's assertion has some 300 bytes, its jti 26. What is longer is not
	// from one, and must not be parsed or remembered.
	maxAssertion = 2 << 10
	maxJTI       = 64
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
	// An assertion is good for one token. Until when each is remembered.
	used map[usedAssertion]time.Time
	// Agents that have shown who they are.
	shown pace.Familiar[id.UUID]
}

type verifiedToken struct {
	agent   agentdb.Agent
	expires time.Time
}

// usedAssertion is an agent's: what one agent calls its assertions must not spoil
// another's.
type usedAssertion struct {
	agent id.UUID
	jti   string
}

// The bounds of both memories. That of tokens is emptied when full, which costs
// a signature each. That of assertions forgets what has expired; full of live
// ones it refuses, because forgetting one would let it be used again.
const (
	maxVerified = 20_000
	maxUsed     = 100_000
)

// NewIdentity makes an Identity on the installation's access key.
func NewIdentity(key ed25519.PrivateKey, now func() time.Time) *Identity {
	return &Identity{key: key, now: now, verified: map[[sha256.Size]byte]verifiedToken{}, used: map[usedAssertion]time.Time{}}
}

// strict is how every token is parsed: one method, and no claim may be missing.
func (i *Identity) strict(audience, iss string) []jwt.ParserOption {
	return []jwt.ParserOption{
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithAudience(audience), jwt.WithIssuer(iss),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithTimeFunc(i.now), jwt.WithLeeway(leeway),
	}
}

var (
	errAssertion = errors.New("the assertion is not valid")
	errTooMany   = errors.New("more assertions are alive than can be remembered")
)

// Claimed returns which agent an assertion says it is from. Nothing is proven
// by it: its key must be looked up to Check it.
func Claimed(assertion string) (id.UUID, error) {
	if len(assertion) > maxAssertion {
		return id.UUID{}, errAssertion
	}
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
	if c.ID == "" || len(c.ID) > maxJTI || c.IssuedAt == nil || c.ExpiresAt.Sub(c.IssuedAt.Time) > assertionLife {
		return errAssertion
	}
	return i.first(usedAssertion{a.ID, c.ID}, c.ExpiresAt.Add(leeway))
}

// first refuses an assertion that was used before. It is remembered for as long
// as it would be taken.
func (i *Identity) first(u usedAssertion, until time.Time) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if _, again := i.used[u]; again {
		return errAssertion
	}
	if len(i.used) >= maxUsed {
		now := i.now()
		for old, end := range i.used {
			if now.After(end) {
				delete(i.used, old)
			}
		}
		if len(i.used) >= maxUsed {
			return errTooMany
		}
	}
	i.used[u] = until
	i.shown.Note(u.agent)
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
	var a agentdb.Agent
	var err error
	aside.Do(func() { a, err = i.prove(token, sum) })
	return a, err
}

// prove verifies a token's signature and remembers the token.
func (i *Identity) prove(token string, sum [sha256.Size]byte) (agentdb.Agent, error) {
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
	if len(i.verified) >= maxVerified {
		clear(i.verified)
	}
	i.verified[sum] = verifiedToken{a, c.ExpiresAt.Time}
	return a, nil
}
