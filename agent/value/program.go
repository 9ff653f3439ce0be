package value

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/signalboxhq/signalbox/proto/expr"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// Program is a plan whose expressions can be evaluated. What was compiled once
// is kept: all tasks of a version share it.
type Program struct {
	Plan *plan.Plan

	mu         sync.Mutex
	envs       map[expr.Place]*expr.Env
	templates  map[source]*expr.TemplateProgram
	conditions map[source]*expr.Program
}

// source is an expression where it stands.
type source struct {
	text  string
	place expr.Place
}

// NewProgram prepares a plan.
func NewProgram(p *plan.Plan) *Program {
	return &Program{
		Plan: p, envs: map[expr.Place]*expr.Env{},
		templates: map[source]*expr.TemplateProgram{}, conditions: map[source]*expr.Program{},
	}
}

// Env renders the environment of task i, name by name; what values.Env gives
// stands in for the task's own. The error is an *InputError.
func (p *Program) Env(i int, values Values) (map[string]string, error) {
	task := &p.Plan.Tasks[i]
	for name := range values.Env {
		if _, ok := task.Env[name]; !ok || !task.Template {
			text := fmt.Sprintf("env %s is not declared by the template %s", name, task.Name)
			return nil, &InputError{Reason: text, Detail: text}
		}
	}
	env := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(task.Env)) {
		if given, ok := values.Env[name]; ok {
			env[name] = given
			continue
		}
		text, err := p.render(task.Env[name], expr.In(p.Plan, i), values.Values)
		if err != nil {
			return nil, cannot("env "+name, err)
		}
		env[name] = text
	}
	return env, nil
}

// cannot says that something of a task cannot be evaluated; why may repeat
// values.
func cannot(what string, err error) *InputError {
	return &InputError{Reason: what + " cannot be evaluated", Detail: fmt.Sprintf("%s: %v", what, err)}
}

// ReadsItem reports whether the environment of task i reads the item of a map.
func (p *Program) ReadsItem(i int) bool {
	for _, text := range p.Plan.Tasks[i].Env {
		program, err := p.template(text, expr.In(p.Plan, i))
		if err == nil && program.References().Item {
			return true
		}
	}
	return false
}

func (p *Program) render(text string, place expr.Place, values expr.Values) (string, error) {
	program, err := p.template(text, place)
	if err != nil {
		return "", err
	}
	return program.Text(values)
}

func (p *Program) template(text string, place expr.Place) (*expr.TemplateProgram, error) {
	return compiled(p, p.templates, source{text, place}, (*expr.Env).CompileText)
}

func (p *Program) condition(text string, place expr.Place) (*expr.Program, error) {
	return compiled(p, p.conditions, source{text, place}, (*expr.Env).CompileCondition)
}

func compiled[T any](p *Program, kept map[source]*T, key source, compile func(*expr.Env, string) (*T, error)) (*T, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if program, ok := kept[key]; ok {
		return program, nil
	}
	env, ok := p.envs[key.place]
	if !ok {
		var err error
		if env, err = expr.NewEnv(key.place.Decls(p.Plan)); err != nil {
			return nil, err
		}
		p.envs[key.place] = env
	}
	program, err := compile(env, key.text)
	if err != nil {
		return nil, err
	}
	kept[key] = program
	return program, nil
}
