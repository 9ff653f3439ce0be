// Package tenancydb keeps users, organizations and what connects them.
//
// Its SQL runs as three roles. The login path, before an organization is known,
// runs as sb_auth and reads only what signing in needs. Everything inside an
// organization runs as sb_api under row-level security. Sweep alone runs as
// sb_engine. A Store method is one use case: it checks the rule that depends on
// what is stored (nobody grants more than they hold, an owner remains), does its
// work in one transaction and writes its audit entry last.
//
// Whether the caller may use the RPC at all was decided before, by its rule. The
// package sends no mail and sets no cookie: it returns what is to be sent.
package tenancydb

import (
	"io"
	"time"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/tenancy/password"
)

// Store is the use cases of tenancy. It may be used by many goroutines.
type Store struct {
	db     *pg.DB
	hasher *password.Hasher
	random io.Reader
	now    func() time.Time
	// verifying bounds how many audit logs are recomputed at once: each reads
	// all that an organization ever did, on a connection of its own.
	verifying chan struct{}
}

const maxVerifying = 2

// NewStore makes a Store. random is crypto/rand.Reader and now is time.Now
// outside tests.
func NewStore(db *pg.DB, hasher *password.Hasher, random io.Reader, now func() time.Time) *Store {
	return &Store{db: db, hasher: hasher, random: random, now: now, verifying: make(chan struct{}, maxVerifying)}
}

// The lives of credentials.
const (
	SessionIdle     = 12 * time.Hour
	SessionMax      = 7 * 24 * time.Hour
	VerifyLife      = 24 * time.Hour
	InvitationLife  = 7 * 24 * time.Hour
	DefaultKeyLife  = 90 * 24 * time.Hour
	MaxPersonalLife = 90 * 24 * time.Hour
	MaxServiceLife  = 365 * 24 * time.Hour
)

// touchEvery bounds how often the use of a credential is written down.
const touchEvery = time.Minute
