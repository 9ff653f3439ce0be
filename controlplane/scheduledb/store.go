// Package scheduledb keeps schedules: those of the deployed versions' files, and
// those that people make.
//
// A Store method is one use case in one transaction of sb_api, under row-level
// security and within the caller's workspace: what is in another one is missing.
// Its audit entry is the last statement. When a schedule fires is
// controlplane/schedule's, that it does is controlplane/firing's: here the time
// of the next look is only set to now, and the ticker finds the right one.
package scheduledb

import (
	"io"
	"time"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

// Store is the use cases of schedules. It may be used by many goroutines.
type Store struct {
	db    *pg.DB
	now   func() time.Time
	audit tenancydb.Recorder
}

// NewStore makes a Store. random is crypto/rand.Reader and now is time.Now
// outside tests.
func NewStore(db *pg.DB, random io.Reader, now func() time.Time) *Store {
	return &Store{db: db, now: now, audit: tenancydb.NewRecorder(random, now)}
}
