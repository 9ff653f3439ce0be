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
	// Member is the rank of a gang's member: several may run here.
	Member uint32
}

// path is the log's folder below root.
func (k Key) path(root string) string {
	name := strconv.FormatUint(uint64(k.Attempt), 10)
	if k.Member > 0 {
		name += "." + strconv.FormatUint(uint64(k.Member), 10)
	}
	return filepath.Join(root, escape(k.Run), escape(k.Task), name)
}

// here is the key of an attempt's log on this agent: of a gang the first member
// that ran here.
func (s *Store) here(k Key) Key {
	if _, err := os.Stat(k.path(s.dir)); k.Member > 0 || err == nil {
		return k
	}
	entries, _ := os.ReadDir(filepath.Dir(k.path(s.dir))) // none is ErrGone soon
	found := k
	for _, entry := range entries {
		attempt, member, _ := strings.Cut(entry.Name(), ".")
		n, err := strconv.ParseUint(member, 10, 32)
		if err == nil && attempt == strconv.FormatUint(uint64(k.Attempt), 10) && (found.Member == 0 || uint32(n) < found.Member) {
			found.Member = uint32(n)
		}
	}
	return found
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
		attempt, _, _ := strings.Cut(entry.Name(), ".")
		if n, err := strconv.ParseUint(attempt, 10, 32); err == nil {
			last, found = max(last, n), true
		}
	}
	if !found {
		return 0, ErrGone
	}
	return uint32(last), nil
}
