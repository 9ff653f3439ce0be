package logs

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// Stream says where a piece of output came from.
type Stream string

// The streams. Agent is what the agent itself has to say about the attempt.
const (
	Stdout Stream = "stdout"
	Stderr Stream = "stderr"
	Agent  Stream = "agent"
)

// maxText bounds one record, so that a sealed frame holds at least one however
// much JSON has to escape.
const maxText = 16 << 10

// line is a record as it stands on disk.
type line struct {
	Time   int64  `json:"t"` // Unix milliseconds
	Stream Stream `json:"s"`
	Text   string `json:"d"`
}

// Log is a log that is being written. The nil Log takes everything and keeps
// nothing: an attempt whose log cannot even be begun still has an end.
type Log struct {
	store *Store
	key   Key
	dir   string

	mu      sync.Mutex
	changed chan struct{} // closed and replaced with each append
	file    *os.File
	starts  []int64 // where the segments on disk begin
	size    int64   // the offset of the next record
	text    uint64
	closed  bool
	err     error // the first that writing met; nothing is written after it
}

// Create begins the log of an attempt. There must be none yet: each attempt has
// its own number.
func (s *Store) Create(key Key) (*Log, error) {
	l := &Log{store: s, key: key, dir: key.path(s.dir), changed: make(chan struct{})}
	if err := os.MkdirAll(filepath.Dir(l.dir), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of a log: %w", err)
	}
	if err := os.Mkdir(l.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of a log: %w", err)
	}
	if err := l.nextSegment(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live[key] = l
	return l, nil
}

// Writer returns a writer to one stream of the log, for one goroutine. It never
// fails: a step must not die of its agent's full disk. Close tells.
func (l *Log) Writer(stream Stream) io.WriteCloser { return &pieces{log: l, stream: stream} }

// Note adds a sentence of the agent's own.
func (l *Log) Note(text string) { l.append(Agent, text+"\n") }

// Attach keeps a text beside the log, for as long as the log is kept.
func (l *Log) Attach(name, text string) error {
	if l == nil {
		return nil
	}
	if err := os.WriteFile(filepath.Join(l.dir, name), []byte(text), 0o600); err != nil {
		return fmt.Errorf("keep %s with a log: %w", name, err)
	}
	return nil
}

// Bytes is how much output the log was given.
func (l *Log) Bytes() uint64 {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text
}

// Close ends the log; its followers see the end. The error is the first that
// writing met.
func (l *Log) Close() error {
	if l == nil {
		return nil
	}
	l.store.mu.Lock()
	delete(l.store.live, l.key)
	l.store.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return l.err
	}
	l.closed = true
	close(l.changed)
	if err := l.file.Close(); err != nil && l.err == nil {
		l.err = err
	}
	return l.err
}

// append writes one record.
func (l *Log) append(stream Stream, text string) {
	if l == nil {
		return
	}
	record, err := json.Marshal(line{Time: l.store.now().UnixMilli(), Stream: stream, Text: text})
	if err != nil {
		return // cannot be: a line always has JSON
	}
	record = append(record, '\n')
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text += uint64(len(text))
	if l.closed || l.err != nil {
		return
	}
	if l.size-l.starts[len(l.starts)-1] >= l.store.segment {
		if l.err = l.nextSegment(); l.err != nil {
			return
		}
	}
	n, err := l.file.Write(record)
	if err != nil {
		// Half a record would spoil the next one.
		_ = l.file.Truncate(l.size - l.starts[len(l.starts)-1])
		l.err = fmt.Errorf("write a log: %w", err)
		return
	}
	l.size += int64(n)
	close(l.changed)
	l.changed = make(chan struct{})
}

// nextSegment begins a new file and drops the oldest but the first.
func (l *Log) nextSegment() error {
	file, err := os.OpenFile(segmentPath(l.dir, l.size), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("begin a segment of a log: %w", err)
	}
	if l.file != nil {
		_ = l.file.Close()
	}
	l.file = file
	l.starts = append(l.starts, l.size)
	if len(l.starts) > segments {
		if err := os.Remove(segmentPath(l.dir, l.starts[1])); err != nil {
			return fmt.Errorf("drop a segment of a log: %w", err)
		}
		l.starts = append(l.starts[:1], l.starts[2:]...)
	}
	return nil
}

func segmentPath(dir string, start int64) string {
	return filepath.Join(dir, fmt.Sprintf("%020d.log", start))
}

// state tells a reader how far the log is and what to wait for.
func (l *Log) state() (size int64, changed <-chan struct{}, closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.size, l.changed, l.closed
}
