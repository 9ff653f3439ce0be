package doctor

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// later cannot say yet what a task starts.
type later struct{}

// Child is not known yet.
func (later) Child(context.Context, advance.ParentTask) (advance.StartRun, error) {
	return advance.StartRun{}, fault.Unavailable("UNAVAILABLE", "later")
}

// Left is nothing.
func (later) Left(context.Context, advance.RunKey) ([]byte, error) { return nil, nil }

// A parent whose wake is lost waits for ever.
func TestAChildThatNobodyWillStartIsFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.a.Stop()
	b.a = advance.New(b.db, slog.New(slog.DiscardHandler), nil)
	b.a.Nest(later{})
	require.NoError(t, b.a.Start(t.Context()))
	tn := b.tenant("acme")
	run := tn.start(tn.deploy(&plan.Plan{Name: "top", Tasks: []plan.Task{{Name: "sub", Pipeline: &plan.Nested{Name: "other"}}}}))
	b.a.Stop()
	conn := pgtest.Super(t, b.db.URL())
	require.Empty(t, examine(t, conn, `SELECT 1`, nil))
	found := examine(t, conn, `DELETE FROM wake WHERE run_id = @run`, pgx.NamedArgs{"run": run.Run})
	require.Equal(t, []string{
		"wake, " + id.Format(id.Org, tn.org) + ": " + id.Format(id.Run, run.Run) + " waits for the run of its task sub, which nobody will start.",
	}, found)
}

// starts lets every nested task start the same pipeline.
type starts struct{ child advance.StartRun }

// Child is the pipeline's start.
func (n *starts) Child(_ context.Context, p advance.ParentTask) (advance.StartRun, error) {
	c := n.child
	c.Cause, c.Parent = "parent", &advance.Parent{Run: p.Run, Task: p.Task, Attempt: p.Attempt, Path: p.Path, Root: p.Run, Depth: 1}
	return c, nil
}

// Left is nothing.
func (*starts) Left(context.Context, advance.RunKey) ([]byte, error) { return nil, nil }

// Children that were stopped by force have ended without a word to the tasks that
// started them, which begin anew.
func TestAChildWhoseEndNobodyToldIsFound(t *testing.T) {
	t.Parallel()
	b, n := setup(t), &starts{}
	b.a.Stop()
	b.a = advance.New(b.db, slog.New(slog.DiscardHandler), nil)
	b.a.Nest(n)
	require.NoError(t, b.a.Start(t.Context()))
	tn := b.tenant("acme")
	n.child = tn.deploy(&plan.Plan{Name: "child", Tasks: []plan.Task{{Name: "only"}}})
	top := &plan.Plan{Name: "top", Tasks: []plan.Task{{Name: "each", ForEach: &plan.ForEach{Count: 2, Type: plan.TypeInt}, Pipeline: &plan.Nested{Name: "child"}}}}
	run := tn.start(tn.deploy(top))
	children := func(want int) {
		t.Helper()
		require.Eventually(t, func() bool {
			var living, wakes int
			require.NoError(t, b.db.Engine.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM run WHERE parent_run = $1 AND finished_at IS NULL), (SELECT count(*) FROM wake)`,
				run.Run).Scan(&living, &wakes))
			return living == want && wakes == 0
		}, 10*time.Second, time.Millisecond)
	}
	children(2)
	require.NoError(t, b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: run, Actor: "test", Force: true}))
	children(0)
	require.NoError(t, b.a.RetryRun(t.Context(), advance.RetryRun{RunKey: run, Actor: "test"}))
	children(2)
	b.a.Stop()
	conn := pgtest.Super(t, b.db.URL())
	require.Empty(t, examine(t, conn, `SELECT 1`, nil))
	found := examine(t, conn, `UPDATE run SET finished_at = now(), state = 'canceled' WHERE parent_run = @run AND parent_path = 'each[1]' AND finished_at IS NULL`,
		pgx.NamedArgs{"run": run.Run})
	require.Contains(t, strings.Join(found, "\n"), id.Format(id.Run, run.Run)+" waits for the run of its task each[1]: nobody told it that run_")
}
