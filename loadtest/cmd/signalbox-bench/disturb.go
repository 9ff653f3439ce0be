package main

import (
	"context"
	"errors"
	"time"

	"github.com/signalboxhq/signalbox/loadtest/scenario"
	"github.com/signalboxhq/signalbox/loadtest/stack"
)

// measuredDatabase is the name of the database under the server.
const measuredDatabase = "signalbox"

type condition = func(ctx context.Context) (undo func() error, err error)

// conditions are those of W7 and W10.
func conditions(pg *stack.Postgres) map[scenario.Condition]condition {
	return map[scenario.Condition]condition{
		scenario.Snapshot: func(ctx context.Context) (func() error, error) {
			return pg.HoldSnapshot(ctx, measuredDatabase)
		},
		scenario.Checkpoints: func(ctx context.Context) (func() error, error) {
			return pg.Repeat(ctx, measuredDatabase, "CHECKPOINT", 5*time.Second)
		},
		scenario.Vacuum: func(ctx context.Context) (func() error, error) {
			return pg.Repeat(ctx, measuredDatabase, "VACUUM ANALYZE", time.Second)
		},
		// A commit waits a millisecond before its flush, also when it is alone.
		scenario.SlowDisk: func(ctx context.Context) (func() error, error) {
			return pg.Alter(ctx, map[string]string{"commit_delay": "1000", "commit_siblings": "0"})
		},
		scenario.NoRowLevel: pg.WithoutRowLevel,
		scenario.NoMetering: func(ctx context.Context) (func() error, error) {
			return pg.WithoutMetering(ctx, measuredDatabase)
		},
		scenario.AnalyzedIdle: func(ctx context.Context) (func() error, error) {
			return func() error { return nil }, pg.Exec(ctx, measuredDatabase, "ANALYZE")
		},
	}
}

// kills are those of W8; agents are the workload's own.
func kills(pg *stack.Postgres, server *stack.Server) map[scenario.Fault]func(ctx context.Context) error {
	return map[scenario.Fault]func(ctx context.Context) error{
		scenario.KillServer: func(ctx context.Context) error {
			return errors.Join(server.Kill(), server.Start(ctx))
		},
		scenario.KillDatabase: pg.Crash,
	}
}
