package doctor

import (
	"context"
	"log/slog"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/pgtest"
)

// TestRepairBringsTheQueueBack takes away and bends all that can be written anew,
// and all is as before: row by row, and the runs go on to their end.
func TestRepairBringsTheQueueBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.history()
	super := pgtest.Super(t, b.db.URL())
	text := func() (out string) {
		require.NoError(t, super.QueryRow(t.Context(), `
			SELECT concat_ws(chr(10), (SELECT string_agg(r::text, chr(10) ORDER BY run_id, task) FROM ready r),
				(SELECT string_agg(x::text, chr(10) ORDER BY run_id, kind, task) FROM timer x))`).Scan(&out))
		return out
	}
	before := text()
	repair := func() Repaired {
		r, err := Repair(t.Context(), b.db, func(ctx context.Context, run Run) error {
			return advance.New(b.db, slog.New(slog.DiscardHandler), nil).Repair(ctx, advance.RunKey{Org: run.Org, Run: run.ID})
		})
		require.NoError(t, err)
		return r
	}
	require.Empty(t, repair().Runs, "there is nothing to do")
	for _, sql := range []string{
		`DELETE FROM ready`,
		`DELETE FROM timer`,
		`UPDATE ready SET attempt = attempt + 3`,
		`UPDATE timer SET at = at + interval '1 hour'`,
		`INSERT INTO ready (org_id, run_id, task, attempt, path, pool_id, class_id, priority, lane, since)
			SELECT org_id, id, 0, 1, 'train', org_id, 1, 0, org_id, now() FROM run WHERE finished_at IS NOT NULL`,
		`DELETE FROM ready; DELETE FROM timer`,
	} {
		_, err := super.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol)
		require.NoError(t, err)
		r := repair()
		require.NotEmpty(t, r.Found, sql)
		require.NotEmpty(t, r.Runs, sql)
		require.Empty(t, r.Left, sql)
		require.Equal(t, before, text(), sql)
	}
	_, err := super.Exec(t.Context(), `UPDATE run SET reason = 'x' WHERE finished_at IS NULL`)
	require.NoError(t, err)
	require.NotEmpty(t, repair().Left, "a run's row is not written anew")
	_, err = super.Exec(t.Context(), `UPDATE run SET reason = '' WHERE finished_at IS NULL`)
	require.NoError(t, err)
	h.end(h.take(), engine.OutcomeSucceeded) // of the run that was queued
	found, err := Check(t.Context(), b.db)
	require.NoError(t, err)
	require.Empty(t, found)
}
