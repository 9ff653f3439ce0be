package pipeline

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/signalboxhq/signalbox/proto/expr"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// maxNested bounds groups within groups: a path of more names tells nobody
// anything.
const maxNested = 8

// stepKeys belong to what runs on an agent.
var stepKeys = []string{
	"env", "secrets", "select", "resources", "retry", "timeouts", "artifacts", "priority", "pool", "source", "outputs", "gang",
}

// runsNothing reports a task that is no step: a group, or one that waits.
func (t *task) runsNothing() bool { return t.does != "" && t.does != "run" && t.does != "command" }

// group notes the body of a group: it is read after all that stands outside of
// groups, because that is the order of a plan.
func (c *compiler) group(e entry, t *task) {
	t.Group = true
	if e.value.Kind == yaml.MappingNode && len(e.value.Content) == 0 {
		c.fail(e.path, e.where(), Problem{Message: "a group without tasks does nothing", Want: "at least one task"})
		return
	}
	depth := 1
	for up := t.parent; up != nil; up = up.parent {
		depth++
	}
	if depth > maxNested {
		c.fail(e.path, e.where(), Problem{Message: "groups are nested too deeply", Want: fmt.Sprintf("at most %d", maxNested)})
		return
	}
	t.flow.body = e
}

// readGroups reads the bodies of groups, each one's tasks together.
func (c *compiler) readGroups() {
	for i := 0; i < len(c.order); i++ { // it grows
		if t := c.order[i]; t.flow.body.value != nil {
			c.readBody(t.flow.body, t)
		}
	}
}

// readBare reads the settings of a task that runs nothing itself. Its decisions
// are made by agents of the run's pool.
func (c *compiler) readBare(o object, t *task) {
	for _, key := range stepKeys {
		e, ok := o.get(key)
		if !ok || key == "outputs" && (t.Group || t.Pipeline != nil) {
			continue
		}
		p := Problem{Message: fmt.Sprintf("`%s` belongs to what runs: a task with `run` or `command`", key)}
		if t.Group {
			p.Hint = "write it at the tasks of the group, or under `defaults:`"
		}
		c.fail(e.path, e.key, p)
	}
	base := c.defaults
	base.env, base.secrets, base.selects = nil, nil, nil
	base.pool, base.priority = c.plan.Pool, 0
	own := object{path: o.path, node: o.node, entries: map[string]entry{}}
	for _, key := range []string{"labels", "on_failure"} {
		if e, ok := o.get(key); ok {
			own.entries[key] = e
		}
	}
	t.settings = c.settings(own, base)
	s := &t.settings
	t.Pool, t.Tolerate, t.Labels = s.pool, s.tolerate, s.labels
	t.Resources, t.Retry, t.Timeouts = builtin().resources, s.retry, builtin().timeouts
	if e, ok := o.get("outputs"); ok && t.Group {
		t.flow.outputs = c.few(e, `outputs of its tasks, as in {auc: "${{ tasks.train.outputs.auc }}"}`)
		for _, f := range t.flow.outputs {
			t.Outputs = append(t.Outputs, plan.Output{Name: f.name, Type: plan.TypeJSON})
		}
	}
}

// linkHandedOut looks up what groups hand out, inner groups first.
func (c *compiler) linkHandedOut() {
	for i := len(c.order) - 1; i >= 0; i-- {
		t := c.order[i]
		for n, f := range t.flow.outputs {
			if from, typ, open, ok := c.handedOut(t, f); ok {
				t.Outputs[n] = plan.Output{Name: f.name, Type: typ, Open: open, From: &from}
				c.view.Tasks[i].Outputs = t.Outputs
			}
		}
	}
	c.scope.forget()
}

func (c *compiler) handedOut(t *task, f entry) (from plan.OutputRef, typ plan.Type, open, ok bool) {
	const want = `an output of one of its own tasks, as in "${{ tasks.train.outputs.auc }}"`
	if _, ok := c.rawText(f, want); !ok {
		return from, "", false, false
	}
	program := c.compileText(f, c.scope.at(expr.Within(c.view, t.index)))
	if program == nil {
		return from, "", false, false
	}
	refs, plain := program.Plain()
	if !plain || len(refs.Outputs) != 1 || c.tasks[refs.Outputs[0].Task].parent != t {
		c.fail(f.path, f.value, Problem{Message: "a group hands out what its tasks leave, as it is", Want: want})
		return from, "", false, false
	}
	from = refs.Outputs[0]
	leaf, _ := c.tasks[from.Task].Output(from.Output)
	return from, program.Type(), leaf.Open, true
}
