package logs

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/signalboxhq/signalbox/agent/tree"
)

// Retention says what Sweep keeps; zero means no limit.
type Retention struct {
	Age   time.Duration // since the last output
	Total int64         // bytes of all logs together; the oldest go first
}

// kept is one attempt's log on disk.
type kept struct {
	dir   string
	size  int64
	last  time.Time
	alive bool
}

// Sweep removes logs whose retention is over and returns how many. Logs that
// are being written stay, however old or large.
func (s *Store) Sweep(keep Retention) (removed int, err error) {
	all, err := s.list()
	if err != nil {
		return 0, fmt.Errorf("sweep logs: %w", err)
	}
	slices.SortFunc(all, func(a, b kept) int { return cmp.Or(a.last.Compare(b.last), cmp.Compare(a.dir, b.dir)) })
	total := int64(0)
	for _, one := range all {
		total += one.size
	}
	oldest := s.now().Add(-keep.Age)
	for _, one := range all {
		tooOld := keep.Age > 0 && one.last.Before(oldest)
		tooMuch := keep.Total > 0 && total > keep.Total
		if one.alive || !tooOld && !tooMuch {
			continue
		}
		if err := os.RemoveAll(one.dir); err != nil {
			return removed, fmt.Errorf("sweep logs: %w", err)
		}
		total -= one.size
		removed++
		// The task's and the run's folder, unless there is more in them.
		task := filepath.Dir(one.dir)
		_ = os.Remove(task)
		_ = os.Remove(filepath.Dir(task))
	}
	return removed, nil
}

// list finds all logs. Folders that vanish meanwhile are none.
func (s *Store) list() ([]kept, error) {
	live := map[string]bool{}
	s.mu.Lock()
	for key := range s.live {
		live[key.path(s.dir)] = true
	}
	s.mu.Unlock()
	dirs, err := filepath.Glob(filepath.Join(tree.QuoteGlob(s.dir), "*", "*", "*"))
	if err != nil {
		return nil, err
	}
	var all []kept
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil {
			continue
		}
		one := kept{dir: dir, last: info.ModTime(), alive: live[dir]}
		files, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, file := range files {
			if info, err := file.Info(); err == nil {
				one.size += info.Size()
				if info.ModTime().After(one.last) {
					one.last = info.ModTime()
				}
			}
		}
		all = append(all, one)
	}
	return all, nil
}
