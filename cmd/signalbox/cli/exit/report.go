package exit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
)

// Report tells err on w: as text for people, or as one JSON object. It tells
// nothing of nil and of a [QuietError].
func Report(w io.Writer, err error, asJSON bool) {
	if _, quiet := errors.AsType[*QuietError](err); err == nil || quiet {
		return
	}
	e := From(err)
	if asJSON {
		reportJSON(w, e)
		return
	}
	_, _ = fmt.Fprintf(w, "error: %s\n", e.Text)
	for _, v := range e.Violations {
		if v.GetText() != e.Text || v.GetLine() > 0 { // the only one is often the text itself
			WriteViolation(w, "", v)
		}
	}
	if e.Reason != "" {
		_, _ = fmt.Fprintf(w, "  reason: %s\n", e.Reason)
	}
	if e.Request != "" {
		_, _ = fmt.Fprintf(w, "  request: %s\n", e.Request)
	}
	if e.Hint != "" {
		_, _ = fmt.Fprintf(w, "  hint: %s\n", e.Hint)
	}
}

// WriteViolation writes one thing that is wrong: where it is, what is wrong, and
// the line with its caret. file may be empty.
func WriteViolation(w io.Writer, file string, v *faultv1.Violation) {
	_, _ = fmt.Fprintf(w, "%s%s\n", place(file, v), sentence(v))
	if excerpt := strings.TrimRight(v.GetExcerpt(), "\n"); excerpt != "" {
		for line := range strings.SplitSeq(excerpt, "\n") {
			_, _ = fmt.Fprintf(w, "    %s\n", line)
		}
	}
}

// place is `file:line:column: path: ` as far as it is known; editors jump there.
func place(file string, v *faultv1.Violation) string {
	var b strings.Builder
	if file != "" {
		b.WriteString(file + ":")
	}
	if v.GetLine() > 0 {
		fmt.Fprintf(&b, "%d:%d:", v.GetLine(), v.GetColumn())
	}
	if b.Len() > 0 {
		b.WriteString(" ")
	} else {
		b.WriteString("  ")
	}
	if v.GetPath() != "" && !strings.HasPrefix(v.GetText(), v.GetPath()) {
		b.WriteString(v.GetPath() + ": ")
	}
	return b.String()
}

func sentence(v *faultv1.Violation) string {
	switch {
	case v.GetText() != "":
		return v.GetText()
	case v.GetGot() != "":
		return fmt.Sprintf("want %s, got %s", v.GetWant(), v.GetGot())
	default:
		return "want " + v.GetWant()
	}
}

type jsonError struct {
	Code       string          `json:"code"`
	Reason     string          `json:"reason"`
	Message    string          `json:"message"`
	Violations []jsonViolation `json:"violations"`
}

type jsonViolation struct {
	Path    string `json:"path"`
	Want    string `json:"want"`
	Got     string `json:"got"`
	Text    string `json:"text"`
	Line    uint32 `json:"line"`
	Column  uint32 `json:"column"`
	Excerpt string `json:"excerpt"`
}

func reportJSON(w io.Writer, e *Error) {
	out := jsonError{Code: e.Name, Reason: e.Reason, Message: e.Text, Violations: []jsonViolation{}}
	for _, v := range e.Violations {
		out.Violations = append(out.Violations, jsonViolation{
			Path: v.GetPath(), Want: v.GetWant(), Got: v.GetGot(), Text: v.GetText(),
			Line: v.GetLine(), Column: v.GetColumn(), Excerpt: v.GetExcerpt(),
		})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(out) // nobody is left to tell where standard error is gone
}
