package work

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/signalboxhq/signalbox/agent/link"
)

// drain is the way out of a worker.
type drain struct {
	beginOnce, tellOnce *sync.Once
	started             chan struct{} // closed by Drain
	told                chan struct{} // closed when the control plane was asked for no more
}

func newDrain() drain {
	return drain{beginOnce: &sync.Once{}, tellOnce: &sync.Once{}, started: make(chan struct{}), told: make(chan struct{})}
}

func (d *drain) begun() bool   { return closed(d.started) }
func (d *drain) wasTold() bool { return closed(d.told) }

// context is a context that ends with Drain.
func (d *drain) context(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-d.started:
		case <-ctx.Done():
		}
		cancel()
	}()
	return ctx
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// tell says that a poll has been made that asked for nothing, so that no lease
// is on its way any more. One that failed counts as well: nobody will answer it.
func (d *drain) tell() { d.tellOnce.Do(func() { close(d.told) }) }

// Drain takes no more work and has Run return when all that there is has ended
// and was reported. It returns at once.
func (w *Worker) Drain() {
	w.draining.beginOnce.Do(func() { close(w.draining.started) })
	w.poller.cut()
}

// StopSteps drains and ends the steps that run: TERM, and KILL after the grace.
func (w *Worker) StopSteps(grace time.Duration) {
	w.Drain()
	w.book.stopAll(byDrain, grace)
}

// Kill drains and kills the steps that run.
func (w *Worker) Kill() { w.StopSteps(0) }

// Held is how many leases are left.
func (w *Worker) Held() int { return len(w.book.list()) }

// closeTimeout bounds the last call: the control plane finds out by itself, half
// a minute later.
const closeTimeout = 2 * time.Second

// closeSession says goodbye, so that nobody takes this agent for alive any more.
func (w *Worker) closeSession(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	if _, err := w.client.Poll(ctx, link.Poll{Session: w.session.Load().ID, Draining: true, Closing: true}); err != nil {
		w.log.LogAttrs(ctx, slog.LevelInfo, "the session is left to expire", slog.Any("error", err))
	}
}

// drainLoop ends the worker when it is drained.
func (w *Worker) drainLoop(ctx context.Context) {
	for _, wait := range []<-chan struct{}{w.draining.started, w.draining.told} {
		select {
		case <-wait:
		case <-ctx.Done():
			return
		}
	}
	for {
		empty := w.book.empty()
		if empty == nil {
			w.fail(errDrained)
			return
		}
		select {
		case <-empty:
		case <-ctx.Done():
			return
		}
	}
}
