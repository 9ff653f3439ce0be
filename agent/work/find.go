package work

import (
	"context"
	"log/slog"
	"time"
)

// findAgain is how often to look for GPUs.
const findAgain = time.Minute

// findLoop notices GPUs that came or went: a card that fell off its bus, a
// driver that was updated, instances that were made anew.
func (w *Worker) findLoop(ctx context.Context) {
	if w.config.FindGPUs == nil {
		return
	}
	every := w.config.FindEvery
	if every <= 0 {
		every = findAgain
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		found := w.config.FindGPUs(ctx)
		if ctx.Err() != nil || !w.accounts.equip(found) {
			continue
		}
		w.log.LogAttrs(ctx, slog.LevelInfo, "the GPUs have changed", slog.Any("gpus", found.IDs()), slog.String("gpu_type", found.Type))
		w.reequipped.Store(true)
		w.poller.again()
	}
}

// refreshCapacity has a new session tell of GPUs that came or went.
func (w *Worker) refreshCapacity(ctx context.Context) {
	if !w.reequipped.Swap(false) {
		return
	}
	if err := w.openSession(ctx); err != nil && ctx.Err() == nil {
		w.fail(err)
	}
}
