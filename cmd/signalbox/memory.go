package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// memory has the garbage collector run seldom while little is alive, which is
// most of its cost, and often enough for a server of many idle agents to stay
// small. Who sets GOGC decides it.
type memory struct {
	stop    context.CancelFunc
	running sync.WaitGroup
}

const (
	// spare is how much may lie about before it is collected.
	spare     = 96 << 20
	leastGOGC = 30
	mostGOGC  = 400
	usualGOGC = 100
	// adjustEvery is short beside what it takes ten thousand agents to come.
	adjustEvery = time.Second
)

// gogc is the percentage for so many living bytes: what the collector reads, of
// the heap and of stacks, since it takes its percentage of both.
func gogc(live uint64) int {
	if live == 0 {
		return mostGOGC
	}
	return int(min(max(spare*100/live, leastGOGC), mostGOGC))
}

// Start adjusts the collector until Stop.
func (m *memory) Start(ctx context.Context) error {
	if set := debug.SetGCPercent(mostGOGC); set != usualGOGC {
		debug.SetGCPercent(set)
		return nil
	}
	ctx, m.stop = context.WithCancel(context.WithoutCancel(ctx))
	m.running.Go(func() { m.adjust(ctx) })
	return nil
}

func (m *memory) adjust(ctx context.Context) {
	tick := time.NewTicker(adjustEvery)
	defer tick.Stop()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}}
	now := mostGOGC
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			metrics.Read(sample)
			// To set it stops the world, so what is set already is not set again.
			if want := gogc(sample[0].Value.Uint64() + sample[1].Value.Uint64()); want != now {
				now = want
				debug.SetGCPercent(now)
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
