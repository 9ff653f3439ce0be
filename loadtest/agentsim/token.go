package agentsim

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
)

// bearer is a transport that shows the agent's access token, and renews it.
type bearer struct {
	agent *agent
	next  http.RoundTripper

	mu      sync.Mutex
	current string
	renew   time.Time
}

// RoundTrip adds the token. One that is refused is dropped: the call after it
// asks for a new one.
func (b *bearer) RoundTrip(request *http.Request) (*http.Response, error) {
	token, err := b.get(request.Context())
	if err != nil {
		return nil, err
	}
	request = request.Clone(request.Context())
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := b.next.RoundTrip(request)
	if err == nil && response.StatusCode == http.StatusUnauthorized {
		b.mu.Lock()
		b.current = ""
		b.mu.Unlock()
	}
	return response, err
}

func (b *bearer) get(ctx context.Context) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.current != "" && time.Now().Before(b.renew) {
		return b.current, nil
	}
	now := time.Now()
	assertion, err := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.RegisteredClaims{
		Issuer: b.agent.id, Audience: jwt.ClaimStrings{"signalbox-token"}, ID: rand.Text(),
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(time.Minute)),
	}).SignedString(b.agent.key)
	if err != nil {
		return "", fmt.Errorf("sign an assertion: %w", err)
	}
	out, err := b.agent.public.CreateAccessToken(ctx, &agentv1.CreateAccessTokenRequest{Assertion: assertion})
	if err != nil {
		return "", fmt.Errorf("get an access token: %w", err)
	}
	b.current, b.renew = out.GetAccessToken(), now.Add(out.GetExpiresAt().AsTime().Sub(now)*4/5)
	return b.current, nil
}
