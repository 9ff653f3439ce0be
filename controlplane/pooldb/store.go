// Package pooldb keeps pools, the tokens that agents join them with, and what
// people see of the agents that did.
//
// A Store method is one use case in one transaction of sb_api, under row-level
// security and within the caller's workspace: what is in another one is missing.
// Its audit entry is the last statement. Enrolment and sessions are
// controlplane/agentdb's, queues and leases controlplane/advance's: here they
// are only counted.
//
// Whether the caller may use the RPC was decided before, by its rule.
package pooldb

import (
	"io"
	"time"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

// Store is the use cases of pools. It may be used by many goroutines.
type Store struct {
	db     *pg.DB
	random io.Reader
	now    func() time.Time
	audit  tenancydb.Recorder
}

// NewStore makes a Store. random is crypto/rand.Reader and now is time.Now
// outside tests.
func NewStore(db *pg.DB, random io.Reader, now func() time.Time) *Store {
	return &Store{db: db, random: random, now: now, audit: tenancydb.NewRecorder(random, now)}
}
