package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signalboxhq/signalbox/proto/expr"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// MaxRunDepth is how far below the first run the run of a nested pipeline may
// stand.
const MaxRunDepth = 8

// Known are the pipelines of the workspace that a file's tasks run, by name, and
// those below them.
type Known map[string]*Child

// Child is a pipeline that a task runs, as it is deployed now.
type Child struct {
	// Plan is nil where no version is deployed.
	Plan   *plan.Plan
	Digest plan.Digest
	// Below are those that its tasks run.
	Below Known
}

// Names lists the pipelines that the tasks of a file run, each once. Of a file
// that cannot be read there are none.
func Names(src []byte) []string {
	c := &compiler{src: newSource(src)}
	root, ok := c.parse(src)
	if !ok {
		return nil
	}
	var names []string
	var walk func(tasks entry)
	walk = func(tasks entry) {
		for _, t := range tasks.fieldsOrNone() {
			for _, f := range t.fieldsOrNone() {
				switch {
				case f.name == "tasks":
					walk(f)
				case f.name == "pipeline" && f.value.Kind == yaml.ScalarNode && pipelineName.pattern.MatchString(f.value.Value):
					names = append(names, f.value.Value)
				}
			}
		}
	}
	for _, f := range (entry{value: root}).fieldsOrNone() {
		if f.name == "tasks" {
			walk(f)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// nestedKeys belong to a task with `pipeline`.
var nestedKeys = []string{"with", "version", "on_parent_cancel"}

// nested reads which pipeline a task runs. What it is given is looked at once
// all tasks are known.
func (c *compiler) nested(e entry, o object, t *task) *plan.Nested {
	n := &plan.Nested{}
	n.Name, _ = c.name(e, pipelineName)
	t.flow.pipeline = e
	var pinned bool
	if e, ok := o.get("version"); ok {
		which, _ := choice(c, e, "deployed", "pinned")
		pinned = which == "pinned"
	}
	if e, ok := o.get("on_parent_cancel"); ok {
		what, _ := choice(c, e, "cancel", "abandon")
		n.OnParentCancel = strings.TrimPrefix(what, "cancel") // the default has one spelling: none
	}
	if e, ok := o.get("with"); ok {
		t.flow.with = c.few(e, `params of the pipeline, as in {model: "${{ tasks.train.outputs.model }}"}`)
	}
	if e, ok := o.get("outputs"); ok {
		t.Outputs = c.outputs(e)
	}
	child := c.child(e, n.Name)
	if child == nil {
		return n
	}
	if pinned {
		n.Digest = child.Digest.String()
	}
	c.adopt(o, t, child.Plan)
	return n
}

// child is what is known of the pipeline that a task runs; nil for nothing.
func (c *compiler) child(e entry, name string) *Child {
	if name == "" {
		return nil
	}
	if name == c.plan.Name {
		c.fail(e.path, e.value, Problem{Message: fmt.Sprintf("the pipeline would run itself: %s → %s", name, name)})
		return nil
	}
	if c.known == nil {
		return nil // compiled without a workspace
	}
	child := c.known[name]
	switch {
	case child == nil:
		c.fail(e.path, e.value, Problem{
			Message: fmt.Sprintf("there is no pipeline `%s` in this workspace", name), Hint: "apply it first",
		})
		return nil
	case child.Plan == nil:
		c.fail(e.path, e.value, Problem{
			Message: fmt.Sprintf("no version of the pipeline `%s` is deployed", name), Hint: "deploy one first",
		})
		return nil
	}
	way := c.tooDeep(child, []string{name}, map[*Child]int{})
	switch last := len(way) - 1; {
	case way == nil:
	case way[last] == c.plan.Name:
		c.fail(e.path, e.value, Problem{Message: "the pipeline would run itself: " + c.plan.Name + " → " + strings.Join(way, " → ")})
	default:
		c.fail(e.path, e.value, Problem{
			Message: "pipelines run each other too deeply: " + c.plan.Name + " → " + strings.Join(way, " → "),
			Want:    fmt.Sprintf("at most %d below the first", MaxRunDepth),
		})
	}
	return child
}

// tooDeep is a way down from a child that leads back to this pipeline or is too
// long; nil if there is none. seen is how deep it was looked from each before.
func (c *compiler) tooDeep(child *Child, way []string, seen map[*Child]int) []string {
	if len(way) > MaxRunDepth || way[len(way)-1] == c.plan.Name {
		return way
	}
	if child == nil || seen[child] >= len(way) {
		return nil
	}
	seen[child] = len(way)
	for _, name := range slices.Sorted(maps.Keys(child.Below)) {
		if found := c.tooDeep(child.Below[name], append(slices.Clone(way), name), seen); found != nil {
			return found
		}
	}
	return nil
}

// adopt takes over what a child hands out, and checks what the file says of it.
func (c *compiler) adopt(o object, t *task, child *plan.Plan) {
	for _, said := range t.Outputs {
		i := slices.IndexFunc(child.Outputs, func(out plan.Output) bool { return out.Name == said.Name })
		if i >= 0 && (said.Type == "" || said.Type == child.Outputs[i].Type) {
			continue
		}
		e, _ := o.get("outputs")
		p := Problem{Message: fmt.Sprintf("pipeline `%s` leaves no output `%s`", child.Name, said.Name), Hint: didYouMean(said.Name, outputNames(child))}
		if i >= 0 {
			p = Problem{
				Message: fmt.Sprintf("output `%s` of pipeline `%s` is %s", said.Name, child.Name, article(child.Outputs[i].Type)),
				Want:    string(child.Outputs[i].Type), Got: string(said.Type),
			}
		}
		c.fail(join(e.path, said.Name), e.where(), p)
	}
	t.Outputs = nil
	for _, out := range child.Outputs {
		t.Outputs = append(t.Outputs, plan.Output{Name: out.Name, Type: out.Type, Open: out.Open})
	}
}

func outputNames(p *plan.Plan) []string {
	names := make([]string, len(p.Outputs))
	for i := range p.Outputs {
		names[i] = p.Outputs[i].Name
	}
	return names
}

// linkWith checks the params that a task gives to the pipeline that it runs.
func (c *compiler) linkWith(t *task) {
	if t.Pipeline == nil {
		return
	}
	var child *plan.Plan
	if known := c.known[t.Pipeline.Name]; known != nil {
		child = known.Plan
	}
	place := expr.In(c.view, t.index)
	for _, f := range t.flow.with {
		text, ok := c.withText(f)
		if !ok {
			continue
		}
		put(&t.With, f.name, text)
		program := c.readTemplate(t, f, place, &t.Asked)
		if child == nil {
			continue
		}
		i := slices.IndexFunc(child.Params, func(p plan.Param) bool { return p.Name == f.name })
		if i < 0 {
			c.fail(f.path, f.key, Problem{
				Message: fmt.Sprintf("pipeline `%s` has no param `%s`", child.Name, f.name), Hint: didYouMean(f.name, paramNames(child)),
			})
			continue
		}
		if child.Params[i].Open {
			t.Pipeline.Open = append(t.Pipeline.Open, f.name)
		}
		c.checkGiven(f, text, program, &child.Params[i])
	}
	slices.Sort(t.Pipeline.Open)
	if child == nil {
		return
	}
	for _, p := range child.Params {
		if p.Required && !slices.ContainsFunc(t.flow.with, func(f entry) bool { return f.name == p.Name }) {
			c.fail(t.flow.pipeline.path, t.flow.pipeline.value, Problem{
				Message: fmt.Sprintf("pipeline `%s` needs the param `%s`", child.Name, p.Name),
				Hint:    fmt.Sprintf("with: {%s: …}", p.Name),
			})
		}
	}
}

// withText is a value as a template: text as it stands, a list or a mapping as
// the JSON that it means.
func (c *compiler) withText(f entry) (string, bool) {
	if f.value.Kind == yaml.ScalarNode {
		if !c.envValue(f) {
			return "", false
		}
		return f.value.Value, true
	}
	raw, err := nodeJSON(f.value, plan.TypeJSON)
	if err != nil {
		c.fail(f.path, f.where(), Problem{Message: err.Error(), Want: `a value, or "${{ … }}" as a whole`})
		return "", false
	}
	return string(raw), true
}

// checkGiven checks a value by what the pipeline declares for its param.
func (c *compiler) checkGiven(f entry, text string, program *expr.TemplateProgram, p *plan.Param) {
	if !strings.Contains(text, exprOpen) {
		if _, err := plan.ParseParam(*p, text); err != nil {
			c.fail(f.path, f.where(), Problem{Message: err.Error(), Want: fmt.Sprintf("a value for the param `%s`: %s", p.Name, p.Type)})
		}
		return
	}
	if program == nil || becomes(program.Type(), p.Type) {
		return
	}
	c.fail(f.path, f.value, Problem{
		Message: fmt.Sprintf("this gives %s, and the param `%s` is %s", article(program.Type()), p.Name, article(p.Type)),
		Want:    string(p.Type), Got: string(program.Type()),
	})
}

// becomes reports whether a value of type got may be one of type want: text is
// read as what is wanted, and of json nobody knows what it is.
func becomes(got, want plan.Type) bool {
	text := []plan.Type{plan.TypeString, plan.TypeURI, plan.TypeDuration, plan.TypeBytes}
	return got == want || got == plan.TypeJSON || want == plan.TypeJSON || slices.Contains(text, got) ||
		got == plan.TypeInt && want == plan.TypeFloat
}

func paramNames(p *plan.Plan) []string {
	names := make([]string, len(p.Params))
	for i := range p.Params {
		names[i] = p.Params[i].Name
	}
	return names
}

// checkNotNested refuses what only a task has that runs another pipeline.
func (c *compiler) checkNotNested(o object, t *task) {
	for _, key := range nestedKeys {
		if e, ok := o.get(key); ok && t.does != "" {
			c.fail(e.path, e.key, Problem{Message: fmt.Sprintf("`%s` belongs to a task with `pipeline`", key)})
		}
	}
}
