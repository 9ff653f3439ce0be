package replay

import (
	"maps"
	"slices"

	"github.com/signalboxhq/signalbox/controlplane/engine"
)

// approvals compares the list of open approvals with the holds of the journal.
func (r *Run) approvals(row *Row, g *engine.Graph, s *engine.State, where *Places) {
	for _, task := range slices.Sorted(maps.Keys(s.Holds)) {
		if g.Task(s, task).Approve == nil {
			continue
		}
		var approved int32
		for _, v := range s.Votes[task] {
			if !v.Reject {
				approved++
			}
		}
		listed, found := where.asked[task]
		switch {
		case !found:
			r.add(KindDispatch, "the approval %q of %s is open, but not in the list.", g.Path(s, task), row)
		case listed != approved:
			r.add(KindDispatch, "%d approve of %q of %s, but %d in the list.", approved, g.Path(s, task), row, listed)
		}
		delete(where.asked, task)
	}
	for _, task := range slices.Sorted(maps.Keys(where.asked)) {
		r.add(KindDispatch, "task %d of %s is in the list of open approvals, but is not one.", task, row)
	}
}
