package work

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/signalboxhq/signalbox/agent/link"
)

// busyWait is how long a poll waits that does not offer all there is: while
// something runs, which gives back capacity, or while a report offers the rest. A
// task that needs more than each of them has waits for the next poll.
const busyWait = 3 * time.Second

// pulseAfter gathers the starts of several steps into one request, and spares
// it for steps that are over by then.
const pulseAfter = 100 * time.Millisecond

// poller is the poll that waits now, so that it can be begun anew.
type poller struct {
	mu     sync.Mutex
	cancel context.CancelFunc
	second context.CancelFunc // of a poll beside it
	offer  link.Capacity
	beside chan struct{} // asks for a poll beside the one that waits; holds one
}

// begin replaces the waiting poll.
func (p *poller) begin(ctx context.Context, offer link.Capacity) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cancel, p.offer = cancel, offer
	return ctx, cancel
}

// again has slots that became free offered. A poll that offers nothing is begun
// anew for it. One that offers something is left alone: its answer may be a lease
// on its way. If all it offers are decisions, another one beside it offers slots.
func (p *poller) again() {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.cancel == nil || p.offer.Slots > 0:
	case p.offer.Decisions == 0:
		p.cancel()
	default:
		select {
		case p.beside <- struct{}{}:
		default:
		}
	}
}

// join is the context of a poll beside the one that waits.
func (p *poller) join(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.second = cancel
	return ctx, cancel
}

// cut ends the waiting polls whatever they offer.
func (p *poller) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, cancel := range []context.CancelFunc{p.cancel, p.second} {
		if cancel != nil {
			cancel()
		}
	}
}

// pollLoop takes work. Every poll lists all leases and so is a heartbeat.
func (w *Worker) pollLoop(ctx context.Context) {
	var backoff link.Backoff
	for try := 1; ctx.Err() == nil; {
		w.refreshKeys(ctx)
		w.refreshCapacity(ctx)
		err := w.poll(ctx)
		switch {
		case ctx.Err() != nil:
		case err == nil:
			backoff.Reset()
			try = 1
		case link.ReasonOf(err) == link.ReasonSessionExpired:
			if err := w.openSession(ctx); err != nil {
				w.fail(err)
			}
		case link.ReasonOf(err) == link.ReasonAgentRevoked:
			w.fail(err)
		default:
			if try == 1 || try%20 == 0 {
				w.log.LogAttrs(ctx, slog.LevelWarn, "the control plane does not answer; steps keep running", slog.Any("error", err))
			}
			try++
			backoff.Wait(ctx)
		}
	}
}

// poll makes one poll and takes what it brings.
func (w *Worker) poll(ctx context.Context) error {
	draining := w.draining.begun()
	free, taken := link.Capacity{}, func() {}
	if !draining {
		free, taken = w.accounts.offer()
	}
	defer taken()
	session := w.session.Load()
	wait := session.Heartbeat
	if !w.accounts.whole(free) {
		wait = min(wait, busyWait)
	}
	if draining && !w.draining.wasTold() {
		wait = 0
	}
	waiting, cancel := w.poller.begin(ctx, free)
	defer cancel()
	work, err := w.client.Poll(waiting, link.Poll{Session: session.ID, Free: free, Wait: wait, Held: w.book.list(), Draining: draining})
	if draining {
		w.draining.tell()
	}
	if err != nil {
		if waiting.Err() != nil && ctx.Err() == nil {
			return nil // it was begun anew on purpose
		}
		return err
	}
	w.take(ctx, work)
	return nil
}

// sideLoop polls beside the poll that waits: with all slots taken that one offers
// decisions only, and should not be cut off when a slot becomes free. It is soon
// over, so that the next poll offers everything again. Its failures cost nothing:
// the other poll meets the same.
func (w *Worker) sideLoop(ctx context.Context) {
	for {
		select {
		case <-w.poller.beside:
		case <-ctx.Done():
			return
		}
		if w.draining.begun() {
			continue
		}
		free, taken := w.accounts.offer()
		if free.Slots > 0 {
			waiting, cancel := w.poller.join(ctx)
			work, err := w.client.Poll(waiting, link.Poll{Session: w.session.Load().ID, Free: free, Wait: busyWait, Held: w.book.list()})
			cancel()
			if err == nil {
				w.take(ctx, work)
			}
		}
		taken()
		if free.Slots > 0 {
			w.offerAgain()
		}
	}
}

// offerAgain has what became free offered, if the poll that waits does not.
func (w *Worker) offerAgain() {
	if w.accounts.spare() {
		w.poller.again()
	}
}

// pulse asks for a heartbeat soon: a step has started, and somebody may watch.
func (w *Worker) pulse() {
	select {
	case w.pulses <- struct{}{}:
	default:
	}
}

// pulseLoop sends heartbeats beside the poll that waits. It offers nothing, so
// its failures cost nothing: the next poll says the same.
func (w *Worker) pulseLoop(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-w.pulses:
			timer.Reset(pulseAfter)
		case <-timer.C:
			held := w.book.list()
			if len(held) == 0 {
				continue
			}
			work, err := w.client.Poll(ctx, link.Poll{Session: w.session.Load().ID, Held: held, Draining: w.draining.begun()})
			if err == nil {
				w.take(ctx, work)
			}
		case <-ctx.Done():
			return
		}
	}
}

// refreshKeys notices keys that were imported beside the running agent. A new
// session tells the control plane what this agent can open now.
func (w *Worker) refreshKeys(ctx context.Context) {
	changed, err := w.keyring.Reload()
	if err != nil {
		w.log.LogAttrs(ctx, slog.LevelError, "the workspace keys cannot be read", slog.Any("error", err))
		return
	}
	if !changed {
		return
	}
	w.log.LogAttrs(ctx, slog.LevelInfo, "the workspace keys have changed")
	if err := w.connect(ctx); err != nil && ctx.Err() == nil {
		w.fail(err)
	}
}
