// Package folded keeps runs as their journals tell them, for those who read:
// each is folded once, and after that only what is new. A run of 10,000 tasks
// whose agents each ask for their inputs is not folded 10,000 times.
//
// It is a cache and never a truth: every use reads the journal beyond what is
// known. It must not be used to decide anything: that is controlplane/advance,
// whose states are verified under a run's lock.
package folded

import (
	"container/list"
	"context"
	"fmt"
	"sync"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/proto/id"
)

// maxTasks bounds the cache: a task takes about 100 bytes.
const maxTasks = 1_000_000

// Cache holds folded runs, least recently used out first. The zero value is
// ready. It is safe for concurrent use.
type Cache struct {
	mu    sync.Mutex
	known map[key]*list.Element
	order list.List
	tasks int
}

type key struct{ org, run id.UUID }

// run is folded by one reader at a time.
type run struct {
	key    key
	weight int // guarded by the cache

	mu    sync.Mutex
	graph *engine.Graph
	state *engine.State
}

// Use brings a run up to date and lends it to use, which must not change it nor
// keep it. graph prepares the run's version; it is asked only for a run that is
// not known.
func (c *Cache) Use(ctx context.Context, q journal.Querier, org, runID id.UUID,
	graph func() (*engine.Graph, error), use func(*engine.Graph, *engine.State) error,
) error {
	r := c.find(key{org, runID})
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.catchUp(ctx, q, graph); err != nil {
		r.state = nil // half-way, perhaps: fold anew
		return err
	}
	c.weigh(r, len(r.state.Tasks))
	return use(r.graph, r.state)
}

func (r *run) catchUp(ctx context.Context, q journal.Querier, graph func() (*engine.Graph, error)) error {
	if r.graph == nil {
		var err error
		if r.graph, err = graph(); err != nil {
			return err
		}
	}
	if r.state == nil {
		r.state = engine.NewState(r.key.run)
	}
	rows, err := journal.Read(ctx, q, r.key.org, r.key.run, r.state.Seq)
	if err != nil {
		return err
	}
	for i := range rows {
		if err := engine.Fold(r.graph, r.state, rows[i].Entry); err != nil {
			return fmt.Errorf("fold run %s: %w", id.Format(id.Run, r.key.run), err)
		}
	}
	return nil
}

func (c *Cache) find(k key) *run {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el := c.known[k]; el != nil {
		c.order.MoveToFront(el)
		return el.Value.(*run)
	}
	if c.known == nil {
		c.known = map[key]*list.Element{}
	}
	r := &run{key: k}
	c.known[k] = c.order.PushFront(r)
	return r
}

// weigh counts a run's tasks and makes room for them. Who holds a run that is
// put out goes on with it.
func (c *Cache) weigh(r *run, tasks int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	el := c.known[r.key]
	if el == nil || el.Value.(*run) != r {
		return
	}
	c.tasks += tasks + 1 - r.weight
	r.weight = tasks + 1
	for c.tasks > maxTasks && c.order.Len() > 1 {
		old := c.order.Remove(c.order.Back()).(*run)
		delete(c.known, old.key)
		c.tasks -= old.weight
		old.weight = 0
	}
}
