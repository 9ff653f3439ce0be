package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/signalboxhq/signalbox/agent/work"
)

// Outcomes that cannot be reported within this time after steps were stopped or
// killed are left in the spool, for the next start.
const (
	reportAfterStop = 15 * time.Second
	reportAfterKill = 5 * time.Second
)

// runUntilSignaled works until it is told to end, in three steps:
//
//	first signal    take no more work, finish what runs
//	second          end steps: TERM, and KILL after the grace
//	third           kill steps now
func runUntilSignaled(ctx context.Context, worker *work.Worker, signals <-chan os.Signal, grace time.Duration, log *slog.Logger) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx) }()
	patience := time.NewTimer(time.Hour)
	patience.Stop()
	for step := 1; ; {
		select {
		case err := <-ended:
			log.LogAttrs(ctx, slog.LevelInfo, "end")
			return err
		case <-patience.C:
			cancel()
		case <-signals:
			switch step {
			case 1:
				log.LogAttrs(ctx, slog.LevelInfo, "draining: no more work is taken; a second signal stops steps, a third kills them", slog.Int("held", worker.Held()))
				worker.Drain()
			case 2:
				log.LogAttrs(ctx, slog.LevelWarn, "stopping steps", slog.Int("held", worker.Held()), slog.Duration("grace", grace))
				worker.StopSteps(grace)
				patience.Reset(grace + reportAfterStop)
			default:
				log.LogAttrs(ctx, slog.LevelWarn, "killing steps", slog.Int("held", worker.Held()))
				worker.Kill()
				patience.Reset(reportAfterKill)
			}
			step++
		}
	}
}
