// Package pipelinedb keeps pipelines and their immutable versions.
//
// It owns the rule that a version is its plan's bytes, named by their digest,
// and that only the pointer to the deployed one moves. A Store method is one use
// case in one transaction of sb_api, under row-level security and within the
// caller's workspace: what is in another one is missing. Its audit entry is the
// last statement.
//
// It compiles nothing (that is controlplane/pipeline) and never sees protobuf.
// Whether the caller may use the RPC was decided before, by its rule.
package pipelinedb

import (
	"context"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/tenancy/audit"
	"github.com/signalboxhq/signalbox/tenancy/caller"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

// Store is the use cases of pipelines. It may be used by many goroutines.
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

// record writes what by did to a pipeline, as the last statement of tx.
func (s *Store) record(ctx context.Context, tx pgx.Tx, by caller.Caller, action, resource string, detail map[string]string, change audit.Event) error {
	event := by.Event(action, resource)
	event.At, event.WorkspaceID = s.now(), by.WorkspaceID
	event.Before, event.After = change.Before, change.After
	return tenancydb.RecordEvent(ctx, tx, event, detail, s.random)
}
