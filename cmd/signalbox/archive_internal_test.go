package main

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli"
	"github.com/signalboxhq/signalbox/controlplane/archive"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
)

func TestArchiveOfADatabaseWithNothingOld(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	a := archive.New(db, slog.New(slog.DiscardHandler))
	super := pgtest.Super(t, db.URL())
	_, err := super.Exec(t.Context(), `SELECT make_journal_partition(now() - interval '20 months')`)
	require.NoError(t, err)
	var out bytes.Buffer
	cutoff := archive.Cutoff(time.Now(), 13)
	require.NoError(t, writeArchive(t.Context(), a, t.TempDir(), cutoff, false, &out))
	require.Empty(t, out.String(), "there is no run in it")
	require.NoError(t, writeArchive(t.Context(), a, t.TempDir(), cutoff, true, &out))
	require.Contains(t, out.String(), ": dropped\n")
	require.ErrorContains(t, writeArchive(t.Context(), a, t.TempDir()+"/none", cutoff, false, &out), "look into the folder")

	require.Equal(t, 2, cli.ExitCode(restoreRuns(t.Context(), a, t.TempDir(), []string{"run"}, &out)))
	require.Equal(t, 1, cli.ExitCode(restoreRuns(t.Context(), a, t.TempDir(), []string{id.Format(id.Run, id.New())}, &out)))
}

// The janitor makes what comes and drops what is gone.
func TestJanitorKeepsThePartitions(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	super := pgtest.Super(t, db.URL())
	count := func() (n int) {
		require.NoError(t, super.QueryRow(t.Context(), `SELECT count(*) FROM pg_inherits WHERE inhparent = 'sb.journal'::regclass`).Scan(&n))
		return n
	}
	_, err := super.Exec(t.Context(), `SELECT make_journal_partition(now() - interval '20 months')`)
	require.NoError(t, err)
	before := count()
	require.NoError(t, newJanitor(db, 0, slog.New(slog.DiscardHandler)).clean(t.Context()))
	require.Equal(t, before, count(), "0 keeps all")
	require.NoError(t, newJanitor(db, 13, slog.New(slog.DiscardHandler)).clean(t.Context()))
	require.Equal(t, before-1, count())
	_, err = super.Exec(t.Context(), `SELECT drop_journal_partition('journal_' || to_char(now(), 'YYYYMM'))`)
	require.ErrorContains(t, err, "too young")
	_, err = super.Exec(t.Context(), `SELECT drop_journal_partition('run')`)
	require.ErrorContains(t, err, "no partition")
}
