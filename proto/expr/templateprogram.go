package expr

import (
	"encoding/json"
	"strings"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// TemplateProgram is a checked template. Any number of goroutines may use it.
type TemplateProgram struct {
	template   Template
	programs   []*Program // one for each part, nil for literals
	resultType plan.Type
	references References
}

// CompileTemplate checks all expressions of a template. The error is an Errors,
// its offsets in the template's text.
func (e *Env) CompileTemplate(template Template) (*TemplateProgram, error) {
	compiled := &TemplateProgram{template: template, resultType: plan.TypeString}
	var errs Errors
	for _, part := range template.parts {
		if !part.Expr {
			compiled.programs = append(compiled.programs, nil)
			continue
		}
		program, wrong := e.compile(part.Text)
		if wrong != nil {
			errs = append(errs, wrong.shift(part.Offset)...)
			continue
		}
		compiled.programs = append(compiled.programs, program)
		compiled.references = compiled.references.Merge(program.references)
	}
	if errs != nil {
		return nil, errs
	}
	if _, ok := template.Single(); ok {
		compiled.resultType = compiled.programs[0].resultType
	}
	return compiled, nil
}

// Plain returns what the template reads where it is one name and nothing else.
func (t *TemplateProgram) Plain() (References, bool) {
	if _, ok := t.template.Single(); ok {
		return t.programs[0].Plain()
	}
	return References{}, false
}

// Template is what was compiled.
func (t *TemplateProgram) Template() Template { return t.template }

// Type is the expression's where the template is one placeholder and nothing
// else, and string otherwise.
func (t *TemplateProgram) Type() plan.Type { return t.resultType }

// References lists what all the expressions read.
func (t *TemplateProgram) References() References { return t.references }

// Eval gives the template's value as canonical JSON of its Type. The error is
// that of Program.Eval, or an *EvalError for a text over plan.MaxValueBytes.
func (t *TemplateProgram) Eval(values Values) (json.RawMessage, error) {
	if _, ok := t.template.Single(); ok {
		return t.programs[0].Eval(values)
	}
	var text strings.Builder
	for i, part := range t.template.parts {
		if !part.Expr {
			text.WriteString(part.Text)
			continue
		}
		raw, err := t.programs[i].Eval(values)
		if err != nil {
			return nil, err
		}
		text.WriteString(plan.Text(raw))
	}
	raw, err := plan.ParseValue(plan.TypeString, text.String())
	if err != nil {
		return nil, &EvalError{Expr: t.template.source, Text: err.Error()}
	}
	return raw, nil
}

// Text is Eval for an environment variable or a message: strings, durations and
// URIs as they are, numbers in their shortest form, lists and json as JSON.
// What is read as it is may be of any length.
func (t *TemplateProgram) Text(values Values) (string, error) {
	if _, ok := t.template.Single(); ok {
		if raw := t.programs[0].plainRaw(&values); len(raw) > 0 {
			return plan.Text(raw), nil
		}
	}
	raw, err := t.Eval(values)
	if err != nil {
		return "", err
	}
	return plan.Text(raw), nil
}

// CompileText parses and compiles in one step. The error is an Errors.
func (e *Env) CompileText(source string) (*TemplateProgram, error) {
	template, err := ParseTemplate(source)
	if err != nil {
		return nil, err
	}
	return e.CompileTemplate(template)
}
