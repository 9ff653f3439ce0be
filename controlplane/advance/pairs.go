package advance

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"github.com/signalboxhq/signalbox/proto/id"
)

// pairs is a set of keys that lead with the organization.
type pairs map[[2]id.UUID]struct{}

func (p *pairs) add(org, key id.UUID) {
	if *p == nil {
		*p = pairs{}
	}
	(*p)[[2]id.UUID{org, key}] = struct{}{}
}

// columns are the keys as a statement takes them, sorted: it locks in their order.
func (p pairs) columns() (orgs, keys []id.UUID) {
	orgs, keys = make([]id.UUID, 0, len(p)), make([]id.UUID, 0, len(p))
	for _, k := range slices.SortedFunc(maps.Keys(p), func(x, y [2]id.UUID) int {
		return cmp.Or(bytes.Compare(x[0][:], y[0][:]), bytes.Compare(x[1][:], y[1][:]))
	}) {
		orgs, keys = append(orgs, k[0]), append(keys, k[1])
	}
	return orgs, keys
}
