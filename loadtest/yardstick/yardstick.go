// Package yardstick measures the machine itself, in SQL written by hand, so that
// a figure can be told as a ratio that holds elsewhere too:
//
//	C  the median latency of a commit of one row, one client
//	S  one-row INSERTs a second, each its own commit, 32 clients
//	L  tasks a second through the shortest lifecycle that loses nothing: enqueue,
//	   claim with SKIP LOCKED, complete by deleting, with a usage and an event
//	   row each; in batches of 100
//
// They run in a fresh database of the same PostgreSQL, before what they are
// compared with.
package yardstick

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signalboxhq/signalbox/loadtest/measure"
)

// Yardstick is one measurement of the machine.
type Yardstick struct {
	// Commit is C; P50 counts.
	Commit measure.Latency `json:"c"`
	// Inserts is S, Lifecycle is L, both a second.
	Inserts   float64 `json:"s_per_second"`
	Lifecycle float64 `json:"l_per_second"`
	// LifecycleCPU is what a task of L takes of PostgreSQL, in microseconds: it
	// stays true where L itself suffers from what else runs.
	LifecycleCPU float64 `json:"l_cpu_us"`
}

// Mean is what lies between two measurements, one before and one after what is
// compared with it; the distribution of C is that of the second.
func (y Yardstick) Mean(o Yardstick) Yardstick {
	mean := o
	mean.Commit.P50 = (y.Commit.P50 + o.Commit.P50) / 2
	mean.Inserts, mean.Lifecycle = (y.Inserts+o.Inserts)/2, (y.Lifecycle+o.Lifecycle)/2
	mean.LifecycleCPU = (y.LifecycleCPU + o.LifecycleCPU) / 2
	return mean
}

// C is the median commit.
func (y Yardstick) C() time.Duration { return time.Duration(y.Commit.P50) * time.Microsecond }

const (
	insertClients    = 32
	lifecycleWorkers = 4
	lifecycleBatch   = 100
)

// Measure takes about three times as long as told: so long for each yardstick.
// postmaster is the process whose CPU time is read.
func Measure(ctx context.Context, database string, postmaster int, each time.Duration) (Yardstick, error) {
	config, err := pgxpool.ParseConfig(database)
	if err != nil {
		return Yardstick{}, fmt.Errorf("parse the database URL: %w", err)
	}
	config.MaxConns = insertClients
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return Yardstick{}, fmt.Errorf("open the yardsticks' database: %w", err)
	}
	defer pool.Close()
	if _, err := pool.Exec(ctx, sqlTables); err != nil {
		return Yardstick{}, fmt.Errorf("make the yardsticks' tables: %w", err)
	}
	var y Yardstick
	if y.Commit, err = commit(ctx, pool, each); err != nil {
		return y, err
	}
	if y.Inserts, err = inserts(ctx, pool, each); err != nil {
		return y, err
	}
	before, _, err := measure.Tree(postmaster)
	if err != nil {
		return y, err
	}
	begin := time.Now()
	if y.Lifecycle, err = lifecycle(ctx, pool, each, lifecycleBatch); err != nil {
		return y, err
	}
	tasks := y.Lifecycle * time.Since(begin).Seconds()
	after, _, err := measure.Tree(postmaster)
	y.LifecycleCPU = float64((after - before).Microseconds()) / max(1, tasks)
	return y, err
}

const sqlTables = `
	CREATE TABLE commit_row (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n bigint NOT NULL);
	CREATE TABLE insert_row (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n bigint NOT NULL);
	CREATE TABLE task (
	  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	  tenant bigint NOT NULL,
	  claimed_by bigint,
	  spec bytea NOT NULL
	) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
	CREATE TABLE event (
	  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	  task bigint NOT NULL,
	  at timestamptz NOT NULL DEFAULT now(),
	  result bytea NOT NULL
	);
	CREATE TABLE usage (
	  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	  task bigint NOT NULL,
	  tenant bigint NOT NULL,
	  ms bigint NOT NULL
	)`

const sqlCommitRow = `INSERT INTO commit_row (n) VALUES ($1)`

func commit(ctx context.Context, pool *pgxpool.Pool, each time.Duration) (measure.Latency, error) {
	h := measure.NewHistogram()
	err := pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
		for begin, i := time.Now(), 0; time.Since(begin) < each; i++ {
			at := time.Now()
			if _, err := conn.Exec(ctx, sqlCommitRow, i); err != nil {
				return fmt.Errorf("commit a row: %w", err)
			}
			h.Record(time.Since(at))
		}
		return nil
	})
	return h.Latency(), err
}

const sqlInsertRow = `INSERT INTO insert_row (n) VALUES ($1)`

func inserts(ctx context.Context, pool *pgxpool.Pool, each time.Duration) (float64, error) {
	return together(ctx, pool, insertClients, each, func(ctx context.Context, conn *pgx.Conn, _ int) (int, error) {
		if _, err := conn.Exec(ctx, sqlInsertRow, 1); err != nil {
			return 0, fmt.Errorf("insert a row: %w", err)
		}
		return 1, nil
	})
}

// together repeats do on n connections and returns what they did a second.
func together(ctx context.Context, pool *pgxpool.Pool, n int, each time.Duration, do func(ctx context.Context, conn *pgx.Conn, worker int) (int, error)) (float64, error) {
	conns := make([]*pgxpool.Conn, n)
	for i := range conns {
		conn, err := pool.Acquire(ctx)
		if err != nil {
			return 0, fmt.Errorf("connect: %w", err)
		}
		defer conn.Release()
		conns[i] = conn
	}
	var count atomic.Int64
	errs := make([]error, n)
	var all sync.WaitGroup
	begin := time.Now()
	for i, conn := range conns {
		all.Go(func() {
			for time.Since(begin) < each && errs[i] == nil {
				var done int
				done, errs[i] = do(ctx, conn.Conn(), i)
				count.Add(int64(done))
			}
		})
	}
	all.Wait()
	return float64(count.Load()) / time.Since(begin).Seconds(), errors.Join(errs...)
}
