package rundb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// TaskFilter says which tasks of a run are listed; the zero filter means all.
type TaskFilter struct {
	// Parent is the path of a map, loop, group or step that added tasks: what is
	// directly part of it.
	Parent string
	// Task is a name in the plan: what runs of it, be it once or 100,000 times.
	Task   string
	States []string
	// PageSize is 100 unless it is given, and 500 at most.
	PageSize  int
	PageToken string
}

// TaskPage is a part of a list of tasks, in the order of their items.
type TaskPage struct {
	Run   Run
	Tasks []Task
	Next  string // token; empty when there is no more
	// Matching is how many tasks there are in all that the filter lets through.
	Matching int
}

// ListTasks returns a page of a run's tasks. Errors: NotFound (run, parent, task),
// INVALID_ARGUMENT, JOURNAL_ARCHIVED.
func (s *Store) ListTasks(ctx context.Context, by caller.Caller, ref Ref, f TaskFilter) (TaskPage, error) {
	var out TaskPage
	skip := 0
	if f.PageToken != "" {
		n, err := strconv.Atoi(f.PageToken)
		if err != nil || n < 0 {
			return out, invalid("page_token", "one that a page was answered with")
		}
		skip = n
	}
	for _, state := range f.States {
		if !slices.Contains(displayed(), state) {
			return out, invalid("states", "states of tasks, not "+strconv.Quote(state))
		}
	}
	err := s.show(ctx, by, ref, func(ctx context.Context, tx pgx.Tx, r *Reader, run *Run, p *picture) error {
		candidates, err := p.candidates(&f)
		if err != nil {
			return err
		}
		var which []int32
		out.Run = *run
		for i := range candidates {
			if len(f.States) > 0 && !slices.Contains(f.States, p.display(i)) {
				continue
			}
			if out.Matching++; out.Matching > skip && len(which) < f.size() {
				which = append(which, i)
			}
		}
		if out.Matching > skip+len(which) {
			out.Next = strconv.Itoa(skip + len(which))
		}
		out.Tasks = p.tasks(which)
		return r.name(ctx, tx, out.Tasks)
	})
	return out, err
}

func (f *TaskFilter) size() int {
	if f.PageSize <= 0 {
		return 100
	}
	return min(f.PageSize, 500)
}

// displayed are the states of tasks as people see them.
func displayed() []string {
	out := []string{engine.DisplayReady, engine.DisplayRunning, engine.DisplayBackoff}
	for _, s := range engine.TaskStates() {
		if s != engine.TaskOpen {
			out = append(out, s.String())
		}
	}
	return out
}

// candidates are the tasks that a filter is about, whatever their states.
func (p *picture) candidates(f *TaskFilter) (iter.Seq[int32], error) {
	g, s := p.graph, p.state
	all := p.everything()
	if f.Parent != "" {
		owner, ok := g.Find(s, f.Parent)
		if !ok {
			return nil, fault.NotFound("task", f.Parent)
		}
		all = g.Inside(s, owner, 0)
	}
	if f.Task == "" {
		return all, nil
	}
	_, node, ok := g.Plan.Task(f.Task)
	if !ok {
		return nil, fault.NotFound("task", f.Task)
	}
	return func(yield func(int32) bool) {
		for i := range all {
			// A map whose items are steps has those; they are what runs.
			if g.Node(s, i) == int32(node) && !g.HasItemsOfItsOwn(s, i) && !yield(i) {
				return
			}
		}
	}, nil
}

// everything yields all tasks of a run, what is part of a task behind it.
func (p *picture) everything() iter.Seq[int32] {
	g, s := p.graph, p.state
	return func(yield func(int32) bool) {
		var below func(i int32) bool
		below = func(i int32) bool {
			if !yield(i) {
				return false
			}
			if len(s.Tasks) == 0 || s.Fans[i] == nil {
				return true
			}
			for k := range g.Inside(s, i, 0) {
				if !below(k) {
					return false
				}
			}
			return true
		}
		for i := range g.Own() {
			if !g.Plan.Tasks[i].Template && !below(i) {
				return
			}
		}
	}
}

// GetTask returns a task by its path, with the error texts of all its attempts.
// Errors: NotFound (run or task), JOURNAL_ARCHIVED.
func (s *Store) GetTask(ctx context.Context, by caller.Caller, ref Ref, path string) (Run, Task, error) {
	var run Run
	var out Task
	err := s.show(ctx, by, ref, func(ctx context.Context, tx pgx.Tx, r *Reader, of *Run, p *picture) error {
		i, ok := p.graph.Find(p.state, path)
		if !ok || p.graph.Task(p.state, i).Template && i < p.graph.Own() {
			return fault.NotFound("task", path)
		}
		run = *of
		tasks := p.tasks([]int32{i})
		if err := readErrors(ctx, tx, by.OrgID, run.ID, i, tasks[0].Attempts); err != nil {
			return err
		}
		if err := r.name(ctx, tx, tasks); err != nil {
			return err
		}
		out = tasks[0]
		return nil
	})
	return run, out, err
}

// show folds a run and looks at it.
func (s *Store) show(
	ctx context.Context, by caller.Caller, ref Ref, look func(context.Context, pgx.Tx, *Reader, *Run, *picture) error,
) error {
	r := s.Reader(by, ref)
	return pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		run, err := get(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		if h := s.recent.take(run.ID); h != nil && h.state.Seq <= run.Seq {
			r.history = h // this snapshot may be older than another reader's
		}
		if err := r.catchUp(ctx, tx, &run); errors.Is(err, errGone) {
			return errArchived(&run)
		} else if err != nil {
			return err
		}
		defer s.recent.put(run.ID, r.history)
		now, leases, err := readLeases(ctx, tx, by.OrgID, run.ID)
		if err != nil {
			return err
		}
		return look(ctx, tx, r, &run, r.history.picture(leases, now))
	})
}

const sqlReadErrors = `
	SELECT j.attempt, j.body
	FROM journal j
	WHERE j.org_id = @org_id
		AND j.run_id = @run_id
		AND j.task = @task
		AND j.kind = 'attempt_ended'
		AND j.outcome NOT IN ('succeeded', 'skipped')
		AND j.body IS NOT NULL`

// readErrors fills in what attempts at a task left that failed.
func readErrors(ctx context.Context, tx pgx.Tx, org, run id.UUID, task int32, attempts []Attempt) error {
	rows, err := tx.Query(ctx, sqlReadErrors, pgx.StrictNamedArgs{"org_id": org, "run_id": run, "task": task})
	if err != nil {
		return fmt.Errorf("read the errors of a task: %w", err)
	}
	var number int32
	var body []byte
	_, err = pgx.ForEachRow(rows, []any{&number, &body}, func() error {
		for k := range attempts {
			if attempts[k].Number == number {
				attempts[k].Body = body
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the errors of a task: %w", err)
	}
	return nil
}
