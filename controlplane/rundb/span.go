package rundb

import (
	"time"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
)

// reach is from when the first of what is part of a task began to when the last of
// it ended, in all generations; zero where unknown. What did not run itself, as
// what was taken over or skipped, is not in it.
type reach struct{ first, last time.Time }

// began is when the task began that an entry ends, as far as the fold knows it
// before the entry: it forgets. Zero for other entries.
func (h *history) began(row *journal.Row) time.Time {
	switch {
	case row.Kind == engine.KindAttemptEnded && row.Attempt > 0: // a decision is no work
		return row.Started
	case row.Kind == engine.KindTaskEnded:
		if held, ok := h.state.Holds[row.Task]; ok {
			return held.Since.Time()
		}
		return h.nested[row.Task]
	}
	return time.Time{}
}

// cover puts what a folded entry tells into the reaches of all that its task is part
// of.
func (h *history) cover(row *journal.Row, began time.Time) {
	t := &h.state.Tasks[row.Task]
	child := engine.Child{Task: row.Task, Attempt: t.Attempt}
	switch {
	case !began.IsZero():
		end := row.Finished
		if end.IsZero() {
			end = row.At
		}
		h.spread(row.Task, began, end)
	case row.Kind == engine.KindTaskDecided && engine.Awaits(h.graph, h.state, child):
		if h.nested == nil {
			h.nested = map[int32]time.Time{}
		}
		h.nested[row.Task] = row.At
		h.spread(row.Task, row.At, time.Time{})
	}
}

// spread widens the reaches of all that a task is part of.
func (h *history) spread(i int32, from, to time.Time) {
	if h.reaches == nil {
		h.reaches = map[int32]reach{}
	}
	for owner, ok := h.graph.Owner(h.state, i); ok; owner, ok = h.graph.Owner(h.state, owner) {
		h.reaches[owner] = h.reaches[owner].with(from, to)
	}
}

func (r reach) with(from, to time.Time) reach {
	if r.first.IsZero() || from.Before(r.first) {
		r.first = from
	}
	if to.After(r.last) {
		r.last = to
	}
	return r
}

// present are the reaches of what runs or is held now, which no entry tells yet.
func (p *picture) present() map[int32]reach {
	now := history{graph: p.graph, state: p.state}
	if len(p.state.Fans) == 0 {
		return nil
	}
	for i, l := range p.held {
		if l.Attempt > 0 && l.StartedAt != nil && p.live(i) == l {
			now.spread(i, *l.StartedAt, time.Time{})
		}
	}
	for i, held := range p.state.Holds {
		now.spread(i, held.Since.Time(), time.Time{})
	}
	return now.reaches
}

// reach is that of a task, without an end while the task has none.
func (p *picture) reach(owner int32) reach {
	out := p.reaches[owner]
	if now, ok := p.opened[owner]; ok {
		out = out.with(now.first, time.Time{})
	}
	if !p.state.Tasks[owner].State.Terminal() {
		out.last = time.Time{}
	}
	return out
}
