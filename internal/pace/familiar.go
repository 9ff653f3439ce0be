package pace

import "sync"

// Familiar remembers, in memory and of very many only some, who has shown lately
// who they are, so that they go on when their address is shared by somebody who
// is slowed down. It proves nothing about who asks. It may be used by many
// goroutines; its zero value is ready.
type Familiar[K comparable] struct {
	mu         sync.Mutex
	fresh, old map[K]struct{}
}

// Note remembers key.
func (f *Familiar[K]) Note(key K) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fresh == nil || len(f.fresh) >= maxKeys {
		f.old, f.fresh = f.fresh, map[K]struct{}{}
	}
	f.fresh[key] = struct{}{}
}

// Knows reports whether key was noted, and not forgotten since.
func (f *Familiar[K]) Knows(key K) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, fresh := f.fresh[key]
	_, old := f.old[key]
	return fresh || old
}
