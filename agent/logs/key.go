package logs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrGone means that this agent has no such log: it never ran the attempt, or
// the log's retention is over.
var ErrGone = errors.New("no such log on this agent")

// Key names the log of one attempt.
type Key struct {
	Run     string // as a text id
	Task    string // the task's path
	Attempt uint32
}

// path is the log's folder below root.
func (k Key) path(root string) string {
	return filepath.Join(root, escape(k.Run), escape(k.Task), strconv.FormatUint(uint64(k.Attempt), 10))
}

// escape makes one folder name of any text, so that `fold[3]/train` is no path
// and `..` leads nowhere.
func escape(text string) string {
	var name strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-':
			name.WriteByte(c)
		default:
			fmt.Fprintf(&name, "%%%02X", c)
		}
	}
	return name.String()
}

// LastAttempt returns the highest attempt of a task that this agent has a log
// of, or ErrGone.
func (s *Store) LastAttempt(run, task string) (uint32, error) {
	entries, err := os.ReadDir(filepath.Dir(Key{Run: run, Task: task}.path(s.dir)))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, fmt.Errorf("list the logs of a task: %w", err)
	}
	last, found := uint64(0), false
	for _, entry := range entries {
		if n, err := strconv.ParseUint(entry.Name(), 10, 32); err == nil {
			last, found = max(last, n), true
		}
	}
	if !found {
		return 0, ErrGone
	}
	return uint32(last), nil
}
