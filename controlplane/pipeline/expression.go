package pipeline

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/signalboxhq/signalbox/proto/expr"
)

// lastWord is the name by which an expression's value would be called.
var lastWord = regexp.MustCompile(`([A-Za-z_][A-Za-z0-9_]*)\W*$`)

// noExpression refuses `${{ }}` inside `run` and `command`, where it would have to
// be pasted into a program's text. The problem shows the line to write instead.
func (c *compiler) noExpression(e entry, text string) bool {
	begin := strings.Index(text, exprOpen)
	if begin < 0 {
		return true
	}
	inner := "params.epochs"
	if t, err := expr.ParseTemplate(text[begin:]); err == nil {
		inner = strings.TrimSpace(t.Parts()[0].Text)
	} else if before, _, ok := strings.Cut(text[begin+len(exprOpen):], "}}"); ok {
		inner = strings.TrimSpace(before)
	}
	name := "VALUE"
	if m := lastWord.FindStringSubmatch(inner); m != nil {
		name = strings.ToUpper(m[1])
	}
	hint := fmt.Sprintf("env: {%s: \"${{ %s }}\"}\nand here \"$%s\"", name, clip(inner), name)
	if !strings.HasSuffix(e.path, ".run") { // an argv has no shell that knows $NAME
		hint = fmt.Sprintf("env: {%s: \"${{ %s }}\"}\nand a program that reads %s, or `run:` with \"$%s\"", name, clip(inner), name, name)
	}
	c.failExpr(e.path, e.value, Problem{
		Message: "`${{ }}` may not stand in a command: nothing is ever pasted into one",
		Want:    "the value in the environment",
		Hint:    hint,
	})
	return false
}
