package archive

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/controlplane/replay"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Restored is a journal that came back.
type Restored struct {
	Entries int
	Digest  engine.StateDigest
	// There says that it was not gone.
	There bool
}

// The run's id is unique over all organizations, but no index says so: this is
// asked of one organization after the other.
const (
	sqlFindArchived = `
	SELECT a.org_id, a.folder, a.seq
	FROM organization o
	CROSS JOIN LATERAL (
		SELECT a.org_id, a.folder, a.seq
		FROM archived_run a
		WHERE a.org_id = o.org_id
			AND a.run_id = @run_id
		ORDER BY a.seq DESC
		LIMIT 1
	) a`

	sqlMakePartition = `
	SELECT make_journal_partition(@at)`

	sqlInsertRows = `
	INSERT INTO journal
	SELECT r.*
	FROM unnest(@lines::text[]) AS l (line)
	CROSS JOIN LATERAL jsonb_populate_record(NULL::journal, l.line::jsonb) AS r`

	sqlMarkRestored = `
	UPDATE archived_run
	SET restored_at = now()
	WHERE org_id = @org_id
		AND run_id = @run_id
		AND seq = @seq`
)

// Restore brings the journal of a run back from a folder in dir, if it folds to
// what was noted of it. It stays for RestoredFor at least.
// Errors: NotFound, where no archive has the run.
func (a *Archive) Restore(ctx context.Context, dir string, run id.UUID) (Restored, error) {
	var out Restored
	err := pg.InSystem(ctx, a.db.Engine, func(tx pgx.Tx) error {
		var org id.UUID
		var folder string
		var seq int64
		if err := tx.QueryRow(ctx, sqlFindArchived, pgx.StrictNamedArgs{"run_id": run}).Scan(&org, &folder, &seq); err != nil {
			if pg.NoRows(err) {
				return fault.NotFound("archived run", id.Format(id.Run, run))
			}
			return fmt.Errorf("find the run: %w", err)
		}
		there, err := journal.ReadPage(ctx, tx, org, run, 0, 1)
		if err != nil {
			return err
		}
		if out.There = len(there) > 0; !out.There {
			if err := bringBack(ctx, tx, dir, folder, org, run, seq); err != nil {
				return err
			}
		}
		return out.verify(ctx, tx, org, run)
	})
	if err != nil {
		return out, fmt.Errorf("restore %s: %w", id.Format(id.Run, run), err)
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "restored", slog.String("run_id", id.Format(id.Run, run)), slog.Int("entries", out.Entries))
	return out, nil
}

func bringBack(ctx context.Context, tx pgx.Tx, dir, folder string, org, run id.UUID, seq int64) error {
	line, rows, err := readRun(dir, folder, org, run, seq)
	if err != nil {
		return err
	}
	if int64(len(rows)) != line.Entries {
		return fmt.Errorf("%s has %d entries of %s, its index says %d", folder, len(rows), line.Run, line.Entries)
	}
	if _, err := tx.Exec(ctx, sqlMakePartition, pgx.StrictNamedArgs{"at": id.Time(run)}); err != nil {
		return fmt.Errorf("make the partition: %w", err)
	}
	lines := make([]string, len(rows))
	for i := range rows {
		lines[i] = string(rows[i])
	}
	if _, err := tx.Exec(ctx, sqlInsertRows, pgx.StrictNamedArgs{"lines": lines}); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlMarkRestored, pgx.StrictNamedArgs{"org_id": org, "run_id": run, "seq": seq}); err != nil {
		return fmt.Errorf("mark the run: %w", err)
	}
	return nil
}

// verify replays the journal that is there now.
func (r *Restored) verify(ctx context.Context, tx pgx.Tx, org, run id.UUID) error {
	rows, err := replay.ReadRow(ctx, tx, org, run)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return fault.NotFound("run", id.Format(id.Run, run))
	}
	v, err := (replay.Versions{}).Get(ctx, tx, org, &rows[0])
	if err != nil {
		return err
	}
	if v.Broken != "" {
		return fmt.Errorf("its version cannot be read: %s", v.Broken)
	}
	noted, err := replay.ReadNoted(ctx, tx, org, run)
	if err != nil {
		return err
	}
	places, err := replay.ReadPlaces(ctx, tx, org, rows)
	if err != nil {
		return err
	}
	entries, err := journal.Read(ctx, tx, org, run, 0)
	if err != nil {
		return err
	}
	out := replay.Replay(v, replay.Facts{Org: org, Row: &rows[0], Entries: entries, Noted: noted, Where: places[run], Now: time.Time{}}, nil)
	if len(out.Differences) > 0 {
		return fmt.Errorf("its journal is not what it was: %s", out.Differences[0].Text)
	}
	r.Entries, r.Digest = len(entries), out.State.Digest()
	return nil
}
