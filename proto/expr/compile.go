package expr

import (
	"fmt"
	"slices"
	"sync"

	"cel.dev/cel-go/cel"
	celast "cel.dev/cel-go/common/ast"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// Program is a checked expression. Any number of goroutines may use it.
type Program struct {
	source     string
	resultType plan.Type
	references References
	found      map[string]name
	spans      []span
	plain      string                      // the variable, of an expression that is nothing but a name
	run        func() (cel.Program, error) // made at the first Eval
}

// Compile checks one bare expression, as it stands after `if:`. The error is an
// Errors: names first, and only if all exist, types.
func (e *Env) Compile(source string) (*Program, error) {
	program, errs := e.compile(source)
	return program, errs.err()
}

// CompileCondition is Compile for an expression that must be true or false.
func (e *Env) CompileCondition(source string) (*Program, error) {
	program, errs := e.compile(source)
	if errs == nil && program.resultType != plan.TypeBool && program.resultType != plan.TypeJSON {
		errs = Errors{{Text: "a condition is true or false, and this is " + article(program.resultType)}}
	}
	if errs != nil {
		return nil, errs
	}
	return program, nil
}

func (e *Env) compile(source string) (*Program, Errors) {
	parsed, issues := e.base.Parse(source)
	if errs := translate(source, issues); errs != nil {
		return nil, errs
	}
	resolver := newResolver(&e.decls, source, parsed)
	resolver.walk(parsed.NativeRep().Expr())
	if len(resolver.errs) > 0 {
		slices.SortStableFunc(resolver.errs, func(a, b *Error) int { return a.Offset - b.Offset })
		return nil, resolver.errs
	}
	env, err := e.base.Extend(variables(resolver.found)...)
	if err != nil {
		return nil, Errors{{Text: fmt.Sprintf("declare names: %v", err)}}
	}
	checked, issues := env.Check(parsed)
	if errs := translate(source, issues); errs != nil {
		return nil, errs
	}
	resultType, ok := resultOf(checked, resolver.found)
	if !ok {
		return nil, Errors{{Text: "no value can be a " + cel.FormatCELType(checked.OutputType()) + "; turn it into text with string(…)"}}
	}
	program := &Program{source: source, resultType: resultType, found: resolver.found, spans: resolver.spans}
	if root := checked.NativeRep().Expr(); root.Kind() == celast.IdentKind && !isPresence(root.AsIdent()) {
		program.plain = root.AsIdent()
	}
	for _, one := range resolver.found {
		program.references = program.references.Merge(one.references())
	}
	program.run = sync.OnceValues(func() (cel.Program, error) {
		return env.Program(checked, cel.CostLimit(CostLimit))
	})
	return program, nil
}

func variables(found map[string]name) []cel.EnvOption {
	options := make([]cel.EnvOption, 0, len(found))
	for variable, one := range found {
		if isPresence(variable) {
			options = append(options, cel.Variable(variable, cel.BoolType))
			continue
		}
		options = append(options, cel.Variable(variable, celType(one.declared)))
	}
	return options
}

// resultOf is the type of the result. An expression that is nothing but a name
// has the type that was declared: CEL knows no uri.
func resultOf(checked *cel.Ast, found map[string]name) (plan.Type, bool) {
	root := checked.NativeRep().Expr()
	if root.Kind() == celast.IdentKind {
		if one, ok := found[root.AsIdent()]; ok && !isPresence(root.AsIdent()) {
			if one.declared.IsArtifact() {
				return plan.TypeURI, true
			}
			if one.declared.IsRead() {
				return one.declared, true
			}
			return plan.TypeURI, true // a named artifact type
		}
	}
	return planType(checked.OutputType())
}

// Source is the expression's text.
func (p *Program) Source() string { return p.source }

// Type is the type of the result. json also stands for what is known only at
// evaluation.
func (p *Program) Type() plan.Type { return p.resultType }

// References lists what the expression reads.
func (p *Program) References() References { return p.references }

// article is a type in a sentence: "an int", "a list<string>".
func article(t plan.Type) string {
	if t == plan.TypeInt {
		return "an int"
	}
	return "a " + string(t)
}
