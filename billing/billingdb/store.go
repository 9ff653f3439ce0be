// Package billingdb reads what was used and what it costs.
//
// Usage is the sum of rows that the journal's transaction wrote; what lies
// behind a sum is the journal itself: its entries that ended attempts, with the
// time that was billed. So a line of an invoice opens to its runs, a run to its
// attempts, and their quantities add up to the line's. Nothing lags: what is
// committed is counted.
//
// Everything runs as sb_api under row-level security, on one snapshot for each
// use case. The package writes nothing, holds no price and rounds nothing (that
// is billing/pricebook and billing/rating), and never imports the control plane:
// it knows the journal's columns only.
package billingdb

import (
	"time"

	"github.com/signalboxhq/signalbox/internal/pg"
)

// Store is the use cases of usage and money. It may be used by many goroutines.
type Store struct {
	db  *pg.DB
	now func() time.Time
}

// NewStore makes a Store. now is time.Now outside tests.
func NewStore(db *pg.DB, now func() time.Time) *Store { return &Store{db: db, now: now} }
