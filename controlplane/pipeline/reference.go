package pipeline

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signalboxhq/signalbox/proto/expr"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// scope compiles expressions by the place where they stand.
type scope struct {
	c         *compiler
	envs      map[expr.Place]*expr.Env
	defaults  *expr.Env
	inherited map[*yaml.Node]*expr.TemplateProgram // defaults, compiled once; nil: at fault
}

// see makes the view of the plan that expressions are checked against. What has
// no type, because its declaration is at fault, is json: everything fits, and
// nothing is reported twice.
func (c *compiler) see() {
	c.view = &plan.Plan{}
	for name, p := range c.params {
		c.view.Params = append(c.view.Params, plan.Param{Name: name, Type: typeOr(p.Type, plan.TypeJSON)})
	}
	for _, t := range c.order {
		seen := t.Task
		seen.Outputs, seen.ArtifactsOut = slices.Clone(t.Outputs), slices.Clone(t.ArtifactsOut)
		for i := range seen.Outputs {
			seen.Outputs[i].Type = typeOr(seen.Outputs[i].Type, plan.TypeJSON)
		}
		for i := range seen.ArtifactsOut {
			seen.ArtifactsOut[i].Type = typeOr(seen.ArtifactsOut[i].Type, plan.TypeArtifact)
		}
		c.view.Tasks = append(c.view.Tasks, seen)
	}
	c.scope = &scope{c: c, inherited: map[*yaml.Node]*expr.TemplateProgram{}}
	c.scope.forget()
}

// forget drops what was made of types that have changed.
func (s *scope) forget() {
	s.envs = map[expr.Place]*expr.Env{}
	decls := (expr.Place{}).Decls(s.c.view)
	decls.Tasks, decls.Refused = nil, map[string]string{"tasks": "defaults hold for all tasks, also for the one that it names"}
	s.defaults = newEnv(decls)
}

// at is the environment of a place, with a reason for each name that exists
// elsewhere.
func (s *scope) at(place expr.Place) *expr.Env {
	env, ok := s.envs[place]
	if ok {
		return env
	}
	decls := place.Decls(s.c.view)
	decls.Refused = map[string]string{}
	switch {
	case decls.Exit:
		decls.Tasks = nil
		decls.Refused["tasks"] = "an exit handler runs whatever became of the tasks"
	case decls.Apart:
		decls.Refused["tasks"] = "an instance of a template gets what it needs from the step that adds it"
	default:
		s.refuse(&decls)
	}
	env = newEnv(decls)
	s.envs[place] = env
	return env
}

// refuse explains the names of tasks that exist and cannot be read here.
func (s *scope) refuse(decls *expr.Decls) {
	for _, t := range s.c.order {
		name := t.ShortName()
		if _, visible := decls.Tasks[name]; visible || t.Exit != "" {
			continue
		}
		switch {
		case t.Template:
			decls.Refused["tasks."+name] = "it is a template, of which only steps add instances"
		case t.parent != nil:
			decls.Refused["tasks."+name] = fmt.Sprintf("it is inside the group `%s`, of which only the group's own `outputs` are seen from here", t.parent.Name)
		}
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

// readTemplate checks a template of t and adds what it reads to reads and to t's
// edges. It returns nil where the template is at fault.
func (c *compiler) readTemplate(t *task, e entry, place expr.Place, reads *plan.Reads) *expr.TemplateProgram {
	if !strings.Contains(e.value.Value, exprOpen) {
		return nil
	}
	program := c.compileTemplate(e, place)
	if program == nil || !c.note(t, e, program.References(), nextMap(t), reads) {
		return nil
	}
	return program
}

// note adds what an expression of t reads to reads and to t's edges. itemOf is
// the task whose item it reads, if it reads one.
func (c *compiler) note(t *task, e entry, refs expr.References, itemOf *task, reads *plan.Reads) bool {
	if len(refs.Artifacts) > 0 {
		a := refs.Artifacts[0]
		c.fail(e.path, e.value, Problem{
			Message: "an artifact is not a value: no expression can read it",
			Want:    fmt.Sprintf("`artifacts: {in: {%s: \"${{ %s }}\"}}`", a.Artifact, taskPath(c.tasks[a.Task].ShortName(), "artifacts", a.Artifact)),
			Hint:    fmt.Sprintf("the step then finds it at \"$SB_IN/%s\"", a.Artifact),
		})
		return false
	}
	reads.Params = append(reads.Params, refs.Params...)
	reads.Outputs = append(reads.Outputs, refs.Outputs...)
	reads.States = append(reads.States, refs.States...)
	reads.Run = reads.Run || refs.Run
	if refs.Item && itemOf != nil {
		addReads(reads, itemOf.flow.itemReads)
	}
	for _, o := range refs.Outputs {
		c.waitFor(t, c.tasks[o.Task], edge{at: e, reason: fmt.Sprintf("reads its output `%s`", o.Output), reads: true, takes: true})
	}
	for _, name := range refs.States {
		c.waitFor(t, c.tasks[name], edge{at: e, reason: "reads how it ended", reads: true, takes: t.Rule == plan.RuleAlways})
	}
	return true
}

// waitFor is wait for what an expression reads. A loop's condition reads what is
// inside of the loop, for which nobody need wait.
func (c *compiler) waitFor(t, up *task, e edge) {
	if t.Repeat != nil && (up == t || up.parent == t) && e.at.value == t.flow.until.value {
		return
	}
	c.wait(t, up, e)
}

// nextMap is the next task with for_each, from t outwards.
func nextMap(t *task) *task {
	for ; t != nil && t.ForEach == nil; t = t.parent {
	}
	return t
}

func addReads(reads *plan.Reads, more plan.Reads) {
	reads.Params = append(reads.Params, more.Params...)
	reads.Outputs = append(reads.Outputs, more.Outputs...)
	reads.Artifacts = append(reads.Artifacts, more.Artifacts...)
	reads.States = append(reads.States, more.States...)
	reads.Run = reads.Run || more.Run
}

// compileTemplate compiles what stands at e; nil where it is at fault.
func (c *compiler) compileTemplate(e entry, place expr.Place) *expr.TemplateProgram {
	if c.defaults.env[e.name].value == e.value {
		program, done := c.scope.inherited[e.value]
		if !done {
			program = c.compileText(e, c.scope.defaults)
			c.scope.inherited[e.value] = program
		}
		return program
	}
	return c.compileText(e, c.scope.at(place))
}

func (c *compiler) compileText(e entry, env *expr.Env) *expr.TemplateProgram {
	program, err := env.CompileText(e.value.Value)
	if err != nil {
		c.failExpression(e, err)
		return nil
	}
	return program
}

// failExpression reports what is wrong with an expression or a template.
func (c *compiler) failExpression(e entry, err error) {
	var list expr.Errors
	if !errors.As(err, &list) {
		c.fail(e.path, e.value, Problem{Message: err.Error()})
	}
	for _, one := range list[:min(len(list), maxPerText)] {
		if !c.full() {
			c.failAt(e.path, c.src.within(e.value, one.Offset), Problem{Message: one.Text, Hint: meant(one.Near)})
		}
	}
}

// artifactPath is the one form of a reference to an artifact: no computation.
var artifactPath = regexp.MustCompile(`^tasks(\.\w+|\["[\w-]+"\]|\['[\w-]+'\])\.artifacts\.\w+$`)

// linkInput looks up an artifact that t takes in.
func (c *compiler) linkInput(t *task, in input) {
	const want = `one artifact of another task, as in "${{ tasks.train.artifacts.model }}"`
	if !strings.Contains(in.text, exprOpen) {
		c.fail(in.at.path, in.at.value, Problem{Message: "this is not a reference", Want: want, Got: fmt.Sprintf("%q", clip(in.text))})
		return
	}
	program := c.compileText(entry{path: in.at.path, value: in.at.value}, c.scope.at(expr.In(c.view, t.index)))
	if program == nil {
		return
	}
	ref, ok := artifactOf(program)
	if !ok {
		c.fail(in.at.path, in.at.value, Problem{
			Message: "this is not an artifact", Want: want, Hint: "a value reaches a step through `env`",
		})
		return
	}
	if !c.wait(t, c.tasks[ref.Task], edge{at: in.at, reason: fmt.Sprintf("takes its artifact `%s`", ref.Artifact), reads: true, takes: true}) {
		return
	}
	if got := c.artifactTypeOf(ref); !accepts(in.want, got) {
		c.fail(in.at.path, in.at.value, Problem{
			Message: fmt.Sprintf("`%s` is a %s, and `%s` wants a %s", taskPath(c.tasks[ref.Task].ShortName(), "artifacts", ref.Artifact), got, in.name, in.want),
			Want:    string(in.want), Got: string(got),
		})
	}
	t.ArtifactsIn = append(t.ArtifactsIn, plan.ArtifactIn{Name: in.name, Task: ref.Task, Artifact: ref.Artifact})
}

// artifactOf is the artifact that a template names and nothing else.
func artifactOf(program *expr.TemplateProgram) (expr.ArtifactRef, bool) {
	part, ok := program.Template().Single()
	refs := program.References().Artifacts
	if !ok || len(refs) != 1 || !artifactPath.MatchString(strings.TrimSpace(part.Text)) {
		return expr.ArtifactRef{}, false
	}
	return refs[0], true
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
