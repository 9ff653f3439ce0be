package pipeline

import "strings"

// Sentence is a problem in one line, as clients print it above the excerpt.
func (p *Problem) Sentence() string {
	var b strings.Builder
	got := strings.ReplaceAll(p.Got, "\n", ", ")
	b.WriteString(p.Message)
	switch {
	case strings.HasPrefix(p.Message, "want "): // a value's type says it by itself
		if got != "" && !strings.Contains(p.Message, ", got ") {
			b.WriteString(", got " + got)
		}
	case p.Want != "":
		b.WriteString("; want " + p.Want)
		if got != "" {
			b.WriteString(", got " + got)
		}
	case got != "":
		b.WriteString("; got " + got)
	}
	if p.Hint != "" {
		b.WriteString("; " + p.Hint)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
