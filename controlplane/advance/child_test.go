package advance_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// nester knows one pipeline, which every task starts that starts another.
type nester struct {
	start advance.StartRun
	lost  error // why its children leave nothing
}

// Child is the start of a child, one below its parent.
func (n *nester) Child(_ context.Context, p advance.ParentTask) (advance.StartRun, error) {
	c := n.start
	if c.Pipeline == id.Nil {
		return c, fault.NotFound("pipeline", "other")
	}
	c.Cause, c.Parent = "parent", &advance.Parent{Run: p.Run, Task: p.Task, Attempt: p.Attempt, Path: p.Path, Root: p.Run, Depth: 1}
	return c, nil
}

// Left is what a child leaves.
func (n *nester) Left(context.Context, advance.RunKey) ([]byte, error) { return []byte("left"), n.lost }

// nested is a replica whose tasks `sub` start a pipeline of one task.
func nested(t *testing.T) (b *bundle, w *worker, parent advance.StartRun, n *nester) {
	t.Helper()
	b = setup(t)
	b.a.Stop()
	b.a = advance.New(b.db, slog.New(slog.DiscardHandler), nil)
	n = &nester{start: b.deploy(chain("other", 1))}
	b.a.Nest(n)
	require.NoError(t, b.a.Start(t.Context()))
	t.Cleanup(b.a.Stop)
	p := &plan.Plan{Name: "parent", Tasks: []plan.Task{
		{Name: "sub", Pipeline: &plan.Nested{Name: "other"}}, {Name: "after", Needs: []int{0}},
	}}
	return b, b.worker(1), b.deploy(p), n
}

func (b *bundle) childOf(run id.UUID, attempt int32) id.UUID {
	b.t.Helper()
	var child id.UUID
	eventually(b.t, "the child is there", func() bool {
		return b.db.Engine.QueryRow(context.Background(), `SELECT id FROM run WHERE parent_run = $1 AND parent_attempt = $2`, run, attempt).Scan(&child) == nil
	})
	return child
}

func TestATaskRunsAnotherPipeline(t *testing.T) {
	t.Parallel()
	b, w, c, _ := nested(t)
	run := b.start(c)
	child := b.childOf(run, 1)
	l := w.await()
	require.Equal(t, child, l.Run)
	w.report(0, ended(l, engine.OutcomeSucceeded))
	l = w.await()
	require.Equal(t, run, l.Run)
	require.Equal(t, "after", l.Task)
	w.report(0, ended(l, engine.OutcomeSucceeded))
	b.settled()
	require.Equal(t, []string{"succeeded", "succeeded"}, b.states([]id.UUID{run, child}))
	require.Equal(t, "left", string(queryOne[[]byte](b, `SELECT body FROM journal WHERE run_id = @run AND kind = 'task_ended'`, pgx.NamedArgs{"run": run})))
	require.Equal(t, "parent", queryOne[string](b, `SELECT cause FROM run WHERE id = @run`, pgx.NamedArgs{"run": child}))
}

// What cannot be handed on whole is not handed on in part.
func TestAChildThatLeavesTooMuchFailsItsTask(t *testing.T) {
	t.Parallel()
	b, w, c, n := nested(t)
	n.lost = fault.Invalid("INVALID_ARGUMENT", "the outputs are too many")
	run := b.start(c)
	w.report(0, ended(w.await(), engine.OutcomeSucceeded))
	eventually(t, "the parent has failed", func() bool { return b.state(run) == "failed" })
	require.Equal(t, "other#1: the outputs are too many", queryOne[string](b, `SELECT reason FROM journal WHERE run_id = @run AND path = 'sub'`, pgx.NamedArgs{"run": run}))
}

func TestAFailedChildFailsItsTaskAndARetryStartsAnother(t *testing.T) {
	t.Parallel()
	b, w, c, _ := nested(t)
	run := b.start(c)
	w.report(0, ended(w.await(), engine.OutcomeFailed))
	eventually(t, "the parent has failed", func() bool { return b.state(run) == "failed" })
	require.Equal(t, "other#1 failed: ta failed", queryOne[string](b, `SELECT reason FROM journal WHERE run_id = @run AND path = 'sub'`, pgx.NamedArgs{"run": run}))
	require.NoError(t, b.a.RetryRun(t.Context(), advance.RetryRun{RunKey: b.key(run), Actor: "test"}))
	second := b.childOf(run, 2)
	l := w.await()
	require.Equal(t, second, l.Run)
	w.report(0, ended(l, engine.OutcomeSucceeded))
	w.report(0, ended(w.await(), engine.OutcomeSucceeded))
	eventually(t, "the parent has succeeded", func() bool { return b.state(run) == "succeeded" })
}

func TestACancelGoesDown(t *testing.T) {
	t.Parallel()
	b, w, c, _ := nested(t)
	run := b.start(c)
	child := b.childOf(run, 1)
	l := w.await()
	require.NoError(t, b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: b.key(run), Actor: "test"}))
	eventually(t, "the child is told", func() bool { return b.state(child) == "canceling" })
	require.Equal(t, "canceling", b.state(run))
	w.report(0, ended(l, engine.OutcomeCanceled))
	eventually(t, "both have ended", func() bool { return b.state(run) == "canceled" && b.state(child) == "canceled" })
}

// A task that is canceled before its child is there never starts it; what is
// served twice starts one.
func TestAChildBeginsOnceOrNever(t *testing.T) {
	t.Parallel()
	b, _, c, _ := nested(t)
	for _, cancel := range []bool{true, false} {
		run := b.start(c)
		b.childOf(run, 1)
		w := advance.Wake{Org: b.org, ID: id.New(), Kind: advance.WakeChild, Run: run, Pipeline: c.Pipeline, Task: 0, Attempt: 1, Child: id.New()}
		if cancel {
			require.NoError(t, b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: b.key(run), Actor: "test", Force: true}))
		}
		b.exec(`INSERT INTO wake (org_id, id, at, kind, run_id, pipeline_id, task, attempt, child_id) VALUES (@org, @id, now(), 'child', @run, @p, 0, 1, @child)`,
			pgx.NamedArgs{"org": b.org, "id": w.ID, "run": run, "p": c.Pipeline, "child": w.Child})
		err := b.a.Wake(t.Context(), w)
		require.Equal(t, cancel, err == nil, "the database admits one child: %v", err)
		require.Equal(t, 1, queryOne[int](b, `SELECT count(*) FROM run WHERE parent_run = @run`, pgx.NamedArgs{"run": run}))
	}
}

func TestAChildThatCannotStartFailsItsTask(t *testing.T) {
	t.Parallel()
	b, _, c, n := nested(t)
	n.start = advance.StartRun{}
	run := b.start(c)
	eventually(t, "the parent has failed", func() bool { return b.state(run) == "failed" })
	require.Contains(t, queryOne[string](b, `SELECT reason FROM journal WHERE run_id = @run AND path = 'sub'`, pgx.NamedArgs{"run": run}), "pipeline")
}

// A wake that another replica has served, and what the child's agent says, meet in
// one batch: the run is there, whatever the wake was for.
func TestAServedWakeMeetsItsChild(t *testing.T) {
	t.Parallel()
	b, w, c, _ := nested(t)
	run := b.start(c)
	child := b.childOf(run, 1)
	l := w.await()
	require.Equal(t, child, l.Run)
	b.a.Evict(b.key(child))
	b.together(func() {
		again := advance.Wake{ID: id.New(), Org: b.org, Kind: advance.WakeChild, Run: run, Pipeline: c.Pipeline, Key: "sub", Attempt: 1, Child: child}
		require.NoError(t, b.a.Wake(t.Context(), again))
	}, func() {
		require.Equal(t, []advance.ReportStatus{advance.ReportAccepted}, w.report(0, ended(l, engine.OutcomeSucceeded)).Status)
	})
	l = w.await()
	require.Equal(t, "after", l.Task)
}
