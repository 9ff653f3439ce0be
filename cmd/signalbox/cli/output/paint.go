package output

// Tone is what a piece of text says about its subject; Paint gives it a colour.
// Colour never says anything alone: states also have a sign and a word.
type Tone int

// The tones.
const (
	Plain Tone = iota
	Good
	Bad
	Busy
	Warn
	Faint
	Strong
)

// Painter colours text with ANSI sequences, or leaves it as it is.
type Painter struct {
	// Colour is off where NO_COLOR is set or nobody looks.
	Colour bool
}

// Paint colours text.
func (p Painter) Paint(tone Tone, text string) string {
	if !p.Colour || text == "" {
		return text
	}
	var code string
	switch tone {
	case Plain:
		return text
	case Good:
		code = "32"
	case Bad:
		code = "31"
	case Busy:
		code = "36"
	case Warn:
		code = "33"
	case Faint:
		code = "2"
	case Strong:
		code = "1"
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
