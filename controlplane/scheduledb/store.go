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
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/tenancy/caller"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

// Store is the use cases of schedules. It may be used by many goroutines.
type Store struct {
	db     *pg.DB
	random io.Reader
	now    func() time.Time
}

// NewStore makes a Store. random is crypto/rand.Reader and now is time.Now
// outside tests.
func NewStore(db *pg.DB, random io.Reader, now func() time.Time) *Store {
	return &Store{db: db, random: random, now: now}
}

// record writes what by did, as the last statement of tx.
func (s *Store) record(ctx context.Context, tx pgx.Tx, by caller.Caller, action, resource string, detail map[string]string) error {
	event := by.Event(action, resource)
	event.At, event.WorkspaceID = s.now(), by.WorkspaceID
	text, err := json.Marshal(detail)
	if err != nil {
		return fmt.Errorf("write the detail of an audit entry: %w", err)
	}
	event.Detail = string(text)
	_, err = tenancydb.AppendAudit(ctx, tx, event, s.random)
	return err
}
