package pipeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxProblems bounds a report and maxRecorded what it is chosen from: a file that
// is no pipeline at all must cost neither a megabyte nor a second. The rest is
// counted.
const (
	maxProblems = 100
	maxRecorded = 1000
)

// Problem is one thing wrong with a pipeline file, for a person and for a
// program. Line and Column count from 1, columns in characters.
type Problem struct {
	Path    string `json:"path"` // "tasks.train.env.EPOCHS"; empty: the file
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
	Want    string `json:"want,omitempty"`
	Got     string `json:"got,omitempty"`
	Hint    string `json:"hint,omitempty"`    // "did you mean `retry`?"
	Excerpt string `json:"excerpt,omitempty"` // the line and a caret below it
	at      span
}

// Problems is the error of [Compile]: everything that is wrong with one file, in
// the order of the file. It is never empty.
type Problems struct { //nolint:errname // it is read as the list that it holds
	File    string    `json:"file"`
	List    []Problem `json:"problems"`
	Omitted int       `json:"omitted,omitempty"` // found, beyond those in List
}

// Error prints all problems, each with its place, its line and what was expected.
func (p *Problems) Error() string {
	var b strings.Builder
	for i := range p.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.List[i].Text(p.File))
	}
	if p.Omitted > 0 {
		fmt.Fprintf(&b, "\nand %d more\n", p.Omitted)
	}
	return b.String()
}

// Text prints one problem of file, several lines that end with a newline.
func (p *Problem) Text(file string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: ", file, p.Line, p.Column)
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message + "\n" + p.Excerpt)
	for _, note := range []struct{ name, text string }{{"want", p.Want}, {"got", p.Got}, {"hint", p.Hint}} {
		if note.text != "" {
			fmt.Fprintf(&b, "       %s: %s\n", note.name, strings.ReplaceAll(note.text, "\n", "\n             "))
		}
	}
	return b.String()
}

// sorted puts problems into the order of the file and drops repetitions: a fault
// in `defaults` is met once for each task that inherits it.
func sorted(list []Problem) []Problem {
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Path, b.Path),
			cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.Compact(list)
}
