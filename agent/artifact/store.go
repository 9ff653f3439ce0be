package artifact

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/signalboxhq/signalbox/agent/tree"
)

// ErrGone means that an artifact should be here and is not: its retention is
// over, or somebody removed it.
var ErrGone = errors.New("the artifact is gone from this agent's disk")

// Store is a folder of artifacts.
type Store struct {
	dir    string
	agent  string
	shared bool
}

// Open uses dir, which it makes if there is none. A shared folder's artifacts
// are there for all agents that use it; others only for the named agent.
func Open(dir, agent string, shared bool) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the artifacts: %w", err)
	}
	return &Store{dir: dir, agent: agent, shared: shared}, nil
}

func (s *Store) path(key Key) string {
	return filepath.Join(append([]string{s.dir}, key.parts()...)...)
}

// Keep takes in what a step left at path and describes it. Within the same
// filesystem it is moved if it may be, else copied; a folder that is the
// customer's own is never moved.
func (s *Store) Keep(key Key, path string, mayMove bool) (Content, error) {
	target := s.path(key)
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return Content{}, fmt.Errorf("keep an artifact: %w", err)
	}
	if _, err := os.Lstat(target); err == nil {
		return Content{}, fmt.Errorf("keep an artifact: %s: %w", target, os.ErrExist)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return Content{}, fmt.Errorf("keep an artifact: %w", err)
	}
	// What a link leads to may be anybody's, so only a thing itself is moved.
	moved := false
	if mayMove && info.Mode()&os.ModeSymlink == 0 {
		moved = os.Rename(path, target) == nil
	}
	if !moved {
		if err := tree.Copy(target, path); err != nil {
			return Content{}, errors.Join(fmt.Errorf("keep an artifact: %w", err), os.RemoveAll(target))
		}
	}
	if err := tree.Protect(target); err != nil {
		return Content{}, fmt.Errorf("keep an artifact: %w", err)
	}
	return Describe(target)
}

// Stage puts the artifact that a URI names at path, for a step to read. It
// returns ErrElsewhere or ErrGone where it cannot.
func (s *Store) Stage(uri, path string) error {
	source, err := s.Locate(uri)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(source); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("stage an artifact: %w", ErrGone)
	}
	if err := tree.Link(path, source); err != nil {
		return fmt.Errorf("stage an artifact: %w", err)
	}
	return nil
}

// Sweep removes the runs whose newest artifact is older than the given time.
func (s *Store) Sweep(before time.Time) (removed int, err error) {
	runs, err := os.ReadDir(s.dir)
	if err != nil {
		return 0, fmt.Errorf("sweep artifacts: %w", err)
	}
	for _, run := range runs {
		path := filepath.Join(s.dir, run.Name())
		newest, err := newestAttempt(path)
		if err != nil || !newest.Before(before) {
			continue
		}
		if err := tree.Remove(path); err != nil {
			return removed, fmt.Errorf("sweep artifacts: %w", err)
		}
		removed++
	}
	return removed, nil
}

// newestAttempt is when something was last kept below a run's folder.
func newestAttempt(run string) (time.Time, error) {
	info, err := os.Stat(run)
	if err != nil {
		return time.Time{}, err
	}
	newest := info.ModTime()
	attempts, err := filepath.Glob(filepath.Join(tree.QuoteGlob(run), "*", "*"))
	if err != nil {
		return time.Time{}, err
	}
	for _, attempt := range attempts {
		if info, err := os.Stat(attempt); err == nil && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return newest, nil
}
