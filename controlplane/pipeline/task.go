package pipeline

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// maxCommand bounds a script or an argv: Linux refuses one argument of 128 KiB.
const maxCommand = 120 << 10

// task is a node of the graph while its dependencies are not numbers yet.
type task struct {
	plan.Task
	at       entry // its key under `tasks`, or its entry of `on_exit`
	index    int   // in plan.Tasks
	settings settings
	needs    []entry
	inputs   []input
	edges    map[int]edge // upstream index -> why
}

// readTasks reads the nodes of the graph, in the order of the file.
func (c *compiler) readTasks(o object) {
	e, ok := o.get("tasks")
	if !ok {
		c.missing(o, "tasks", "at least one task, as in `tasks: {hello: {run: echo hello}}`")
		return
	}
	list := c.named(e, "tasks, as in {hello: {run: echo hello}}", taskName)
	if e.value.Kind == yaml.MappingNode && len(e.value.Content) == 0 {
		c.fail(e.path, e.where(), Problem{Message: "a pipeline without tasks does nothing", Want: "at least one task"})
	}
	if len(list) > MaxTasks {
		c.fail(e.path, e.where(), Problem{
			Message: "too many tasks", Want: fmt.Sprintf("at most %d", MaxTasks), Got: strconv.Itoa(len(list)),
		})
		return
	}
	for _, f := range list {
		t := c.add(f.name, f)
		if o, ok := c.object(f, taskKeys); ok {
			c.readTask(o, t)
			c.readGraph(o, t)
		}
	}
}

// add registers a task before anything of it is read: a task with a fault still
// exists for those that refer to it.
func (c *compiler) add(name string, at entry) *task {
	t := &task{Task: plan.Task{Name: name}, at: at, index: len(c.order), settings: c.defaults, edges: map[int]edge{}}
	c.tasks[name] = t
	c.order = append(c.order, t)
	return t
}

// readTask reads what tasks and exit handlers share.
func (c *compiler) readTask(o object, t *task) {
	c.readWork(o, t)
	t.settings = c.settings(o, c.defaults)
	s := &t.settings
	t.Pool, t.Priority, t.Tolerate = s.pool, s.priority, s.tolerate
	t.Labels, t.Select, t.Secrets = s.labels, s.selects, s.secrets
	t.Resources, t.Retry, t.Timeouts = s.resources, s.retry, s.timeouts
	if e, ok := o.get("source"); ok {
		t.Source = c.source(e)
	}
	if e, ok := o.get("outputs"); ok {
		t.Outputs = c.outputs(e)
	}
}

// readWork reads what the task does: exactly one of `run` and `command`.
func (c *compiler) readWork(o object, t *task) {
	run, hasRun := o.get("run")
	command, hasCommand := o.get("command")
	switch {
	case hasRun && hasCommand:
		c.fail(command.path, command.key, Problem{
			Message: "a task has `run` or `command`, not both",
			Hint:    fmt.Sprintf("`run` stands in line %d; `command` is an argv without a shell", run.key.Line),
		})
	case hasRun:
		t.Run = c.script(run)
	case hasCommand:
		t.Command = c.argv(command)
	case !doesLater(o):
		c.fail(o.path, o.node, Problem{Message: "the task does nothing", Want: "`run` (a shell script) or `command` (an argv)"})
	}
}

// doesLater reports a task of a kind that was refused by name already.
func doesLater(o object) bool {
	kinds := []string{"pipeline", "approve", "wait", "signal", "promote", "ray", "spark"}
	return slices.ContainsFunc(kinds, o.mentions)
}

func (c *compiler) script(e entry) string {
	s, ok := c.rawText(e, "a shell script")
	if !ok || !c.noExpression(e, s) {
		return ""
	}
	if strings.TrimSpace(s) == "" {
		c.fail(e.path, e.where(), Problem{Message: "the script is empty", Want: "a shell script"})
	}
	c.checkCommand(e, s)
	return s
}

func (c *compiler) argv(e entry) []string {
	const most = 1024
	if e.value.Kind == yaml.ScalarNode && !isNull(e.value) {
		c.fail(e.path, e.value, Problem{
			Message: "`command` is a list: an argv without a shell", Want: "a list, as in [python, train.py]",
			Hint: "for a line of shell, write `run:`",
		})
		return nil
	}
	items, ok := c.list(e, "an argv, as in [python, train.py]", most)
	if ok && len(items) == 0 {
		c.fail(e.path, e.where(), Problem{Message: "the command is empty", Want: "an argv, as in [python, train.py]"})
	}
	var argv []string
	for i, item := range items {
		s, ok := c.rawText(item, "an argument")
		if !ok || !c.noExpression(item, s) {
			continue
		}
		if i == 0 && s == "" {
			c.fail(item.path, item.value, Problem{Message: "the program's name is empty"})
		}
		c.checkCommand(item, s)
		argv = append(argv, s)
	}
	return argv
}

func (c *compiler) checkCommand(e entry, s string) {
	switch {
	case len(s) > maxCommand:
		c.fail(e.path, e.where(), Problem{
			Message: "the command is too long", Want: fmt.Sprintf("at most %d KiB; put it into a file of the source", maxCommand>>10),
		})
	case strings.ContainsRune(s, 0):
		c.fail(e.path, e.where(), Problem{Message: "a command cannot contain a NUL"})
	}
	c.warnSecretLiteral(e, "", s, "name it under `secrets:` and use \"$NAME\"")
}

// readGraph reads what ties a task to others.
func (c *compiler) readGraph(o object, t *task) {
	if e, ok := o.get("needs"); ok {
		t.needs, _ = c.list(e, "tasks, as in [prepare]", MaxTasks)
	}
	if e, ok := o.get("rule"); ok {
		t.Rule = c.rule(e)
	}
	if e, ok := o.get("artifacts"); ok {
		c.artifacts(e, t)
	}
}

func (c *compiler) rule(e entry) plan.Rule {
	words := make([]string, 0, len(plan.Rules()))
	for _, r := range plan.Rules() {
		words = append(words, string(r))
	}
	want := "one of " + strings.Join(words, ", ") + ", quorum(0.8)"
	s, ok := c.text(e, want)
	r := plan.Rule(s)
	if ok && (s == "" || r.Check() != nil) {
		c.fail(e.path, e.value, Problem{
			Message: fmt.Sprintf("`%s` is not a rule", clip(s)), Want: want, Hint: didYouMean(s, words),
		})
		return ""
	}
	if r == plan.RuleAllSuccess { // the default has one spelling: none
		return ""
	}
	return plan.Rule(strings.ReplaceAll(s, " ", ""))
}
