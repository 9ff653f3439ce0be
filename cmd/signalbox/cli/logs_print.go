package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/datastream"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

// maxHeld bounds, in bytes, the beginning of a line that waits for its end.
const maxHeld = 1 << 20

// logSource is one stream of one attempt: what a line belongs to.
type logSource struct {
	task    string
	attempt uint32
	stream  string
}

// logPrinter makes lines of the records of several logs. A record is what a
// program wrote at once: it has several lines, or ends in the middle of one.
type logPrinter struct {
	p          *output.Printer
	out        io.Writer
	timestamps bool
	prefix     bool
	before     string // what stands before the task's name: a nested run's
	longest    int

	mu sync.Mutex
	// open is whose line on the screen has no end yet. Only a log that is alone
	// there is shown so: a progress bar should move.
	open logSource
	// held are the lines without an end where there are several logs.
	held map[logSource]heldLine
}

// heldLine is the beginning of a line, and when the first of it came.
type heldLine struct {
	at   time.Time
	text string
}

// newLogPrinter puts the task's name before each line where there may be others.
func newLogPrinter(p *output.Printer, out io.Writer, timestamps bool, only string, tasks []*runv1.Task) *logPrinter {
	lp := &logPrinter{p: p, out: out, timestamps: timestamps, prefix: only == "" && len(tasks) > 1, held: map[logSource]heldLine{}}
	for _, t := range tasks {
		lp.longest = max(lp.longest, len(t.GetName()))
	}
	return lp
}

// record prints what there is of a log so far.
func (lp *logPrinter) record(task string, attempt uint32, r datastream.Line) error {
	lp.mu.Lock()
	defer lp.mu.Unlock()
	if lp.p.Format.Structured() {
		return lp.structured(task, attempt, r)
	}
	var b strings.Builder
	from := logSource{task, attempt, r.Stream}
	at := r.Time
	before, ok := lp.held[from]
	if ok {
		at = before.at
		delete(lp.held, from)
	}
	for part := range strings.SplitAfterSeq(before.text+r.Text, "\n") {
		whole := strings.HasSuffix(part, "\n")
		switch {
		case part == "":
		case !whole && lp.prefix && len(part) < maxHeld:
			lp.held[from] = heldLine{at, part}
		default:
			lp.write(&b, from, at, part)
			at = r.Time
		}
	}
	return lp.flush(&b)
}

// end closes the lines of a log that goes on no more.
func (lp *logPrinter) end(task string, attempt uint32) error {
	lp.mu.Lock()
	defer lp.mu.Unlock()
	var b strings.Builder
	for _, stream := range []string{"stdout", "stderr", "agent"} {
		from := logSource{task, attempt, stream}
		if line, ok := lp.held[from]; ok {
			lp.write(&b, from, line.at, line.text+"\n")
			delete(lp.held, from)
		}
		if lp.open == from {
			lp.breakLine(&b)
		}
	}
	return lp.flush(&b)
}

// write appends one line, or a part of one.
func (lp *logPrinter) write(b *strings.Builder, from logSource, at time.Time, text string) {
	if lp.open != from {
		lp.breakLine(b)
		if lp.prefix {
			name := lp.before + from.task
			lp.longest = max(lp.longest, len(name)) // items come into being
			b.WriteString(lp.p.Paint(output.Faint, fmt.Sprintf("%-*s | ", lp.longest, name)))
		}
		if lp.timestamps {
			b.WriteString(lp.p.Paint(output.Faint, at.UTC().Format("2006-01-02T15:04:05.000Z")) + " ")
		}
	}
	line, whole := strings.CutSuffix(text, "\n")
	if !whole {
		b.WriteString(text)
		lp.open = from
		return
	}
	b.WriteString(strings.TrimSuffix(line, "\r") + "\n")
	lp.open = logSource{}
}

func (lp *logPrinter) breakLine(b *strings.Builder) {
	if lp.open != (logSource{}) {
		b.WriteString("\n")
		lp.open = logSource{}
	}
}

func (lp *logPrinter) flush(b *strings.Builder) error {
	if _, err := io.WriteString(lp.out, b.String()); err != nil {
		return fmt.Errorf("write the log: %w", err)
	}
	return nil
}

// structured prints the record as it is: programs put lines together themselves.
func (lp *logPrinter) structured(task string, attempt uint32, r datastream.Line) error {
	one := *lp.p
	if one.Format == output.JSON {
		one.Format = output.JSONL
	}
	return one.Value(output.Object{
		{Name: "task", Value: task},
		{Name: "attempt", Value: attempt},
		{Name: "offset", Value: r.Offset},
		{Name: "time", Value: output.Time(r.Time)},
		{Name: "stream", Value: r.Stream},
		{Name: "text", Value: r.Text},
	})
}
