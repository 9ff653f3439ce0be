package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signalboxhq/signalbox/controlplane/archive"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

// janitor removes what has expired, makes the partitions of the months ahead and
// drops those that are archived and old, each hour. Any number of replicas may do
// it at once.
type janitor struct {
	pool    *pgxpool.Pool
	archive *archive.Archive
	// months are how long archived journals stay; 0: for ever.
	months  int
	log     *slog.Logger
	stop    context.CancelFunc
	running sync.WaitGroup
}

func newJanitor(db *pg.DB, months int, log *slog.Logger) *janitor {
	return &janitor{pool: db.Engine, archive: archive.New(db, log), months: months, log: log.With(slog.String("component", "janitor"))}
}

// Start cleans now and each hour, until Stop.
func (j *janitor) Start(ctx context.Context) error {
	ctx, j.stop = context.WithCancel(context.WithoutCancel(ctx))
	j.running.Go(func() {
		tick := time.NewTicker(time.Hour)
		defer tick.Stop()
		for {
			if err := j.clean(ctx); err != nil && ctx.Err() == nil {
				j.log.LogAttrs(ctx, slog.LevelWarn, "cleaning was interrupted", slog.Any("error", err))
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	return nil
}

// Stop ends it. It may be called twice.
func (j *janitor) Stop() {
	if j.stop != nil {
		j.stop()
	}
	j.running.Wait()
}

const sqlMakePartitions = `
	SELECT make_journal_partition(now() + make_interval(months => m))
	FROM generate_series(0, 2) AS m`

const sqlDropStartKeys = `
	DELETE FROM start_key
	WHERE expires_at < now()`

// What became of a fire is told for 90 days, and of the newest one always. No fire
// is made twice because its row is gone: the schedule's cursor is beyond it.
const sqlDropFires = `
	DELETE FROM schedule_fire f
	WHERE f.ended_at < now() - interval '90 days'
		AND EXISTS (
			SELECT
			FROM schedule_fire n
			WHERE n.org_id = f.org_id
				AND n.schedule_id = f.schedule_id
				AND n.nominal > f.nominal)`

// A lane behind its clock stands there: its row says nothing.
const sqlDropLanes = `
	DELETE FROM lane l
	USING lane c
	WHERE c.org_id = l.org_id
		AND c.pool_id = l.pool_id
		AND c.priority = l.priority
		AND c.lane = '00000000-0000-0000-0000-000000000000'
		AND l.lane <> c.lane
		AND l.vtime < c.vtime`

// A line in which nobody stands is made anew when somebody comes. SKIP LOCKED:
// somebody is coming.
const sqlDropLines = `
	DELETE FROM line l
	USING (
		SELECT x.org_id, x.pipeline_id, x.key
		FROM line x
		WHERE x.held = 0
			AND x.waiting = 0
		FOR UPDATE SKIP LOCKED
	) e
	WHERE l.org_id = e.org_id
		AND l.pipeline_id = e.pipeline_id
		AND l.key = e.key`

func (j *janitor) clean(ctx context.Context) error {
	err := j.sweep(ctx)
	if j.months == 0 {
		return err
	}
	_, e := j.archive.DropDue(ctx, archive.Cutoff(time.Now(), j.months))
	return errors.Join(err, e)
}

func (j *janitor) sweep(ctx context.Context) error {
	return pg.InSystem(ctx, j.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlMakePartitions); err != nil {
			return fmt.Errorf("make partitions: %w", err)
		}
		if _, err := tx.Exec(ctx, sqlDropStartKeys); err != nil {
			return fmt.Errorf("drop start keys: %w", err)
		}
		if _, err := tx.Exec(ctx, sqlDropFires); err != nil {
			return fmt.Errorf("drop fires: %w", err)
		}
		if _, err := tx.Exec(ctx, sqlDropLanes); err != nil {
			return fmt.Errorf("drop lanes: %w", err)
		}
		if _, err := tx.Exec(ctx, sqlDropLines); err != nil {
			return fmt.Errorf("drop lines: %w", err)
		}
		_, err := tenancydb.Sweep(ctx, tx, time.Now())
		return err
	})
}
