package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// memory has the garbage collector run seldom while little is alive, which is
// most of its cost, and often enough for a server of many idle agents to stay
// small. Who sets GOGC decides it.
type memory struct {
	stop      context.CancelFunc
	running   sync.WaitGroup
	collected chan struct{} // holds one: garbage was collected
}

const (
	// spare is how much may lie about before it is collected.
	spare      = 96 << 20
	leastGOGC  = 25
	mostGOGC   = 400
	usualGOGC  = 100
	liveMetric = "/gc/heap/live:bytes"
	// Stacks count for the collector as what is alive does.
	stackMetric = "/gc/scan/stack:bytes"
)

// gogc is the percentage for so many living bytes.
func gogc(live uint64) int {
	if live == 0 {
		return mostGOGC
	}
	return int(min(max(spare*100/live, leastGOGC), mostGOGC))
}

// Start adjusts the collector after each of its rounds until Stop: a server to
// which thousands of agents come at once has grown before any timer looks.
func (m *memory) Start(ctx context.Context) error {
	if set := debug.SetGCPercent(mostGOGC); set != usualGOGC {
		debug.SetGCPercent(set)
		return nil
	}
	ctx, m.stop = context.WithCancel(context.WithoutCancel(ctx))
	m.collected = make(chan struct{}, 1)
	runtime.SetFinalizer(&sentinel{ctx.Done()}, m.note)
	m.running.Go(func() { m.adjust(ctx) })
	return nil
}

// sentinel is garbage from the beginning, and again after each collection.
type sentinel struct{ stopped <-chan struct{} }

func (m *memory) note(s *sentinel) {
	select {
	case <-s.stopped:
		return
	case m.collected <- struct{}{}:
	default:
	}
	runtime.SetFinalizer(s, m.note)
}

func (m *memory) adjust(ctx context.Context) {
	sample := []metrics.Sample{{Name: liveMetric}, {Name: stackMetric}}
	set := mostGOGC
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.collected:
			metrics.Read(sample)
			if want := gogc(sample[0].Value.Uint64() + sample[1].Value.Uint64()); want != set {
				debug.SetGCPercent(want)
				set = want
			}
		}
	}
}

// Stop leaves the collector as it is.
func (m *memory) Stop() {
	if m.stop != nil {
		m.stop()
	}
	m.running.Wait()
}
