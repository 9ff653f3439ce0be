package value

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// lineFile is a file of JSON lines of which the place of each line is known, so
// that any of them is read without those before it. Empty lines do not count.
type lineFile struct {
	path    string
	size    int64
	changed time.Time
	lines   []place
}

type place struct {
	at     int64
	length int
}

// maxLines bounds what is remembered of one file; longer lists are refused by
// their length anyway.
const maxLines = plan.MaxItems + 1

func openLines(path string) (*lineFile, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, errors.New("the artifact is gone from this agent's disk")
	}
	defer file.Close() //nolint:errcheck // only read from
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("read JSON lines: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("the artifact is a folder, and no file of JSON lines")
	}
	out := &lineFile{path: path, size: info.Size(), changed: info.ModTime()}
	reader := bufio.NewReaderSize(file, plan.MaxValueBytes)
	for at := int64(0); len(out.lines) < maxLines; {
		length, blank, err := nextLine(reader)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read JSON lines: %w", err)
		}
		if !blank {
			if length > 2*plan.MaxValueBytes {
				return nil, fmt.Errorf("line %d has %d bytes; an item may have %d", len(out.lines), length, plan.MaxValueBytes)
			}
			out.lines = append(out.lines, place{at, length})
		}
		at += int64(length)
		if err != nil {
			break
		}
	}
	return out, nil
}

// nextLine measures a line, its end included, however long it is.
func nextLine(reader *bufio.Reader) (length int, blank bool, err error) {
	for blank = true; ; {
		part, err := reader.ReadSlice('\n')
		length += len(part)
		blank = blank && len(bytes.TrimSpace(part)) == 0
		if !errors.Is(err, bufio.ErrBufferFull) {
			return length, blank, err
		}
	}
}

// same reports whether the file is still the one that was read.
func (f *lineFile) same() bool {
	info, err := os.Stat(f.path)
	return err == nil && info.Size() == f.size && info.ModTime().Equal(f.changed)
}

func (f *lineFile) count() int {
	if f == nil {
		return 0
	}
	return len(f.lines)
}

// line reads one line as canonical JSON.
func (f *lineFile) line(i int) (json.RawMessage, error) {
	file, err := os.Open(f.path)
	if err != nil {
		return nil, fmt.Errorf("read line %d: %w", i, err)
	}
	defer file.Close() //nolint:errcheck // only read from
	return f.read(file, i)
}

func (f *lineFile) read(file io.ReaderAt, i int) (json.RawMessage, error) {
	raw := make([]byte, f.lines[i].length)
	if _, err := file.ReadAt(raw, f.lines[i].at); err != nil {
		return nil, fmt.Errorf("read line %d: %w", i, err)
	}
	item, err := plan.CheckValue(plan.TypeJSON, raw)
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", i, err)
	}
	return item, nil
}

// each reads all lines.
func (f *lineFile) each(see func(item []byte) error) error {
	file, err := os.Open(f.path)
	if err != nil {
		return fmt.Errorf("read JSON lines: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read from
	for i := range f.lines {
		item, err := f.read(file, i)
		if err == nil {
			err = see(item)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
