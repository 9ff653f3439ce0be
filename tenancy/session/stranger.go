package session

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"time"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
	"github.com/signalboxhq/signalbox/tenancy/throttle"
	"github.com/signalboxhq/signalbox/tenancy/token"
)

// How often one address may ask without a credential that counts: enough for an
// office that opens the app on a Monday, far less than what would keep the login
// path's few connections busy. What guards passwords is tenancydb's throttle.
const (
	strangersRate  = 20.0 // a second
	strangersBurst = 600
)

// paced is principal, unless too many strangers come from the address: then a
// credential is looked up only if it was good here lately, because it is not
// known yet whose the others are.
func (m *Middleware) paced(ctx context.Context, r *http.Request, ip string) (authz.Principal, error) {
	address, credential := throttle.Address(ip), m.credential(r)
	if wait := m.strangers.Wait(address); wait > 0 && !m.familiar.Knows(credential) {
		return authz.Principal{}, errTooFast(wait)
	}
	found, err := m.principal(ctx, r, ip)
	if found.Kind != "" {
		m.familiar.Note(credential)
	}
	if found.Kind == "" && counts(err) {
		m.strangers.Take(address)
	}
	return found, err
}

// credential is the hash of what the request shows, so that no secret is kept.
func (m *Middleware) credential(r *http.Request) [sha256.Size]byte {
	text := r.Header.Get("Authorization")
	if text == "" {
		text, _ = m.cookies.read(r)
	}
	return sha256.Sum256([]byte(text))
}

// counts reports whether a request of nobody counts: not one that an outage of
// ours made, nor one whose credential is mistyped, for which nobody was asked.
func counts(err error) bool {
	return err == nil || fault.KindOf(err) == fault.KindUnauthenticated && !errors.Is(err, token.ErrMalformed)
}

func errTooFast(wait time.Duration) error {
	return fault.ResourceExhausted(tenancydb.ReasonRateLimited,
		"too many requests without a valid credential come from your address: wait %d s", 1+int(wait.Seconds()))
}
