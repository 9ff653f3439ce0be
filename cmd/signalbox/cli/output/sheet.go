package output

import (
	"fmt"
	"io"
	"strings"
)

// Sheet is one thing for people: names and values, one a line.
type Sheet struct {
	Lines []SheetLine
}

// SheetLine is one line of a sheet.
type SheetLine struct {
	Name string
	Cell Cell
}

// Add appends a line; a value without text is left out.
func (s *Sheet) Add(name string, c Cell) {
	if c.Text != "" && c.Text != "-" {
		s.Lines = append(s.Lines, SheetLine{Name: name, Cell: c})
	}
}

func (s *Sheet) write(w io.Writer, p *Printer) {
	longest := 0
	for _, l := range s.Lines {
		longest = max(longest, width(l.Name))
	}
	for _, l := range s.Lines {
		pad := strings.Repeat(" ", longest-width(l.Name))
		_, _ = fmt.Fprintf(w, "%s%s  %s\n", p.Paint(Faint, l.Name), pad, p.Paint(l.Cell.Tone, l.Cell.Text))
	}
}

// Prose is text that is printed as it is, with a newline after it.
type Prose string

func (t Prose) write(w io.Writer, _ *Printer) {
	if t != "" {
		_, _ = fmt.Fprintln(w, strings.TrimRight(string(t), "\n"))
	}
}
