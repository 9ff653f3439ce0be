package logs

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// Options are the limits of a Store; zero means the default.
type Options struct {
	// Limit is the most bytes that one log takes on disk; default 64 MiB.
	Limit int64
	// Now is the clock of the records; default time.Now.
	Now func() time.Time
}

// segments is how many segments a full log has: the first and the newest.
const segments = 4

// Store is all logs of one agent.
type Store struct {
	dir     string
	segment int64
	now     func() time.Time

	mu   sync.Mutex
	live map[Key]*Log
}

// Open uses dir, which it makes if there is none.
func Open(dir string, options Options) (*Store, error) {
	if options.Limit <= 0 {
		options.Limit = 64 << 20
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the logs: %w", err)
	}
	return &Store{
		dir: dir, segment: max(1, options.Limit/segments), now: options.Now, live: map[Key]*Log{},
	}, nil
}

// writer returns the log if it is being written.
func (s *Store) writer(key Key) *Log {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live[key]
}
