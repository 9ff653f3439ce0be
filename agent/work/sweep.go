package work

import (
	"context"
	"log/slog"
	"time"
)

// sweepEvery is how often retention is looked after; it is counted in days.
const sweepEvery = time.Hour

// sweepLoop removes logs and artifacts whose retention is over, at the start and
// every hour.
func (w *Worker) sweepLoop(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		w.sweep(ctx)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (w *Worker) sweep(ctx context.Context) {
	removed, err := w.logs.Sweep(w.config.LogRetention)
	w.swept(ctx, "logs", removed, err)
	if w.config.ArtifactRetention > 0 {
		removed, err = w.artifacts.Sweep(time.Now().Add(-w.config.ArtifactRetention))
		w.swept(ctx, "artifacts", removed, err)
	}
}

func (w *Worker) swept(ctx context.Context, what string, removed int, err error) {
	if err != nil {
		w.log.LogAttrs(ctx, slog.LevelWarn, "retention could not be kept", slog.String("of", what), slog.Any("error", err))
	}
	if removed > 0 {
		w.log.LogAttrs(ctx, slog.LevelInfo, "retention is over", slog.String("of", what), slog.Int("removed", removed))
	}
}
