package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// readSize is how much is read at once; more than one record ever takes.
const readSize = 128 << 10

// Record is a piece of a log.
type Record struct {
	Offset int64 // where it stands
	Next   int64 // where the next one stands
	Time   time.Time
	Stream Stream
	Text   string
}

// Reader reads a log in order. It is for one goroutine.
type Reader struct {
	store  *Store
	key    Key
	dir    string
	offset int64
	synced bool // offset is the beginning of a record
}

// Read returns a reader that begins with the first record at or behind offset.
// It returns ErrGone where there is no such log.
func (s *Store) Read(key Key, offset int64) (*Reader, error) {
	key = s.here(key)
	r := &Reader{store: s, key: key, dir: key.path(s.dir), offset: max(0, offset)}
	r.synced = r.offset == 0
	if _, err := os.Stat(r.dir); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, ErrGone
		}
		return nil, fmt.Errorf("read a log: %w", err)
	}
	return r, nil
}

// Next returns the next records, at least one. It returns io.EOF at the end: of
// a log that is still written only if follow is false, else it waits for more
// until ctx ends.
func (r *Reader) Next(ctx context.Context, follow bool) ([]Record, error) {
	for {
		// The state is read before the file: what is appended in between closes
		// this very channel.
		live := r.store.writer(r.key)
		var changed <-chan struct{}
		done := true
		if live != nil {
			_, changed, done = live.state()
		}
		records, err := r.read()
		if err != nil || len(records) > 0 {
			return records, err
		}
		if done || !follow {
			return nil, io.EOF
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// read returns what is there now, perhaps nothing.
func (r *Reader) read() ([]Record, error) {
	for {
		start, end, err := r.find()
		if err != nil || start < 0 {
			return nil, err
		}
		if r.offset < start {
			gap := Record{
				Offset: r.offset, Next: start, Stream: Agent,
				Text: fmt.Sprintf("… %d bytes left out: the log outgrew its limit …\n", start-r.offset),
			}
			r.offset, r.synced = start, true
			return []Record{gap}, nil
		}
		records, err := r.segment(start)
		if errors.Is(err, os.ErrNotExist) {
			continue // dropped just now; look again
		}
		if err != nil || len(records) > 0 {
			return records, err
		}
		if end < 0 {
			return nil, nil // the newest segment, and nothing more in it
		}
		r.offset, r.synced = end, true
	}
}

// find returns where the segment with the offset begins, or the next one if it
// was dropped, and where the one behind it begins; -1 where there is none.
func (r *Reader) find() (start, end int64, err error) {
	entries, err := os.ReadDir(r.dir)
	if errors.Is(err, os.ErrNotExist) {
		return -1, -1, ErrGone
	}
	if err != nil {
		return -1, -1, fmt.Errorf("read a log: %w", err)
	}
	var starts []int64
	for _, entry := range entries {
		if at, err := strconv.ParseInt(strings.TrimSuffix(entry.Name(), ".log"), 10, 64); err == nil {
			starts = append(starts, at)
		}
	}
	slices.Sort(starts)
	start, end = -1, -1
	for i, at := range starts {
		if at <= r.offset {
			start, end = at, -1
			if i+1 < len(starts) {
				end = starts[i+1]
			}
		}
	}
	if start < 0 {
		return -1, -1, nil
	}
	// Is the offset behind this segment's end, because the next was dropped?
	info, err := os.Stat(segmentPath(r.dir, start))
	if err != nil {
		return -1, -1, fmt.Errorf("read a log: %w", err)
	}
	if end >= 0 && r.offset >= start+info.Size() && r.offset < end {
		return end, -1, nil
	}
	return start, end, nil
}

// segment reads on in the segment that begins at start.
func (r *Reader) segment(start int64) ([]Record, error) {
	file, err := os.Open(segmentPath(r.dir, start))
	if err != nil {
		return nil, fmt.Errorf("read a log: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read from
	if !r.synced {
		if err := r.align(file, start); err != nil {
			return nil, err
		}
	}
	chunk, err := readAt(file, r.offset-start)
	if err != nil {
		return nil, err
	}
	return r.parse(chunk), nil
}

// align moves an offset that somebody made up to the beginning of the next
// record, or to the end of what there is. A record begins where one ends, so
// the search begins one byte earlier.
func (r *Reader) align(file *os.File, start int64) error {
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("read a log: %w", err)
	}
	r.offset = min(r.offset, start+info.Size())
	if r.offset > start {
		chunk, err := readAt(file, r.offset-start-1)
		if err != nil {
			return err
		}
		if end := bytes.IndexByte(chunk, '\n'); end >= 0 {
			r.offset += int64(end) // -1 + 1 where it fits already
		} else {
			r.offset = start + info.Size()
		}
	}
	r.synced = true
	return nil
}

func readAt(file *os.File, at int64) ([]byte, error) {
	chunk := make([]byte, readSize)
	n, err := file.ReadAt(chunk, at)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read a log: %w", err)
	}
	return chunk[:n], nil
}

// parse takes whole lines off the chunk and moves the offset behind them. What
// is no record (a crash of the machine may leave such) is passed over.
func (r *Reader) parse(chunk []byte) []Record {
	var records []Record
	for {
		end := bytes.IndexByte(chunk, '\n')
		if end < 0 {
			return records
		}
		record := Record{Offset: r.offset, Next: r.offset + int64(end) + 1}
		var on line
		if json.Unmarshal(chunk[:end], &on) == nil {
			record.Time, record.Stream, record.Text = time.UnixMilli(on.Time).UTC(), on.Stream, on.Text
			records = append(records, record)
		}
		r.offset = record.Next
		chunk = chunk[end+1:]
	}
}
