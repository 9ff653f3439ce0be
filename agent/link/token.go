package link

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1/agentv1connect"
)

// How an agent asks for an access token: with an assertion signed by its own
// key, good for one token and one minute.
const (
	assertionAudience = "signalbox-token"
	assertionLife     = time.Minute
)

// tokens holds the access token of ten minutes and renews it.
type tokens struct {
	public   agentv1connect.AgentServiceClient // without a token of its own
	identity *Identity
	clock    *Clock

	mu      sync.Mutex
	current string
	renew   time.Time // by the monotonic clock of this machine
}

// get returns a token that will be good for a while. Only one goroutine asks for
// a new one; the others wait for it.
func (t *tokens) get(ctx context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current != "" && time.Now().Before(t.renew) {
		return t.current, nil
	}
	response, err := t.ask(ctx)
	if err != nil && ReasonOf(err) == ReasonTokenInvalid && t.clock.Skew() != 0 {
		// The refusal has told what time it is; the assertion is made anew.
		response, err = t.ask(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("get an access token: %w", err)
	}
	life := response.GetExpiresAt().AsTime().Sub(t.clock.Now())
	t.current = response.GetAccessToken()
	t.renew = time.Now().Add(life * 4 / 5)
	return t.current, nil
}

func (t *tokens) ask(ctx context.Context) (*agentv1.CreateAccessTokenResponse, error) {
	assertion, err := t.assert()
	if err != nil {
		return nil, err
	}
	return t.public.CreateAccessToken(ctx, &agentv1.CreateAccessTokenRequest{Assertion: assertion})
}

// assert signs a new assertion.
func (t *tokens) assert() (string, error) {
	now := t.clock.Now()
	nonce := make([]byte, 16)
	if _, err := rand.Read(nonce); err != nil {
		return "", fmt.Errorf("make an assertion: %w", err)
	}
	claims := jwt.RegisteredClaims{
		Issuer: t.identity.Agent, Audience: jwt.ClaimStrings{assertionAudience}, ID: hex.EncodeToString(nonce),
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(assertionLife)),
	}
	assertion, err := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims).SignedString(t.identity.Key)
	if err != nil {
		return "", fmt.Errorf("sign an assertion: %w", err)
	}
	return assertion, nil
}

// forget drops a token that was refused, unless it was renewed meanwhile.
func (t *tokens) forget(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current == token {
		t.current = ""
	}
}

// bearer is a transport that shows the token with each request.
type bearer struct {
	tokens *tokens
	next   http.RoundTripper
}

func (b *bearer) RoundTrip(request *http.Request) (*http.Response, error) {
	token, err := b.tokens.get(request.Context())
	if err != nil {
		return nil, err
	}
	request = request.Clone(request.Context())
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := b.next.RoundTrip(request)
	if err == nil && response.StatusCode == http.StatusUnauthorized {
		b.tokens.forget(token)
	}
	return response, err
}
