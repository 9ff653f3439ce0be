package expr

import (
	"fmt"
	"strings"

	"github.com/signalboxhq/signalbox/proto/plan"
)

const (
	opening = "${{"
	closing = "}}"
)

// Part is a piece of a template: literal text, or the expression between ${{ and
// }}, blanks included.
type Part struct {
	Text   string
	Offset int // of Text in the template, in bytes
	Expr   bool
}

// Template is text with placeholders. The zero value is the empty text.
type Template struct {
	source string
	parts  []Part
}

// ParseTemplate finds the placeholders of a text. It does not look into them
// further than to find where they end: braces and quotes of the expression may
// contain }}. There is no escape; ${{ "${{" }} writes the opening itself. The
// error is an Errors.
func ParseTemplate(source string) (Template, error) {
	if len(source) > plan.MaxValueBytes {
		return Template{}, Errors{{Text: fmt.Sprintf("the text is longer than %d bytes", plan.MaxValueBytes)}}
	}
	template := Template{source: source}
	var errs Errors
	for at := 0; at < len(source); {
		begin := strings.Index(source[at:], opening)
		if begin < 0 {
			template.literal(at, len(source))
			break
		}
		begin += at
		template.literal(at, begin)
		inner := begin + len(opening)
		end, wrong := endOfExpr(source, inner)
		if wrong != nil {
			if wrong.Offset < 0 {
				wrong.Offset = begin
			}
			errs = append(errs, wrong)
			break
		}
		if strings.TrimSpace(source[inner:end]) == "" {
			errs = append(errs, &Error{Offset: begin, Text: "the placeholder is empty"})
		}
		template.parts = append(template.parts, Part{Text: source[inner:end], Offset: inner, Expr: true})
		at = end + len(closing)
	}
	if len(errs) > 0 {
		return Template{}, errs
	}
	return template, nil
}

// literal adds the text between two offsets, if there is any.
func (t *Template) literal(from, to int) {
	if from < to {
		t.parts = append(t.parts, Part{Text: t.source[from:to], Offset: from})
	}
}

// String is the text that was parsed.
func (t Template) String() string { return t.source }

// Parts returns literals and expressions in order; no two literals are adjacent.
func (t Template) Parts() []Part { return append([]Part(nil), t.parts...) }

// Static reports whether the template has no placeholder: it then is its text.
func (t Template) Static() bool {
	for _, part := range t.parts {
		if part.Expr {
			return false
		}
	}
	return true
}

// Single returns the expression of a template that is one placeholder and
// nothing else. Such a template keeps its expression's type; all others are
// strings.
func (t Template) Single() (Part, bool) {
	if len(t.parts) == 1 && t.parts[0].Expr {
		return t.parts[0], true
	}
	return Part{}, false
}
