package pipeline

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signalboxhq/signalbox/proto/expr"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// scope compiles expressions in the three places that may have some. What differs
// is what they may read.
type scope struct {
	task, exit, defaults *expr.Env
	inherited            map[*yaml.Node]*expr.TemplateProgram // defaults, compiled once; nil: at fault
}

// scope declares what was read so far. What has no type, because its declaration
// is at fault, is json: everything fits, and nothing is reported twice.
func (c *compiler) scope() *scope {
	params := map[string]plan.Type{}
	for name, p := range c.params {
		params[name] = typeOr(p.Type, plan.TypeJSON)
	}
	tasks := map[string]expr.TaskDecl{}
	for name, t := range c.tasks {
		if t.Exit != "" {
			continue
		}
		decl := expr.TaskDecl{Outputs: map[string]plan.Type{}, Artifacts: map[string]plan.Type{}}
		for _, o := range t.Outputs {
			decl.Outputs[o.Name] = typeOr(o.Type, plan.TypeJSON)
		}
		for _, a := range t.ArtifactsOut {
			decl.Artifacts[a.Name] = typeOr(a.Type, plan.TypeArtifact)
		}
		tasks[name] = decl
	}
	noTasks := func(reason string) map[string]string { return map[string]string{"tasks": reason} }
	return &scope{
		task: newEnv(expr.Decls{Params: params, Tasks: tasks}),
		exit: newEnv(expr.Decls{
			Params: params, Exit: true,
			Refused: noTasks("an exit handler runs whatever became of the tasks"),
		}),
		defaults: newEnv(expr.Decls{
			Params:  params,
			Refused: noTasks("defaults hold for all tasks, also for the one that it names"),
		}),
		inherited: map[*yaml.Node]*expr.TemplateProgram{},
	}
}

// maxPerText bounds the problems of one text, whose places cost its length each.
const maxPerText = 20

func newEnv(d expr.Decls) *expr.Env {
	env, err := expr.NewEnv(d)
	if err != nil {
		panic("pipeline: a type that this package let pass: " + err.Error())
	}
	return env
}

func typeOr(t, other plan.Type) plan.Type {
	if t == "" {
		return other
	}
	return t
}

// readTemplate checks one env value of t and adds what it reads to reads and to
// t's edges.
func (c *compiler) readTemplate(t *task, e entry, s *scope, reads *plan.Reads) {
	if !strings.Contains(e.value.Value, exprOpen) {
		return
	}
	program := c.compileTemplate(t, e, s)
	if program == nil {
		return
	}
	refs := program.References()
	if len(refs.Artifacts) > 0 {
		a := refs.Artifacts[0]
		c.fail(e.path, e.value, Problem{
			Message: "an artifact is not a value: `env` cannot read it",
			Want:    fmt.Sprintf("`artifacts: {in: {%s: \"${{ %s }}\"}}`", a.Artifact, taskPath(a.Task, "artifacts", a.Artifact)),
			Hint:    fmt.Sprintf("the step then finds it at \"$SB_IN/%s\"", a.Artifact),
		})
		return
	}
	reads.Params = append(reads.Params, refs.Params...)
	reads.Outputs = append(reads.Outputs, refs.Outputs...)
	reads.Run = reads.Run || refs.Run
	for _, o := range refs.Outputs {
		c.wait(t, o.Task, edge{at: e, reason: fmt.Sprintf("reads its output `%s`", o.Output), reads: true})
	}
}

// compileTemplate compiles what stands at e for t; nil where it is at fault.
func (c *compiler) compileTemplate(t *task, e entry, s *scope) *expr.TemplateProgram {
	if c.defaults.env[e.name].value == e.value {
		program, done := s.inherited[e.value]
		if !done {
			program = c.compileText(e, s.defaults)
			s.inherited[e.value] = program
		}
		return program
	}
	if t.Exit != "" {
		return c.compileText(e, s.exit)
	}
	return c.compileText(e, s.task)
}

func (c *compiler) compileText(e entry, env *expr.Env) *expr.TemplateProgram {
	program, err := env.CompileText(e.value.Value)
	if err == nil {
		return program
	}
	var list expr.Errors
	if !errors.As(err, &list) {
		c.fail(e.path, e.value, Problem{Message: err.Error()})
	}
	for _, one := range list[:min(len(list), maxPerText)] {
		if !c.full() {
			c.failAt(e.path, c.src.within(e.value, one.Offset), Problem{Message: one.Text, Hint: meant(one.Near)})
		}
	}
	return nil
}

// artifactPath is the one form of a reference to an artifact: no computation.
var artifactPath = regexp.MustCompile(`^tasks(\.\w+|\["[\w-]+"\]|\['[\w-]+'\])\.artifacts\.\w+$`)

// linkInput looks up an artifact that t takes in.
func (c *compiler) linkInput(t *task, in input, s *scope) {
	const want = `one artifact of another task, as in "${{ tasks.train.artifacts.model }}"`
	if !strings.Contains(in.text, exprOpen) {
		c.fail(in.at.path, in.at.value, Problem{Message: "this is not a reference", Want: want, Got: fmt.Sprintf("%q", clip(in.text))})
		return
	}
	program := c.compileText(entry{path: in.at.path, value: in.at.value}, s.task)
	if program == nil {
		return
	}
	part, ok := program.Template().Single()
	refs := program.References().Artifacts
	if !ok || len(refs) != 1 || !artifactPath.MatchString(strings.TrimSpace(part.Text)) {
		c.fail(in.at.path, in.at.value, Problem{
			Message: "this is not an artifact", Want: want, Hint: "a value reaches a step through `env`",
		})
		return
	}
	ref := refs[0]
	if !c.wait(t, ref.Task, edge{at: in.at, reason: fmt.Sprintf("takes its artifact `%s`", ref.Artifact), reads: true}) {
		return
	}
	if got := c.artifactTypeOf(ref); !accepts(in.want, got) {
		c.fail(in.at.path, in.at.value, Problem{
			Message: fmt.Sprintf("`%s` is a %s, and `%s` wants a %s", taskPath(ref.Task, "artifacts", ref.Artifact), got, in.name, in.want),
			Want:    string(in.want), Got: string(got),
		})
	}
	t.ArtifactsIn = append(t.ArtifactsIn, plan.ArtifactIn{Name: in.name, Task: ref.Task, Artifact: ref.Artifact})
}

func (c *compiler) artifactTypeOf(ref expr.ArtifactRef) plan.Type {
	for _, a := range c.tasks[ref.Task].ArtifactsOut {
		if a.Name == ref.Artifact {
			return typeOr(a.Type, plan.TypeArtifact)
		}
	}
	return plan.TypeArtifact
}

// taskPath spells a reference; a name with a dash stands in brackets.
func taskPath(task, under, name string) string {
	if strings.Contains(task, "-") {
		return fmt.Sprintf("tasks[%q].%s.%s", task, under, name)
	}
	return "tasks." + task + "." + under + "." + name
}
