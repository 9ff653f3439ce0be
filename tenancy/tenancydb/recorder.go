package tenancydb

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/tenancy/audit"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Recorder writes what callers do in a workspace, for the stores of other domains.
type Recorder struct {
	random io.Reader
	now    func() time.Time
}

// NewRecorder makes a Recorder. random is crypto/rand.Reader and now is time.Now
// outside tests.
func NewRecorder(random io.Reader, now func() time.Time) Recorder {
	return Recorder{random: random, now: now}
}

// Record writes what by did, as the last statement of tx. detail is written as
// JSON, in the open.
func (r Recorder) Record(ctx context.Context, tx pgx.Tx, by caller.Caller, action, resource string, detail any) error {
	event := by.Event(action, resource)
	event.At, event.WorkspaceID = r.now(), by.WorkspaceID
	return RecordEvent(ctx, tx, event, detail, r.random)
}

// RecordEvent writes an event with its detail, as the last statement of tx: one
// that says more than Record does, or is not a caller's.
func RecordEvent(ctx context.Context, tx pgx.Tx, event audit.Event, detail any, random io.Reader) error {
	text, err := json.Marshal(detail)
	if err != nil {
		return fmt.Errorf("write the detail of an audit entry: %w", err)
	}
	event.Detail = string(text)
	_, err = AppendAudit(ctx, tx, event, random)
	return err
}
