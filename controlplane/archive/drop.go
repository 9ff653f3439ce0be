package archive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
)

// Who reads or writes journals waits for the drop, and it waits for them: rather
// try again than hold them up.
const (
	sqlWaitNotLong = `
	SET LOCAL lock_timeout = '2s'`

	sqlDropPartition = `
	SELECT drop_journal_partition(@part)`

	sqlMarkDroppedRuns = `
	UPDATE archived_run a
	SET dropped_at = now(), restored_at = NULL
	FROM organization o
	WHERE a.org_id = o.org_id
		AND a.run_id >= @low
		AND a.run_id < @high`

	sqlMarkDroppedUsage = `
	UPDATE archived_usage
	SET dropped_at = now()
	WHERE starts_with(part, @part || '.')
		AND dropped_at IS NULL`
)

// errKept ends the transaction of a drop that must not be.
var errKept = errors.New("the partition stays")

// Drop drops a partition if every run of it ended before the cutoff, its journal
// as it is now is in the archive, and none came back lately. It reports whether
// the partition is gone.
func (a *Archive) Drop(ctx context.Context, p Partition, cutoff time.Time) (bool, error) {
	err := pg.InSystem(ctx, a.db.Engine, func(tx pgx.Tx) error {
		// Asked before the lock is taken, so that nobody waits for nothing, and
		// again under it: a retry may have opened a run meanwhile.
		if err := mayGo(ctx, tx, p, cutoff); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlWaitNotLong); err != nil {
			return fmt.Errorf("bound the wait: %w", err)
		}
		if _, err := tx.Exec(ctx, sqlDropPartition, pgx.StrictNamedArgs{"part": p.Name}); err != nil {
			return fmt.Errorf("drop the partition: %w", err)
		}
		if err := mayGo(ctx, tx, p, cutoff); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlMarkDroppedRuns, pgx.StrictNamedArgs{"low": p.Low, "high": p.High}); err != nil {
			return fmt.Errorf("mark the runs: %w", err)
		}
		if _, err := tx.Exec(ctx, sqlMarkDroppedUsage, pgx.StrictNamedArgs{"part": p.Name}); err != nil {
			return fmt.Errorf("mark the usage: %w", err)
		}
		return nil
	})
	switch {
	case errors.Is(err, errKept):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("drop %s: %w", p.Name, err)
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "dropped", slog.String("partition", p.Name))
	return true, nil
}

// mayGo is nil if nothing of a partition is needed any more.
func mayGo(ctx context.Context, tx pgx.Tx, p Partition, cutoff time.Time) error {
	s, err := readStanding(ctx, tx, p, cutoff)
	if err == nil && (p.Until.After(cutoff) || s.young+s.missing+s.restored > 0) {
		return errKept
	}
	return err
}

// DropDue drops all partitions that may go, and returns their names. One that
// cannot be dropped now, because somebody reads it, keeps the others from
// nothing.
func (a *Archive) DropDue(ctx context.Context, cutoff time.Time) ([]string, error) {
	due, err := a.Due(ctx, cutoff)
	var dropped []string
	for _, p := range due {
		gone, e := a.Drop(ctx, p, cutoff)
		err = errors.Join(err, e)
		if gone {
			dropped = append(dropped, p.Name)
		}
	}
	return dropped, err
}
