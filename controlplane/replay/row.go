package replay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Row is a run as its row has it.
type Row struct {
	ID                                 id.UUID
	WorkspaceID, PipelineID            id.UUID
	Digest                             []byte
	LabelSetID                         int64
	State, Reason, Outcome             string
	Seq                                int64
	Generation                         int32
	TasksTotal, TasksDone, TasksFailed int32
	ExitsFailed                        int32
	StartedAt, FinishedAt, Deadline    *time.Time
}

const rowColumns = `r.id, r.workspace_id, r.pipeline_id, r.digest, r.label_set_id, r.state, r.reason, r.outcome, r.seq, r.generation,
		r.tasks_total, r.tasks_done, r.tasks_failed, r.exits_failed, r.started_at, r.finished_at, r.deadline`

const sqlReadRows = `
	SELECT ` + rowColumns + `
	FROM run r
	WHERE r.org_id = @org_id
		AND r.id > @after
	ORDER BY r.id
	LIMIT @limit`

// ReadRows returns the runs of an organization by age, after one of them.
func ReadRows(ctx context.Context, q journal.Querier, org, after id.UUID, limit int) ([]Row, error) {
	return readRows(ctx, q, sqlReadRows, pgx.StrictNamedArgs{"org_id": org, "after": after, "limit": limit})
}

const sqlReadRow = `
	SELECT ` + rowColumns + `
	FROM run r
	WHERE r.org_id = @org_id
		AND r.id = @id`

// ReadRow returns one run; none where it is not there.
func ReadRow(ctx context.Context, q journal.Querier, org, run id.UUID) ([]Row, error) {
	return readRows(ctx, q, sqlReadRow, pgx.StrictNamedArgs{"org_id": org, "id": run})
}

func readRows(ctx context.Context, q journal.Querier, sql string, args pgx.StrictNamedArgs) ([]Row, error) {
	rows, err := q.Query(ctx, sql, args)
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByName[Row])
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	return out, nil
}

// column is a column of a run's row, and what it holds, as text.
type column struct{ name, value string }

// Columns are the part of a run's row that its journal tells.
type Columns []column

// Digest is one of the text of all columns: those of a row and of a fold are
// equal exactly if no column differs.
func (c Columns) Digest() string {
	var text strings.Builder
	for _, x := range c {
		fmt.Fprintf(&text, "%s %s\n", x.name, x.value)
	}
	sum := sha256.Sum256([]byte(text.String()))
	return hex.EncodeToString(sum[:])
}

// Columns are those that stand in the row.
func (r *Row) Columns() Columns {
	return columns(r.Seq, r.State, r.Outcome, r.Reason, r.Generation, r.TasksTotal, r.TasksDone, r.TasksFailed, r.ExitsFailed,
		r.StartedAt, r.FinishedAt, r.Deadline)
}

// Shown are the columns as they follow from a state.
func Shown(g *engine.Graph, s *engine.State) Columns {
	finished, deadline := s.FinishedAt, time.Time{}
	if !s.Run.Terminal() {
		finished = time.Time{}
	}
	if g.Plan.Deadline > 0 && !s.GenerationAt.IsZero() {
		deadline = s.GenerationAt.Add(time.Duration(g.Plan.Deadline) * time.Millisecond)
	}
	return columns(s.Seq, s.Run.String(), Outcome(s), s.Reason, s.Generation, g.Total(), g.Done(s), s.Failed(), s.FailedExit,
		&s.StartedAt, &finished, &deadline)
}

func columns(seq int64, state, outcome, reason string, generation, total, done, failed, exits int32, started, finished, deadline *time.Time) Columns {
	number := func(n int32) string { return strconv.Itoa(int(n)) }
	return Columns{
		{"seq", strconv.FormatInt(seq, 10)},
		{"state", state},
		{"outcome", strconv.Quote(outcome)},
		{"reason", strconv.Quote(reason)},
		{"generation", number(generation)},
		{"tasks_total", number(total)},
		{"tasks_done", number(done)},
		{"tasks_failed", number(failed)},
		{"exits_failed", number(exits)},
		{"started_at", spell(started)},
		{"finished_at", spell(finished)},
		{"deadline", spell(deadline)},
	}
}

// compare lists the columns of the row that differ from what they should be.
func (r *Row) compare(want Columns) []string {
	var diff []string
	for i, got := range r.Columns() {
		if got != want[i] {
			diff = append(diff, got.name+" "+got.value+" instead of "+want[i].value)
		}
	}
	return diff
}

// Outcome is empty until the outcome is fixed.
func Outcome(s *engine.State) string {
	switch {
	case s.Outcome != engine.RunPending:
		return s.Outcome.String()
	case s.Run == engine.RunDropped:
		return s.Run.String()
	}
	return ""
}

// spell writes a moment to the millisecond, as entries have it.
func spell(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "none"
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
