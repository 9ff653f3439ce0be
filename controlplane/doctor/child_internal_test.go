package doctor

import (
	"context"
	"log/slog"
	"testing"

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
