package pipeline

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxExcerpt is the longest line shown whole; of longer ones, the part around the
// caret is.
const maxExcerpt = 120

// source is the text of a pipeline file, by lines.
type source struct {
	lines []string
	runes map[int][]rune // of the lines that were looked at, by number
}

// span is a place in the source: line and column from 1, width in characters.
type span struct{ line, column, width int }

func newSource(text []byte) *source {
	return &source{lines: strings.Split(string(text), "\n"), runes: map[int][]rune{}}
}

// line returns line n without its line ending; "" where there is none.
func (s *source) line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	return strings.TrimSuffix(s.lines[n-1], "\r")
}

// spanOf is the place of a node: all of a scalar that ends on its line, else one
// character.
func (s *source) spanOf(n *yaml.Node) span {
	at := span{line: max(1, n.Line), column: max(1, n.Column), width: 1}
	if n.Kind != yaml.ScalarNode {
		return at
	}
	rest := s.from(at.line, at.column)
	switch {
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		if end := closingQuote(rest); end > 0 {
			at.width = end + 1
		}
	case n.Style == 0:
		if strings.HasPrefix(string(rest[:min(len(rest), len(n.Value))]), n.Value) {
			at.width = max(1, utf8.RuneCountInString(n.Value))
		}
	}
	return at
}

// find is the place of the nth (from 0) needle at or after node n; the node
// itself where the source spells it otherwise.
func (s *source) find(n *yaml.Node, needle string, nth int) span {
	width := utf8.RuneCountInString(needle)
	column := n.Column
	for line := n.Line; line <= len(s.lines); line++ {
		text := string(s.from(line, column))
		for {
			before, after, found := strings.Cut(text, needle)
			if !found {
				break
			}
			column += utf8.RuneCountInString(before)
			if nth == 0 {
				return span{line, column, width}
			}
			nth, text, column = nth-1, after, column+width
		}
		column = 1
	}
	return s.spanOf(n)
}

// within is the place of a byte of a scalar's value, as far as the source spells
// the value as it is: exact from the last `${{` before it, else that one.
func (s *source) within(n *yaml.Node, offset int) span {
	value := n.Value
	offset = min(offset, len(value))
	begin := strings.LastIndex(value[:min(len(value), offset+len(exprOpen))], exprOpen)
	if begin < 0 {
		return s.inside(n, offset)
	}
	at := s.find(n, exprOpen, strings.Count(value[:begin], exprOpen))
	if offset <= begin {
		return at
	}
	rest := string(s.from(at.line, at.column))
	before := value[begin:offset]
	if !strings.HasPrefix(rest, before) {
		return at
	}
	word := rest[len(before):]
	word = word[:len(word)-len(strings.TrimLeftFunc(word, isWord))]
	return span{at.line, at.column + utf8.RuneCountInString(before), max(1, utf8.RuneCountInString(word))}
}

// inside is the place of a byte of a scalar that is an expression by itself:
// exact on its first line, as far as the source spells it as it is.
func (s *source) inside(n *yaml.Node, offset int) span {
	column := n.Column
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		column++
	}
	rest := string(s.from(n.Line, column))
	before := n.Value[:offset]
	if !strings.HasPrefix(rest, before) {
		return s.spanOf(n)
	}
	word := rest[len(before):]
	word = word[:len(word)-len(strings.TrimLeftFunc(word, isWord))]
	return span{max(1, n.Line), column + utf8.RuneCountInString(before), max(1, utf8.RuneCountInString(word))}
}

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// maskOf is what of a scalar's first line an excerpt must hide: its span, or all
// that follows where the source spells the value otherwise.
func (s *source) maskOf(n *yaml.Node) span {
	at := s.spanOf(n)
	if at.width == 1 {
		at.width = len(s.line(at.line))
	}
	return at
}

// excerpt is the line of a span with a caret below it. Masks are hidden wherever
// they stand on that line: what is a secret where it must not is not repeated in
// a log.
func (s *source) excerpt(at span, masks []span) string {
	line := slices.Clone(s.from(at.line, 1))
	for _, m := range masks {
		for i := m.column - 1; m.line == at.line && i < min(m.column-1+m.width, len(line)); i++ {
			line[i] = '*'
		}
	}
	start := min(at.column-1, len(line))
	end := min(start+at.width, len(line))
	if len(line) > maxExcerpt {
		line, start, end = window(line, start, end)
	}
	for i, r := range line {
		if r == '\t' {
			line[i] = ' '
		} else if !unicode.IsPrint(r) {
			line[i] = utf8.RuneError // a terminal must not obey what a file says
		}
	}
	return fmt.Sprintf("%5d | %s\n      | %s%s\n", at.line, strings.TrimRight(string(line), " "),
		strings.Repeat(" ", start), strings.Repeat("^", max(1, end-start)))
}

// window cuts a long line down to what stands around [start, end).
func window(line []rune, start, end int) ([]rune, int, int) {
	from := max(0, start-maxExcerpt/3)
	to := min(len(line), from+maxExcerpt)
	cut := append([]rune{}, line[from:to]...)
	start, end = start-from, min(end, to)-from
	if from > 0 {
		cut = append([]rune{'…'}, cut...)
		start, end = start+1, end+1
	}
	if to < len(line) {
		cut = append(cut, '…')
	}
	return cut, start, end
}

// from is what stands on a line from a column on. A file may be one long line, so
// its characters are counted once.
func (s *source) from(line, column int) []rune {
	r, ok := s.runes[line]
	if !ok {
		r = []rune(s.line(line))
		s.runes[line] = r
	}
	return r[min(max(0, column-1), len(r)):]
}

// closingQuote is the index of the quote that ends the quoted scalar r begins
// with, or 0.
func closingQuote(r []rune) int {
	if len(r) == 0 {
		return 0
	}
	for i := 1; i < len(r); i++ {
		switch {
		case r[i] == '\\' && r[0] == '"':
			i++
		case r[i] == '\'' && r[0] == '\'' && i+1 < len(r) && r[i+1] == '\'':
			i++
		case r[i] == r[0]:
			return i
		}
	}
	return 0
}
