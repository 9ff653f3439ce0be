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

	mu       sync.Mutex
	envs     map[bool]*expr.Env // by whether it is for exit handlers
	compiled map[templateKey]*expr.TemplateProgram
}

type templateKey struct {
	source string
	exit   bool
}

// NewProgram prepares a plan.
func NewProgram(p *plan.Plan) *Program {
	return &Program{Plan: p, envs: map[bool]*expr.Env{}, compiled: map[templateKey]*expr.TemplateProgram{}}
}

// Env renders a task's `env:`, name by name. The error is an *InputError.
func (p *Program) Env(task *plan.Task, values expr.Values) (map[string]string, error) {
	env := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(task.Env)) {
		text, err := p.render(task.Env[name], task.Exit != "", values)
		if err != nil {
			return nil, &InputError{
				Reason: fmt.Sprintf("env %s cannot be evaluated", name), Detail: fmt.Sprintf("env %s: %v", name, err),
			}
		}
		env[name] = text
	}
	return env, nil
}

func (p *Program) render(source string, exit bool, values expr.Values) (string, error) {
	template, err := expr.ParseTemplate(source)
	if err != nil {
		return "", err
	}
	if template.Static() {
		return source, nil
	}
	program, err := p.compile(template, exit)
	if err != nil {
		return "", err
	}
	return program.Text(values)
}

func (p *Program) compile(template expr.Template, exit bool) (*expr.TemplateProgram, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := templateKey{template.String(), exit}
	if program, ok := p.compiled[key]; ok {
		return program, nil
	}
	env, ok := p.envs[exit]
	if !ok {
		var err error
		if env, err = expr.NewEnv(p.decls(exit)); err != nil {
			return nil, err
		}
		p.envs[exit] = env
	}
	program, err := env.CompileTemplate(template)
	if err != nil {
		return nil, err
	}
	p.compiled[key] = program
	return program, nil
}

// decls are the declarations of the plan. The compiler has refused what a task
// may not read; what it may read and is not there is an error when it is read.
func (p *Program) decls(exit bool) expr.Decls {
	decls := expr.Decls{Params: map[string]plan.Type{}, Tasks: map[string]expr.TaskDecl{}, Exit: exit}
	for _, param := range p.Plan.Params {
		decls.Params[param.Name] = param.Type
	}
	for _, task := range p.Plan.Tasks {
		decl := expr.TaskDecl{Outputs: map[string]plan.Type{}, Artifacts: map[string]plan.Type{}}
		for _, output := range task.Outputs {
			decl.Outputs[output.Name] = output.Type
		}
		for _, artifact := range task.ArtifactsOut {
			decl.Artifacts[artifact.Name] = artifact.Type
		}
		decls.Tasks[task.Name] = decl
	}
	return decls
}
