package rundb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/controlplane/upstream"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

const sqlReadParams = `
	SELECT r.params
	FROM run r
	WHERE r.org_id = @org_id
		AND r.id = @id`

const sqlReadBodies = `
	SELECT j.seq, j.attempt, j.body
	FROM journal j
	WHERE j.org_id = @org_id
		AND j.run_id = @run_id
		AND j.seq = ANY(@seqs)
		AND j.body IS NOT NULL
	ORDER BY j.seq`

// Values is what went into a run.
type Values struct {
	Plan *plan.Plan
	// Params as given, encoded.
	Params []byte
}

// Left is what the attempt that ended a task left, encoded.
type Left struct {
	Task    string
	Attempt int32
	Body    []byte
	// Answer: it is what an agent made before the task began, not what an attempt
	// left.
	Answer bool
}

// ReadValues returns what went into a run, and hands what came out of each of
// its ended tasks to each, one after the other: together they may be large; before
// them what agents made for approvals. Of
// tasks that were taken over that is what they left in the run that ran them.
// With a path it is about that task, and what is directly part of it, only.
// Errors: NotFound (run or task), JOURNAL_ARCHIVED, and those of each.
func (s *Store) ReadValues(ctx context.Context, by caller.Caller, ref Ref, path string, each func(Left) error) (Values, error) {
	var out Values
	r := s.Reader(by, ref)
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		run, err := get(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		if err := r.catchUp(ctx, tx, &run); errors.Is(err, errGone) {
			return errArchived(&run)
		} else if err != nil {
			return err
		}
		out.Plan = r.history.graph.Plan
		if err := tx.QueryRow(ctx, sqlReadParams, pgx.StrictNamedArgs{"org_id": by.OrgID, "id": run.ID}).Scan(&out.Params); err != nil {
			return fmt.Errorf("read params: %w", err)
		}
		which, err := r.history.whose(path)
		if err != nil {
			return err
		}
		if err := eachAnswer(ctx, tx, by.OrgID, run.ID, r.history, which, each); err != nil {
			return err
		}
		return eachBody(ctx, tx, by.OrgID, run.ID, r.history, which, each)
	})
	return out, err
}

// whose lists the tasks whose values are read.
func (h *history) whose(path string) ([]int32, error) {
	var out []int32
	if path == "" {
		for i := range h.state.Tasks {
			out = append(out, int32(i))
		}
		return out, nil
	}
	i, ok := h.graph.Find(h.state, path)
	if !ok {
		return nil, fault.NotFound("task", path)
	}
	out = append(out, i)
	if int(i) < len(h.state.Tasks) {
		out = slices.AppendSeq(out, h.graph.Inside(h.state, i, 0))
	}
	return out, nil
}

// eachAnswer reads what approvals among the tasks ask those who vote.
func eachAnswer(ctx context.Context, tx pgx.Tx, org, run id.UUID, h *history, which []int32, each func(Left) error) error {
	asking := map[int32]bool{}
	for _, i := range upstream.Asking(h.graph, h.state) {
		asking[i] = true
	}
	which = slices.DeleteFunc(slices.Clone(which), func(i int32) bool { return !asking[i] })
	answers, err := journal.Answers(ctx, tx, org, run, which)
	if err != nil {
		return err
	}
	for i := range answers {
		if err := each(Left{Task: answers[i].Path, Attempt: answers[i].Attempt, Body: answers[i].Bytes, Answer: true}); err != nil {
			return err
		}
	}
	return nil
}

// eachBody reads what tasks left: run by run, of most there is one.
func eachBody(ctx context.Context, tx pgx.Tx, org, run id.UUID, h *history, which []int32, each func(Left) error) error {
	wanted := map[int64][]int32{}
	for _, e := range h.state.Ends(run, which) {
		if e.Run == run {
			wanted[e.Seq] = append(wanted[e.Seq], e.Task)
		}
	}
	if err := bodiesOf(ctx, tx, org, run, h, wanted, each); err != nil || h.state.Seed == nil {
		return err
	}
	for _, from := range h.state.Seed.Runs {
		clear(wanted)
		for _, e := range h.state.Ends(run, which) {
			if e.Run == from {
				wanted[e.Seq] = append(wanted[e.Seq], e.Task)
			}
		}
		if err := bodiesOf(ctx, tx, org, from, h, wanted, each); err != nil {
			return err
		}
	}
	return nil
}

// bodiesOf reads the entries of one run in which what tasks left lies.
func bodiesOf(ctx context.Context, tx pgx.Tx, org, run id.UUID, h *history, wanted map[int64][]int32, each func(Left) error) error {
	if len(wanted) == 0 {
		return nil
	}
	seqs := slices.Sorted(maps.Keys(wanted))
	rows, err := tx.Query(ctx, sqlReadBodies, pgx.StrictNamedArgs{"org_id": org, "run_id": run, "seqs": seqs})
	if err != nil {
		return fmt.Errorf("read values: %w", err)
	}
	var seq int64
	var left Left
	_, err = pgx.ForEachRow(rows, []any{&seq, &left.Attempt, &left.Body}, func() error {
		for _, task := range wanted[seq] {
			left.Task = h.graph.Path(h.state, task)
			if err := each(left); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read values: %w", err)
	}
	return nil
}
