package replay

import (
	"maps"
	"slices"

	"github.com/signalboxhq/signalbox/controlplane/engine"
)

// member is the lease of one member of a gang.
type member struct{ attempt, rank, of int32 }

// gangs compares the members that have leases with how many there were when the
// attempt was leased: each is there, or has ended. No gang is ever partly leased.
func (r *Run) gangs(row *Row, g *engine.Graph, s *engine.State, where *Places) {
	for _, task := range slices.Sorted(maps.Keys(where.leased)) {
		if task < 0 || int(task) >= len(s.Tasks) {
			continue // dispatch says so
		}
		list := where.members[task]
		asked := where.leased[task] > 0 && g.Task(s, task).Gang != nil // decisions are no gang's
		switch ended := s.Gangs[task].Ended; {
		case asked && len(list) == 0:
			r.add(KindDispatch, "task %q of %s is a gang, but is leased to one agent alone.", name(g, s, task), row)
		case !asked && len(list) > 0:
			r.add(KindDispatch, "task %q of %s is no gang, but is leased to members of one.", name(g, s, task), row)
		case asked && (int(ended)+len(list) != int(list[0].of) || !whole(list)):
			r.add(KindDispatch, "task %q of %s is leased to a gang of %d, but %d members are there and %d have ended.",
				name(g, s, task), row, list[0].of, len(list), ended)
		}
	}
}

// whole reports whether all leases are of the same gang, each of a member of its
// own.
func whole(list []member) bool {
	ranks := map[int32]bool{}
	for _, m := range list {
		if m.attempt != list[0].attempt || m.of != list[0].of || m.rank < 0 || m.rank >= m.of || ranks[m.rank] {
			return false
		}
		ranks[m.rank] = true
	}
	return true
}
