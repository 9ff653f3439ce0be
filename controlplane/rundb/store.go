// Package rundb reads runs for people: lists, one run as it stands, what starting
// one needs to know.
//
// It never writes a run: that is the group commit's (controlplane/advance). The
// one thing it does write is label sets, interned in a small transaction of
// their own before a start. Everything runs as sb_api under row-level security
// and within the caller's workspace: what is in another one is missing. A run's
// state is the fold of its journal together with the leases that live, read in
// one snapshot.
//
// It never sees protobuf: params and bodies are opaque bytes here. Whether the
// caller may use the RPC was decided before, by its rule.
package rundb

import (
	"github.com/signalboxhq/signalbox/internal/pg"
)

// Store reads runs. It may be used by many goroutines.
type Store struct {
	db      *pg.DB
	graphs  *graphs
	targets *targets
	sets    *labelSets
	recent  *recent
}

// NewStore makes a Store.
func NewStore(db *pg.DB) *Store {
	return &Store{db: db, graphs: newGraphs(), targets: newTargets(), sets: newLabelSets(), recent: &recent{}}
}
