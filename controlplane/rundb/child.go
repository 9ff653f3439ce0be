package rundb

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Parent is the task that a run is for, of another run.
type Parent struct {
	Run      id.UUID
	Pipeline string
	Number   int64
	Task     string // its path
	Root     id.UUID
	Depth    int32
}

// ChildRun is the run that a task has started.
type ChildRun struct {
	ID       id.UUID
	Pipeline string
	Number   int64
	State    string
}

// Asked for children only: most pages have none.
const sqlReadParents = `
	SELECT r.id, r.parent_run, p.name, u.number, coalesce(r.parent_path, ''), r.root_run, r.depth
	FROM run r
	JOIN run u ON u.org_id = r.org_id AND u.id = r.parent_run
	JOIN pipeline p ON p.org_id = u.org_id AND p.id = u.pipeline_id
	WHERE r.org_id = @org_id
		AND r.id = ANY(@runs)`

// tellParents adds what the runs are for that others' tasks have started.
func tellParents(ctx context.Context, tx pgx.Tx, org id.UUID, list []Run) error {
	children := map[id.UUID]*Run{}
	runs := []id.UUID{}
	for i := range list {
		if list[i].Cause == "parent" {
			children[list[i].ID] = &list[i]
			runs = append(runs, list[i].ID)
		}
	}
	if len(runs) == 0 {
		return nil
	}
	rows, _ := tx.Query(ctx, sqlReadParents, pgx.StrictNamedArgs{"org_id": org, "runs": runs})
	var run id.UUID
	var p Parent
	_, err := pgx.ForEachRow(rows, []any{&run, &p.Run, &p.Pipeline, &p.Number, &p.Task, &p.Root, &p.Depth}, func() error {
		children[run].Parent = new(p)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the parents of runs: %w", err)
	}
	return nil
}

// The latest of each task.
const sqlReadChildren = `
	SELECT DISTINCT ON (r.parent_task) r.parent_task, r.id, p.name, r.number, r.state
	FROM run r
	JOIN pipeline p ON p.org_id = r.org_id AND p.id = r.pipeline_id
	WHERE r.org_id = @org_id
		AND r.parent_run = @run_id
		AND r.parent_task = ANY(@tasks)
	ORDER BY r.parent_task, r.parent_attempt DESC`

// tellChildren adds the runs that tasks have started.
func (h *history) tellChildren(ctx context.Context, tx pgx.Tx, org id.UUID, tasks []Task) error {
	nested := map[int32]*Task{}
	for i := range tasks {
		if tasks[i].Kind == engine.KindOfPipeline {
			nested[tasks[i].index] = &tasks[i]
		}
	}
	if len(nested) == 0 {
		return nil
	}
	rows, _ := tx.Query(ctx, sqlReadChildren, pgx.StrictNamedArgs{
		"org_id": org, "run_id": h.state.ID, "tasks": slices.Collect(maps.Keys(nested)),
	})
	var task int32
	var c ChildRun
	_, err := pgx.ForEachRow(rows, []any{&task, &c.ID, &c.Pipeline, &c.Number, &c.State}, func() error {
		nested[task].Child = new(c)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the children of a run: %w", err)
	}
	return nil
}
