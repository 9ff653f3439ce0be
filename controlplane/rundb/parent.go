package rundb

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Starting is a task that starts a run of another pipeline, and its own run.
type Starting struct {
	By       caller.Caller // its workspace and what its organization may, for nobody
	Task     *plan.Task
	Labels   map[string]string
	Priority int32
	Actor    string
	Root     id.UUID
	Depth    int32
	// Answer is what an agent left that was asked for its params, encoded; nil
	// where nobody was asked.
	Answer []byte
}

const sqlReadStarting = `
	SELECT r.workspace_id, r.pipeline_id, r.digest, l.labels, r.priority, r.actor, coalesce(r.root_run, r.id) AS root, r.depth,
		o.state AS org_state
	FROM run r
	JOIN organization o ON o.org_id = r.org_id
	JOIN label_set l ON l.org_id = r.org_id AND l.id = r.label_set_id
	WHERE r.org_id = @org_id
		AND r.id = @run_id`

// The passes of a loop share the answer that began it; it is looked for from the
// end.
const sqlReadAnswer = `
	SELECT j.body
	FROM journal j
	WHERE j.org_id = @org_id
		AND j.run_id = @run_id
		AND j.kind = 'task_decided'
		AND j.path = @path
		AND j.body IS NOT NULL
	ORDER BY j.seq DESC
	LIMIT 1`

var (
	indexes   = regexp.MustCompile(`\[[0-9,]*\]`)
	lastIndex = regexp.MustCompile(`\[[0-9,]*\]$`)
)

// Starting reads what a task starts its child with. answer is the seq of the
// entry in which it was told its params, 0 if that is not known. Errors:
// NotFound.
func (s *Store) Starting(ctx context.Context, org, run id.UUID, path string, answer int64) (Starting, error) {
	var out Starting
	err := pg.InTenantRead(ctx, s.db.API, org, func(tx pgx.Tx) error {
		type row struct {
			WorkspaceID, PipelineID id.UUID
			Digest                  []byte
			Labels                  map[string]string
			Priority                int32
			Actor                   string
			Root                    id.UUID
			Depth                   int32
			OrgState                string
		}
		rows, _ := tx.Query(ctx, sqlReadStarting, pgx.StrictNamedArgs{"org_id": org, "run_id": run})
		r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[row])
		if pg.NoRows(err) {
			return errNoRun(id.Format(id.Run, run))
		}
		if err != nil {
			return fmt.Errorf("read a parent: %w", err)
		}
		out = Starting{
			By: caller.Caller{Principal: authz.Principal{
				OrgID: org, WorkspaceID: r.WorkspaceID, OrgState: authz.OrgState(r.OrgState),
			}},
			Labels: r.Labels, Priority: r.Priority, Actor: r.Actor, Root: r.Root, Depth: r.Depth,
		}
		g, err := s.graph(ctx, tx, org, r.PipelineID, plan.Digest(r.Digest))
		if err != nil {
			return err
		}
		var ok bool
		if out.Task, _, ok = g.Plan.Task(indexes.ReplaceAllLiteralString(path, "")); !ok || out.Task.Pipeline == nil {
			return fault.NotFound("task", path)
		}
		if len(out.Task.With) == 0 {
			return nil
		}
		out.Answer, err = readAnswer(ctx, tx, org, run, path, answer)
		return err
	})
	return out, err
}

func readAnswer(ctx context.Context, tx pgx.Tx, org, run id.UUID, path string, answer int64) ([]byte, error) {
	if answer > 0 {
		bodies, err := journal.BodiesAt(ctx, tx, org, run, []int64{answer})
		if err != nil || len(bodies) == 0 {
			return nil, err
		}
		return bodies[0].Bytes, nil
	}
	var body []byte
	args := pgx.StrictNamedArgs{"org_id": org, "run_id": run, "path": lastIndex.ReplaceAllLiteralString(path, "")}
	err := tx.QueryRow(ctx, sqlReadAnswer, args).Scan(&body)
	if err != nil && !pg.NoRows(err) {
		return nil, fmt.Errorf("read the params of a child: %w", err)
	}
	return body, nil
}

// HandedOn is an output of a run as a whole, and the task that left it.
type HandedOn struct {
	plan.Output

	Path string // of the task
	Leaf string // the output's name there
	Body []byte // what the task left, encoded
}

const sqlReadWorkspace = `
	SELECT r.workspace_id
	FROM run r
	WHERE r.org_id = @org_id
		AND r.id = @run_id`

// HandedOn reads what a run leaves to the task that started it. What a task that
// was skipped would have left is not among it. Errors: NotFound.
func (s *Store) HandedOn(ctx context.Context, org, run id.UUID) ([]HandedOn, error) {
	var out []HandedOn
	err := pg.InTenantRead(ctx, s.db.API, org, func(tx pgx.Tx) error {
		by := caller.Caller{Principal: authz.Principal{OrgID: org}}
		err := tx.QueryRow(ctx, sqlReadWorkspace, pgx.StrictNamedArgs{"org_id": org, "run_id": run}).Scan(&by.WorkspaceID)
		if pg.NoRows(err) {
			return errNoRun(id.Format(id.Run, run))
		}
		if err != nil {
			return fmt.Errorf("read a child: %w", err)
		}
		r := s.Reader(by, RefTo(run))
		row, err := get(ctx, tx, by, r.ref)
		if err != nil {
			return err
		}
		g, err := s.graph(ctx, tx, org, row.PipelineID, plan.Digest(row.Digest))
		if err != nil || len(g.Plan.Outputs) == 0 {
			return err
		}
		if err := r.catchUp(ctx, tx, &row); errors.Is(err, errGone) {
			return errArchived(&row)
		} else if err != nil {
			return err
		}
		out, err = handedOn(ctx, tx, org, run, r.history)
		return err
	})
	return out, err
}

func handedOn(ctx context.Context, tx pgx.Tx, org, run id.UUID, h *history) ([]HandedOn, error) {
	var out []HandedOn
	for _, o := range h.graph.Plan.Outputs {
		_, task, ok := h.graph.Plan.Task(o.From.Task)
		if !ok {
			continue
		}
		for _, src := range h.graph.Leaves(h.state, int32(task), o.From.Output) {
			t := &h.state.Tasks[src.Task]
			in, seq := run, t.EndSeq
			if from, taken := h.state.Origins[src.Task]; taken && t.State == engine.TaskReused {
				in, seq = h.state.Seed.Runs[from.Run], from.Seq
			}
			bodies, err := journal.BodiesAt(ctx, tx, org, in, []int64{seq})
			if err != nil {
				return nil, err
			}
			if len(bodies) == 1 && bodies[0].Outcome == engine.OutcomeSucceeded.String() {
				out = append(out, HandedOn{Output: o, Path: bodies[0].Path, Leaf: src.Output, Body: bodies[0].Bytes})
			}
		}
	}
	return out, nil
}
