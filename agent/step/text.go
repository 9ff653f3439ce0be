package step

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Limits of what is read of a step's texts, in bytes.
const (
	maxError   = 16 << 10
	maxSummary = 1 << 20
	maxMetrics = 1 << 20
)

// Complaint is what a step said in $SB_ERROR.
type Complaint struct {
	Text string // for a person; empty if it said nothing
	// Final is set by a line `retryable: false`: another attempt is of no use.
	Final bool
}

// Complaint reads $SB_ERROR.
func (f *Folder) Complaint() Complaint {
	content, err := f.read("error", maxError)
	if err != nil {
		return Complaint{}
	}
	var complaint Complaint
	var lines []string
	for line := range strings.Lines(content) {
		line = strings.TrimSpace(line)
		switch key, value, _ := strings.Cut(line, ":"); {
		case line == "":
		case strings.EqualFold(key, "retryable"):
			complaint.Final = strings.EqualFold(strings.TrimSpace(value), "false")
		default:
			lines = append(lines, line)
		}
	}
	complaint.Text = strings.Join(lines, "\n")
	return complaint
}

// Summary reads $SB_SUMMARY and Metrics $SB_METRICS, up to 1 MiB each; empty if
// the step wrote none.
func (f *Folder) Summary() (string, error) { return f.read("summary.md", maxSummary) }

// Metrics reads $SB_METRICS.
func (f *Folder) Metrics() (string, error) { return f.read("metrics.jsonl", maxMetrics) }

func (f *Folder) read(name string, limit int64) (string, error) {
	path := f.path(name)
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read $SB files: %w", err)
	}
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read $SB files: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read from
	content, err := io.ReadAll(io.LimitReader(file, limit))
	if err != nil {
		return "", fmt.Errorf("read $SB files: %w", err)
	}
	return strings.ToValidUTF8(string(content), "\uFFFD"), nil
}
