package advance

import (
	"slices"

	"github.com/signalboxhq/signalbox/controlplane/engine"
)

// leastItems is how many items of a map a batch has room for at least.
const leastItems = 50

// fit has a command that brings items of a map into being take no more of a batch
// than the rows that are left for its organization.
func (r *request) fit(room int) {
	if c, ok := r.cmd.(Due); ok && c.Kind == engine.TimerExpand.String() {
		r.items = int32(min(max(room-1, leastItems), engine.Chunk))
		r.rows = 1 + int(r.items)
	}
}

// applyExpand brings a map's next items into being. What the map has in the queue
// already is not locked for it, or each chunk would cost as much as all before it.
// Where the rules do take something back, because the run became too large, the
// batch is tried again with all that locked.
func (b *batch) applyExpand(w *runWork, r *request, c Due) error {
	before := len(w.closed)
	err := b.decideAs(w, engine.Expand{Now: b.now, Task: c.Task, Most: r.items, Live: b.live(w)}, nil)
	if len(w.closed) > before && !slices.ContainsFunc(b.ops, func(o op) bool { return o.key == w.key && b.takesBack(o) }) {
		b.short = true
	}
	return err
}
