package engine

import (
	"cmp"
	"slices"
)

// leases are the live leases that a command brought, sorted when first asked.
type leases struct {
	given  []Lease
	ended  int32 // the task whose attempt the command itself ends, or NoTask
	sorted []Lease
}

// of finds the live lease of an attempt. One of an earlier attempt is not live
// any more: it ended in the same batch.
func (ls *leases) of(task, attempt int32) *Lease {
	if ls.sorted == nil {
		if len(ls.given) == 0 {
			return nil
		}
		ls.sorted = slices.Clone(ls.given)
		slices.SortFunc(ls.sorted, func(a, b Lease) int { return cmp.Compare(a.Task, b.Task) })
	}
	i, ok := slices.BinarySearchFunc(ls.sorted, task, func(l Lease, t int32) int { return cmp.Compare(l.Task, t) })
	if !ok || task == ls.ended || ls.sorted[i].Attempt != attempt {
		return nil
	}
	return &ls.sorted[i]
}
