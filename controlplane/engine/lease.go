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

// of finds the live lease of an attempt, of a gang the first. One of an earlier
// attempt is not live any more: it ended in the same batch.
func (ls *leases) of(task, attempt int32) *Lease {
	if all := ls.all(task, attempt); len(all) > 0 {
		return &all[0]
	}
	return nil
}

// all are the live leases of an attempt: of a gang one for each member.
func (ls *leases) all(task, attempt int32) []Lease {
	if ls.sorted == nil {
		if len(ls.given) == 0 {
			return nil
		}
		ls.sorted = slices.Clone(ls.given)
		slices.SortFunc(ls.sorted, func(a, b Lease) int { return cmp.Or(cmp.Compare(a.Task, b.Task), cmp.Compare(a.Rank, b.Rank)) })
	}
	i, ok := slices.BinarySearchFunc(ls.sorted, task, func(l Lease, t int32) int { return cmp.Compare(l.Task, t) })
	if !ok || task == ls.ended || ls.sorted[i].Attempt != attempt {
		return nil
	}
	n := i + 1
	for n < len(ls.sorted) && ls.sorted[n].Task == task && ls.sorted[n].Attempt == attempt {
		n++
	}
	return ls.sorted[i:n]
}
