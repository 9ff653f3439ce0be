package expr

import (
	"slices"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	celast "cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// presence is the prefix of the variable that stands for has(name).
const presence = "has "

// resolver replaces every name that an expression reads by one variable of that
// name, so that CEL checks it with its own type, and reports those that do not
// exist better than CEL, which knows nothing of tasks, could.
type resolver struct {
	decls   *Decls
	source  string
	info    *celast.SourceInfo
	factory celast.ExprFactory
	found   map[string]name // by variable
	spans   []span
	errs    Errors
}

// span is where in the source a name stands, from its root to its last step.
type span struct {
	from, to int
	name     name
}

func newResolver(decls *Decls, source string, parsed *cel.Ast) *resolver {
	return &resolver{
		decls:   decls,
		source:  source,
		info:    parsed.NativeRep().SourceInfo(),
		factory: celast.NewExprFactory(),
		found:   map[string]name{},
	}
}

// link is one node of a chain of selections: the step that it takes, and itself.
type link struct {
	step
	node     celast.Expr
	computed bool // an index that is no literal text
}

// chain takes apart `root.a["b"].c`, the root first; nil for what does not begin
// with a root.
func (r *resolver) chain(node celast.Expr) []link {
	var links []link
	for node.Kind() != celast.IdentKind {
		this := link{node: node}
		switch {
		case node.Kind() == celast.SelectKind:
			this.step = step{node.AsSelect().FieldName(), r.fieldOffset(node)}
			node = node.AsSelect().Operand()
		case node.Kind() == celast.CallKind && node.AsCall().FunctionName() == operators.Index:
			args := node.AsCall().Args()
			this.name, this.computed = literalText(args[1])
			this.offset = r.offset(first(args[1]))
			node = args[0]
		default:
			return nil
		}
		links = append(links, this)
	}
	if !r.decls.isRoot(node.AsIdent()) {
		return nil
	}
	links = append(links, link{node: node, step: step{node.AsIdent(), r.offset(node)}})
	slices.Reverse(links)
	return links
}

// literalText returns the text of a string literal; computed is true otherwise.
func literalText(node celast.Expr) (text string, computed bool) {
	if node.Kind() == celast.LiteralKind {
		if literal, ok := node.AsLiteral().(types.String); ok {
			return string(literal), false
		}
	}
	return "", true
}

// walk resolves all names in and below a node.
func (r *resolver) walk(node celast.Expr) {
	if links := r.chain(node); links != nil {
		r.read(links)
		return
	}
	switch node.Kind() {
	case celast.SelectKind:
		r.walk(node.AsSelect().Operand())
	case celast.CallKind:
		if node.AsCall().IsMemberFunction() {
			r.walk(node.AsCall().Target())
		}
		for _, arg := range node.AsCall().Args() {
			r.walk(arg)
		}
	case celast.ListKind:
		for _, element := range node.AsList().Elements() {
			r.walk(element)
		}
	case celast.MapKind:
		for _, entry := range node.AsMap().Entries() {
			r.walk(entry.AsMapEntry().Key())
			r.walk(entry.AsMapEntry().Value())
		}
	case celast.StructKind:
		for _, field := range node.AsStruct().Fields() {
			r.walk(field.AsStructField().Value())
		}
	case celast.ComprehensionKind:
		r.walkComprehension(node)
	case celast.IdentKind, celast.LiteralKind, celast.UnspecifiedExprKind:
	}
}

func (r *resolver) walkComprehension(node celast.Expr) {
	loop := node.AsComprehension()
	for _, variable := range []string{loop.IterVar(), loop.IterVar2()} {
		if r.decls.isRoot(variable) {
			r.errs = append(r.errs, &Error{
				Offset: r.offset(node),
				Text:   "`" + variable + "` has a meaning of its own; name the variable otherwise",
			})
			return
		}
	}
	for _, part := range []celast.Expr{
		loop.IterRange(), loop.AccuInit(), loop.LoopCondition(), loop.LoopStep(), loop.Result(),
	} {
		r.walk(part)
	}
}

// read resolves a chain and replaces its node by a variable.
func (r *resolver) read(links []link) {
	path := make([]step, 0, len(links))
	for _, one := range links {
		if one.computed {
			break // what follows may be an index into a value
		}
		path = append(path, one.step)
	}
	resolved, wrong := r.decls.resolve(path)
	if wrong != nil {
		if len(path) < len(links) && strings.Contains(wrong.Text, "alone is no value") {
			wrong = &Error{Offset: links[len(path)].offset, Text: "a name cannot be computed; write it as it is"}
		}
		r.hintDash(path, wrong)
		r.errs = append(r.errs, wrong)
		return
	}
	last := links[len(resolved.path)-1].node
	variable := resolved.String()
	if last.Kind() == celast.SelectKind && last.AsSelect().IsTestOnly() {
		variable = presence + variable
	} else {
		r.mark(links[:len(resolved.path)], resolved)
	}
	r.found[variable] = resolved
	last.SetKindCase(r.factory.NewIdent(last.ID(), variable))
	for _, above := range links[len(resolved.path):] {
		if above.node.Kind() == celast.CallKind {
			r.walk(above.node.AsCall().Args()[1])
		}
	}
}

// mark notes where a name stands.
func (r *resolver) mark(links []link, resolved name) {
	last := links[len(links)-1]
	to := last.offset + len(last.name)
	if last.node.Kind() == celast.CallKind { // its offset is that of the text in the brackets
		end := strings.IndexByte(r.source[min(to, len(r.source)):], ']')
		if end < 0 {
			return
		}
		to += end + 1
	}
	if from := links[0].offset; from < to && to <= len(r.source) {
		r.spans = append(r.spans, span{from, to, resolved})
	}
}

// hintDash helps with tasks.sign-off, which CEL reads as a subtraction.
func (r *resolver) hintDash(path []step, wrong *Error) {
	for i, one := range path {
		end := one.offset + len(one.name)
		if one.offset != wrong.Offset || end >= len(r.source) || r.source[end] != '-' {
			continue
		}
		rest := r.source[end:]
		rest = rest[:len(rest)-len(strings.TrimLeft(rest, "-"))+wordLength(strings.TrimLeft(rest, "-"))]
		if dashed := one.name + rest; i > 0 && r.decls.knows(path[:i], dashed) {
			prefix := make([]string, 0, i)
			for _, before := range path[:i] {
				prefix = append(prefix, before.name)
			}
			wrong.Text = "a name with a dash stands in brackets: " + strings.Join(prefix, ".") + `["` + dashed + `"]`
			wrong.Near = nil
		}
	}
}

// wordLength measures the name, dashes included, with which text begins.
func wordLength(text string) int {
	for i := range len(text) {
		if !isWord(text[i]) && text[i] != '-' {
			return i
		}
	}
	return len(text)
}

// knows reports whether a name exists below a prefix.
func (d *Decls) knows(prefix []step, last string) bool {
	whole := append(append([]step(nil), prefix...), step{name: last})
	if len(whole) == 2 && whole[0].name == rootTasks {
		_, known := d.Tasks[last]
		return known
	}
	_, wrong := d.resolve(whole)
	return wrong == nil
}

// first is the node with which a selection begins: its own offset is its dot's.
func first(node celast.Expr) celast.Expr {
	for node.Kind() == celast.SelectKind {
		node = node.AsSelect().Operand()
	}
	return node
}

// offset is where CEL says that a node stands, in bytes.
func (r *resolver) offset(node celast.Expr) int {
	span, ok := r.info.GetOffsetRange(node.ID())
	if !ok {
		return 0
	}
	return byteOffset(r.source, int(span.Start))
}

// fieldOffset is where the name of a selected field begins: CEL knows the dot.
func (r *resolver) fieldOffset(node celast.Expr) int {
	return pastDot(r.source, r.offset(node)) // within has() CEL knows the bracket
}

// pastDot is where the name begins that follows a dot, at itself where no dot
// stands.
func pastDot(source string, at int) int {
	if rest, ok := strings.CutPrefix(source[at:], "."); ok {
		return len(source) - len(strings.TrimLeft(rest, " \t\r\n"))
	}
	return at
}

// byteOffset turns an offset in characters into one in bytes.
func byteOffset(text string, characters int) int {
	at := 0
	for ; characters > 0 && at < len(text); characters-- {
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return at
}
