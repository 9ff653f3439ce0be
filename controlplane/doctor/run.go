package doctor

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

const sqlReadRuns = `
	SELECT r.id, r.workspace_id, r.pipeline_id, r.digest, r.label_set_id, r.state, r.reason, r.outcome, r.seq, r.generation,
		r.tasks_total, r.tasks_done, r.tasks_failed, r.started_at, r.finished_at, r.deadline
	FROM run r
	WHERE r.org_id = @org_id
		AND r.id > @after
	ORDER BY r.id
	LIMIT @limit`

// runRow is a run as its row has it.
type runRow struct {
	ID                                 id.UUID
	WorkspaceID, PipelineID            id.UUID
	Digest                             []byte
	LabelSetID                         int64
	State, Reason, Outcome             string
	Seq                                int64
	Generation                         int32
	TasksTotal, TasksDone, TasksFailed int32
	StartedAt, FinishedAt, Deadline    *time.Time
}

func (r *runRow) String() string { return id.Format(id.Run, r.ID) }

const runsPerPage = 100

// runs examines the runs of an organization by age, and adds what they used to
// derived.
func (c *checker) runs(ctx context.Context, tx pgx.Tx, org id.UUID, derived tally) error {
	after := id.Nil
	for {
		rows, _ := tx.Query(ctx, sqlReadRuns, pgx.StrictNamedArgs{"org_id": org, "after": after, "limit": runsPerPage})
		page, err := pgx.CollectRows(rows, pgx.RowToStructByName[runRow])
		if err != nil {
			return fmt.Errorf("read runs: %w", err)
		}
		if len(page) == 0 {
			return nil
		}
		places, err := readPlaces(ctx, tx, org, page)
		if err != nil {
			return err
		}
		for i := range page {
			if err := c.run(ctx, tx, org, &page[i], places[page[i].ID], derived); err != nil {
				return err
			}
		}
		after = page[len(page)-1].ID
	}
}

// run folds one journal and compares all that follows from it.
func (c *checker) run(ctx context.Context, tx pgx.Tx, org id.UUID, r *runRow, where *places, derived tally) error {
	key := versionKey{org: org, pipeline: r.PipelineID}
	copy(key.digest[:], r.Digest)
	v, err := c.versions.get(ctx, tx, key)
	if err != nil {
		return err
	}
	if v.broken != "" {
		c.add(KindOrphan, org, "%s is of version %s, which cannot be read: %s.", r, key.digest, v.broken)
		return nil
	}
	entries, err := journal.Read(ctx, tx, org, r.ID, 0)
	if err != nil {
		return err
	}
	c.meter(org, r, v, entries, derived)
	state := engine.NewState(r.ID)
	for i := range entries {
		if err := engine.Fold(v.graph, state, entries[i].Entry); err != nil {
			c.add(KindJournal, org, "the journal of %s cannot be folded: %v.", r, err)
			return nil
		}
	}
	if len(entries) == 0 {
		c.add(KindJournal, org, "%s has seq %d, but no journal.", r, r.Seq)
		return nil
	}
	if diff := compareRun(r, v.graph, state); len(diff) > 0 {
		c.add(KindRun, org, "the row of %s is not what its journal folds to: %s.", r, strings.Join(diff, ", "))
	}
	c.dispatch(org, r, v.graph, state, where)
	return nil
}

// compareRun lists the columns that differ.
func compareRun(r *runRow, g *engine.Graph, s *engine.State) []string {
	var diff []string
	compare := func(column, row, journal string) {
		if row != journal {
			diff = append(diff, fmt.Sprintf("%s %s instead of %s", column, row, journal))
		}
	}
	number := func(column string, row, journal int64) {
		compare(column, strconv.FormatInt(row, 10), strconv.FormatInt(journal, 10))
	}
	number("seq", r.Seq, s.Seq)
	compare("state", r.State, s.Run.String())
	compare("outcome", strconv.Quote(r.Outcome), strconv.Quote(outcomeOf(s)))
	compare("reason", strconv.Quote(r.Reason), strconv.Quote(s.Reason))
	number("generation", int64(r.Generation), int64(s.Generation))
	total := int64(len(s.Tasks))
	number("tasks_total", int64(r.TasksTotal), total)
	number("tasks_done", int64(r.TasksDone), total-int64(s.LeftMain)-int64(s.LeftExit))
	number("tasks_failed", int64(r.TasksFailed), int64(s.Failed()))
	compare("started_at", spell(r.StartedAt), spell(&s.StartedAt))
	finished := s.FinishedAt
	if !s.Run.Terminal() {
		finished = time.Time{}
	}
	compare("finished_at", spell(r.FinishedAt), spell(&finished))
	deadline := time.Time{}
	if g.Plan.Deadline > 0 && !s.GenerationAt.IsZero() {
		deadline = s.GenerationAt.Add(millis(g.Plan.Deadline))
	}
	compare("deadline", spell(r.Deadline), spell(&deadline))
	return diff
}

// outcomeOf is empty until the outcome is fixed.
func outcomeOf(s *engine.State) string {
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

func millis(m plan.Millis) time.Duration { return time.Duration(m) * time.Millisecond }
