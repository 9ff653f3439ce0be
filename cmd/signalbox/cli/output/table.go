package output

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Cell is a piece of text with its tone.
type Cell struct {
	Text string
	Tone Tone
}

// Text makes a plain cell of a text; empty text shows as a dash, so that no
// column seems to be missing.
func Text(s string) Cell {
	if s == "" {
		return Cell{Text: "-", Tone: Faint}
	}
	return Cell{Text: strings.Map(printable, s)}
}

// printable replaces what would move the cursor or break the line: names and
// notes come from other people.
func printable(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}

// Number makes a cell of a number.
func Number[N int | int32 | int64 | uint32 | uint64](n N) Cell { return Cell{Text: fmt.Sprint(n)} }

// Column is one column of a grid. Wide columns are shown by -o wide only.
type Column struct {
	Head  string
	Wide  bool
	Right bool
}

// Grid is a list for people.
type Grid struct {
	Title   string
	Columns []Column
	Rows    [][]Cell
	// Empty is said in place of a grid without rows: why it is empty and what
	// would fill it.
	Empty string
}

// Add appends a row, one cell for each column.
func (g *Grid) Add(cells ...Cell) { g.Rows = append(g.Rows, cells) }

func (g *Grid) write(w io.Writer, p *Printer) {
	if g.Title != "" {
		_, _ = fmt.Fprintln(w, p.Paint(Strong, g.Title))
	}
	if len(g.Rows) == 0 {
		if g.Empty != "" {
			_, _ = fmt.Fprintln(w, g.Empty)
		}
		return
	}
	shown := g.shown(p.Format)
	widths := g.widths(shown, p.NoHeaders)
	if !p.NoHeaders {
		head := make([]Cell, len(g.Columns))
		for i, c := range g.Columns {
			head[i] = Cell{Text: c.Head, Tone: Faint}
		}
		g.writeRow(w, p, head, shown, widths)
	}
	for _, row := range g.Rows {
		g.writeRow(w, p, row, shown, widths)
	}
}

func (g *Grid) shown(f Format) []int {
	var shown []int
	for i, c := range g.Columns {
		if !c.Wide || f == Wide {
			shown = append(shown, i)
		}
	}
	return shown
}

func (g *Grid) widths(shown []int, noHeaders bool) map[int]int {
	widths := make(map[int]int, len(shown))
	for _, i := range shown {
		if !noHeaders {
			widths[i] = width(g.Columns[i].Head)
		}
		for _, row := range g.Rows {
			widths[i] = max(widths[i], width(row[i].Text))
		}
	}
	return widths
}

func (g *Grid) writeRow(w io.Writer, p *Printer, row []Cell, shown []int, widths map[int]int) {
	var line strings.Builder
	for k, i := range shown {
		pad := strings.Repeat(" ", widths[i]-width(row[i].Text))
		text := p.Paint(row[i].Tone, row[i].Text)
		last := k == len(shown)-1
		switch {
		case g.Columns[i].Right:
			line.WriteString(pad + text)
		case last:
			line.WriteString(text)
		default:
			line.WriteString(text + pad)
		}
		if !last {
			line.WriteString("  ")
		}
	}
	_, _ = fmt.Fprintln(w, line.String())
}

// width counts characters: all that is aligned here takes one column each.
func width(s string) int { return utf8.RuneCountInString(s) }
