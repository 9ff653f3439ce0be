// Package reaper ends the sessions of agents that have gone silent.
//
// Only it does (and a revocation, or a session that replaces another). Time is
// the database's. One row remembers when a reaper last looked: a gap of more
// than five seconds was an outage of ours, of PostgreSQL or of the last replica,
// and is given back to every session that was alive then, so that it costs
// nobody an attempt (model.md §6.6).
package reaper

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Advancer is what ends sessions and leases.
type Advancer interface {
	EndSession(ctx context.Context, c advance.EndSession) (bool, error)
	Lose(ctx context.Context, c advance.Lose) error
}

// Reaper looks once a second until it is stopped.
type Reaper struct {
	pool     *pgxpool.Pool
	advancer Advancer
	log      *slog.Logger

	stop    context.CancelFunc
	running sync.WaitGroup
}

const interval = time.Second

// New makes a Reaper.
func New(pool *pgxpool.Pool, a Advancer, log *slog.Logger) *Reaper {
	return &Reaper{pool: pool, advancer: a, log: log.With(slog.String("component", "reaper"))}
}

// Start runs the reaper until Stop.
func (r *Reaper) Start(ctx context.Context) error {
	ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	r.running.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := r.Reap(ctx); err != nil && ctx.Err() == nil {
					r.log.LogAttrs(ctx, slog.LevelWarn, "reaping was interrupted", slog.Any("error", err))
				}
			}
		}
	})
	return nil
}

// Stop ends the reaper. It may be called twice.
func (r *Reaper) Stop() {
	if r.stop != nil {
		r.stop()
	}
	r.running.Wait()
}

// SKIP LOCKED: while one replica reaps, the others need not wait to do the same.
const sqlLockReaper = `
	SELECT clock_timestamp(), seen
	FROM reaper
	FOR UPDATE SKIP LOCKED`

// Nobody is given more than a whole life: a session that was opened or renewed
// since the last look has lost nothing of its own.
const sqlGiveBack = `
	UPDATE session
	SET expires_at = least(expires_at + @gap::interval, greatest(expires_at, @latest))
	WHERE NOT ended
		AND expires_at > @seen`

const sqlTouchReaper = `
	UPDATE reaper
	SET seen = @now`

const sqlExpiredSessions = `
	SELECT org_id, id
	FROM session
	WHERE NOT ended
		AND expires_at < @now
	ORDER BY expires_at
	LIMIT 1000`

// maxGap is the longest silence of all reapers that is no outage.
const maxGap = 5 * time.Second

type sessionKey struct{ Org, Session id.UUID }

// parallel is how many commands are on their way at once: they share batches.
const parallel = 64

// Reap looks once: it gives an outage back, ends what has expired, and loses
// what ended sessions held. Repeating it, or dying anywhere in it, is harmless.
// What fails is left to the next look, and holds up nothing else.
func (r *Reaper) Reap(ctx context.Context) error {
	expired, err := r.expired(ctx)
	if err != nil {
		return err
	}
	var ends errgroup.Group
	ends.SetLimit(parallel)
	for _, s := range expired {
		ends.Go(func() error {
			_, err := r.advancer.EndSession(ctx, advance.EndSession{Org: s.Org, Session: s.Session})
			if err != nil {
				return fmt.Errorf("end session: %w", err)
			}
			return nil
		})
	}
	return errors.Join(ends.Wait(), r.clear(ctx))
}

func (r *Reaper) expired(ctx context.Context) ([]sessionKey, error) {
	var out []sessionKey
	err := pg.InSystem(ctx, r.pool, func(tx pgx.Tx) error {
		var now, seen time.Time
		if err := tx.QueryRow(ctx, sqlLockReaper).Scan(&now, &seen); err != nil {
			if pg.NoRows(err) {
				return nil
			}
			return fmt.Errorf("lock the reaper: %w", err)
		}
		if gap := now.Sub(seen); gap > maxGap {
			ct, err := tx.Exec(ctx, sqlGiveBack, pgx.StrictNamedArgs{"gap": gap, "seen": seen, "latest": now.Add(advance.SessionTTL)})
			if err != nil {
				return fmt.Errorf("give an outage back: %w", err)
			}
			r.log.LogAttrs(ctx, slog.LevelInfo, "gave an outage back to sessions", slog.Duration("gap", gap), slog.Int64("sessions", ct.RowsAffected()))
		}
		if _, err := tx.Exec(ctx, sqlTouchReaper, pgx.StrictNamedArgs{"now": now}); err != nil {
			return fmt.Errorf("touch the reaper: %w", err)
		}
		rows, err := tx.Query(ctx, sqlExpiredSessions, pgx.StrictNamedArgs{"now": now})
		if err != nil {
			return fmt.Errorf("read expired sessions: %w", err)
		}
		out, err = pgx.CollectRows(rows, pgx.RowToStructByPos[sessionKey])
		return err
	})
	return out, err
}

const sqlLeasesOfEnded = `
	SELECT l.org_id, l.run_id, l.id, l.session_id
	FROM session s
	JOIN lease l ON l.org_id = s.org_id AND l.pool_id = s.pool_id AND l.session_id = s.id
	WHERE s.ended
	LIMIT 1000`

// SKIP LOCKED: another replica removes the same ones.
const sqlDropEnded = `
	DELETE FROM session d
	USING (
		SELECT s.org_id, s.id
		FROM session s
		WHERE s.ended
			AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.org_id = s.org_id AND l.pool_id = s.pool_id AND l.session_id = s.id)
		FOR UPDATE OF s SKIP LOCKED
	) k
	WHERE d.org_id = k.org_id
		AND d.id = k.id`

// clear loses the leases of ended sessions, and removes those that have none.
func (r *Reaper) clear(ctx context.Context) error {
	rows, err := r.pool.Query(ctx, sqlLeasesOfEnded)
	if err != nil {
		return fmt.Errorf("read leases of ended sessions: %w", err)
	}
	var lost []advance.Lose
	var l advance.Lose
	_, err = pgx.ForEachRow(rows, []any{&l.Org, &l.Run, &l.Lease, &l.Session}, func() error {
		lost = append(lost, l)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read leases of ended sessions: %w", err)
	}
	var losses errgroup.Group
	losses.SetLimit(parallel)
	for _, l := range lost {
		losses.Go(func() error {
			if err := r.advancer.Lose(ctx, l); err != nil {
				return fmt.Errorf("lose lease %d: %w", l.Lease, err)
			}
			return nil
		})
	}
	failed := losses.Wait()
	if _, err := r.pool.Exec(ctx, sqlDropEnded); err != nil {
		return errors.Join(failed, fmt.Errorf("remove ended sessions: %w", err))
	}
	return failed
}
