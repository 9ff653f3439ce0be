package work

import (
	"bytes"
	"strings"
)

// maxTail is how much of the end of stderr becomes the error text of a step
// that left none: a stack trace's last lines.
const maxTail = 4 << 10

// tail keeps the end of what is written to it. It is written to by one
// goroutine, and read when that is done.
type tail struct {
	end []byte
	cut bool
}

func (t *tail) Write(p []byte) (int, error) {
	t.end = append(t.end, p...)
	if over := len(t.end) - maxTail; over > 0 {
		t.end = append(t.end[:0], t.end[over:]...)
		t.cut = true
	}
	return len(p), nil
}

// String is the end in whole lines.
func (t *tail) String() string {
	if t == nil {
		return ""
	}
	end := t.end
	if t.cut {
		if at := bytes.IndexByte(end, '\n'); at >= 0 {
			end = end[at+1:]
		}
	}
	return strings.TrimSpace(strings.ToValidUTF8(string(end), "\uFFFD"))
}
