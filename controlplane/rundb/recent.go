package rundb

import (
	"slices"
	"sync"

	"github.com/signalboxhq/signalbox/proto/id"
)

// recent keeps the folds of the runs whose tasks were listed last, so that the
// pages of a map of 100,000 items do not fold its journal each. Whoever takes
// one has it alone. That the caller may see the run is found out before.
type recent struct {
	mu    sync.Mutex
	known []folded // the newest last
}

type folded struct {
	run     id.UUID
	history *history
}

// What is kept: so many runs, with so many tasks together.
const (
	maxRecent      = 16
	maxRecentTasks = 300_000
)

// take removes and returns a run's fold; nil for none.
func (c *recent) take(run id.UUID) *history {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, k := range c.known {
		if k.run == run {
			c.known = slices.Delete(c.known, i, i+1)
			return k.history
		}
	}
	return nil
}

func (c *recent) put(run id.UUID, h *history) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known = append(slices.DeleteFunc(c.known, func(k folded) bool { return k.run == run }), folded{run, h})
	tasks := 0
	for i, k := range slices.Backward(c.known) {
		if tasks += len(k.history.state.Tasks); tasks > maxRecentTasks || len(c.known)-i > maxRecent {
			c.known = slices.Delete(c.known, 0, i+1)
			return
		}
	}
}
