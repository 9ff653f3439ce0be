package workload

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signalboxhq/signalbox/loadtest/driver"
)

// tally hears of every finished step and knows which runs are done. All runs of
// a tally have the same number of steps; a step may be told before the submit of
// its run was answered.
type tally struct {
	size  int
	steps atomic.Int64

	mu   sync.Mutex
	runs map[string]*run
	// waits is told of the first step that was leased after a moment.
	after int64
	waits chan driver.Event
}

// run is the steps of a run that were told.
type run struct {
	events []driver.Event
	seen   map[int]bool
	begun  chan struct{}
	done   chan struct{}
}

func newTally(size int) *tally { return &tally{size: size, runs: map[string]*run{}} }

// run returns a run, new if it was not heard of. The lock is held.
func (t *tally) run(id string) *run {
	r := t.runs[id]
	if r == nil {
		r = &run{seen: make(map[int]bool, t.size), begun: make(chan struct{}), done: make(chan struct{})}
		t.runs[id] = r
	}
	return r
}

// told takes what a fleet says.
func (t *tally) told(events []driver.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range events {
		if t.waits != nil && e.Leased > t.after {
			t.waits <- e
			t.waits = nil
		}
		r := t.run(e.Run)
		if r.seen[e.Step] {
			continue
		}
		r.seen[e.Step] = true
		r.events = append(r.events, e)
		t.steps.Add(1)
		if len(r.events) == 1 {
			close(r.begun)
		}
		if len(r.events) == t.size {
			close(r.done) // those of a larger graph are heard of on
		}
	}
}

// await returns the steps of a run once it is done, and forgets it.
func (t *tally) await(ctx context.Context, id string) ([]driver.Event, error) {
	t.mu.Lock()
	r := t.run(id)
	t.mu.Unlock()
	select {
	case <-r.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.runs, id)
	return r.events, nil
}

// leasedAfter tells of a step that was leased after a moment: the first that is
// told of.
func (t *tally) leasedAfter(moment time.Time) <-chan driver.Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.after, t.waits = moment.UnixNano(), make(chan driver.Event, 1)
	return t.waits
}

// soFar is the steps of a run that were told.
func (t *tally) soFar(id string) []driver.Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.run(id).events)
}

// forget drops what was told of a run.
func (t *tally) forget(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.runs, id)
}

// first returns the first step of a run that has one step, unlike the others.
func (t *tally) first(ctx context.Context, id string) (driver.Event, error) {
	t.mu.Lock()
	r := t.run(id)
	t.mu.Unlock()
	select {
	case <-r.begun:
	case <-ctx.Done():
		return driver.Event{}, ctx.Err()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.runs, id)
	return r.events[0], nil
}
