package expr

import (
	"fmt"
	"strings"
)

// Error is one thing wrong with an expression or template, for its author.
type Error struct {
	// Offset is where, in bytes from the start of the compiled text.
	Offset int
	// Text is what, a sentence without its full stop.
	Text string
	// Near holds the names that may have been meant, the nearest first.
	Near []string
}

func (e *Error) Error() string {
	if len(e.Near) == 0 {
		return e.Text
	}
	return fmt.Sprintf("%s; did you mean %s?", e.Text, strings.Join(e.Near, " or "))
}

// Errors is everything that was found wrong, in the order of the text. It is
// never empty where it is an error.
type Errors []*Error

func (e Errors) Error() string {
	texts := make([]string, 0, len(e))
	for _, one := range e {
		texts = append(texts, one.Error())
	}
	return strings.Join(texts, "\n")
}

// err is e as an error, nil if there is none.
func (e Errors) err() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

// shift moves errors of a part to where it stands in the whole.
func (e Errors) shift(offset int) Errors {
	for _, one := range e {
		one.Offset += offset
	}
	return e
}

// EvalError says why an expression has no value. Its text may repeat values, so
// it must be sealed before it leaves the agent.
type EvalError struct {
	Expr string // the expression's source
	Text string
}

func (e *EvalError) Error() string {
	return fmt.Sprintf("%s, in `%s`", e.Text, clip(e.Expr))
}

// clip is an expression in an error message: the beginning of a long one.
func clip(source string) string {
	const most = 120
	source = strings.TrimSpace(source)
	if len(source) > most {
		source = strings.ToValidUTF8(source[:most], "") + "…"
	}
	return source
}
