package follow

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Screen draws lines over those that it drew before.
type Screen struct {
	Out io.Writer
	// Size is the terminal's; zeros mean unknown.
	Size func() (width, height int)

	drawn int
}

// Draw replaces what was drawn. Lines that the terminal has no room for are left
// out from the middle and counted; too long ones are cut, since a line that
// wraps could not be drawn over.
func (s *Screen) Draw(lines []string) {
	width, height := s.Size()
	if height > 2 && len(lines) > height-1 {
		room := height - 2
		left := len(lines) - room
		lines = append(append(append([]string(nil), lines[:room/2]...),
			fmt.Sprintf("   … %d more …", left)), lines[len(lines)-(room-room/2):]...)
	}
	var b strings.Builder
	if s.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", s.drawn)
	}
	for _, line := range lines {
		b.WriteString("\r\x1b[2K" + clip(line, width) + "\n")
	}
	b.WriteString("\x1b[J")
	s.drawn = len(lines)
	_, _ = io.WriteString(s.Out, b.String())
}

// Clear takes away what was drawn, for lines that stay.
func (s *Screen) Clear() {
	if s.drawn > 0 {
		_, _ = fmt.Fprintf(s.Out, "\x1b[%dA\r\x1b[J", s.drawn)
		s.drawn = 0
	}
}

// clip cuts a line to a width, not counting colour sequences.
func clip(line string, width int) string {
	if width <= 0 || utf8.RuneCountInString(line) <= width {
		return line
	}
	var b strings.Builder
	seen, escape := 0, false
	for _, r := range line {
		visible := !escape && r != '\x1b'
		escape = r == '\x1b' || escape && r != 'm'
		if visible {
			seen++
		}
		// What comes after the cut is left out, but for the ends of colours.
		if !visible || seen <= width {
			b.WriteRune(r)
		}
	}
	return b.String()
}
