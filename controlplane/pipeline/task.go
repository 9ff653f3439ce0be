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
	at       entry  // its key under `tasks`, or its entry of `on_exit`
	index    int    // in plan.Tasks
	parent   *task  // the group that it is part of
	does     string // run, command, tasks, …; empty where that is at fault
	flow     flow
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
	if e.value.Kind == yaml.MappingNode && len(e.value.Content) == 0 {
		c.fail(e.path, e.where(), Problem{Message: "a pipeline without tasks does nothing", Want: "at least one task"})
	}
	c.readBody(e, nil)
}

// readBody reads the tasks of the pipeline itself, or of a group.
func (c *compiler) readBody(e entry, group *task) {
	list := c.named(e, "tasks, as in {hello: {run: echo hello}}", taskName)
	if len(c.order)+len(list) > MaxTasks {
		c.fail(e.path, e.where(), Problem{
			Message: "too many tasks", Want: fmt.Sprintf("at most %d", MaxTasks), Got: strconv.Itoa(len(c.order) + len(list)),
		})
		return
	}
	for _, f := range list {
		t := c.add(f.name, f, group)
		if o, ok := c.object(f, taskKeys); ok {
			c.readTask(o, t)
			c.readGraph(o, t)
			c.readFlow(o, t)
		}
	}
}

// add registers a task before anything of it is read: a task with a fault still
// exists for those that refer to it.
func (c *compiler) add(name string, at entry, group *task) *task {
	t := &task{at: at, index: len(c.order), parent: group, settings: c.defaults, edges: map[int]edge{}}
	if group != nil {
		name, t.In = group.Name+"/"+name, group.index+1
	}
	t.Name = name
	c.tasks[name] = t
	c.order = append(c.order, t)
	return t
}

// readTask reads what tasks and exit handlers share.
func (c *compiler) readTask(o object, t *task) {
	c.readWork(o, t)
	if t.runsNothing() {
		c.readBare(o, t)
		return
	}
	t.settings = c.settings(o, c.defaults)
	s := &t.settings
	t.Pool, t.Priority, t.Tolerate = s.pool, s.priority, s.tolerate
	t.Labels, t.Select, t.Secrets = s.labels, s.selects, s.secrets
	t.Resources, t.Retry, t.Timeouts = s.resources, s.retry, s.timeouts
	c.dispatch(o, &t.Task)
	if e, ok := o.get("source"); ok {
		t.Source = c.source(e)
	}
	if e, ok := o.get("outputs"); ok {
		t.Outputs = c.outputs(e)
	}
}

// readWork reads what the task does: exactly one of a few things.
func (c *compiler) readWork(o object, t *task) {
	var does []entry
	for _, kind := range []string{"run", "command", "tasks", "wait", "signal", "approve", "pipeline"} {
		if e, ok := o.get(kind); ok {
			does = append(does, e)
		}
	}
	switch {
	case len(does) > 1:
		c.failSecondKind(does[0], does[1])
		return
	case len(does) == 1:
	case doesLater(o):
		return
	default:
		want := "`run` (a shell script), `command` (an argv), `tasks` (a group), `wait`, `signal`, `approve` or `pipeline`"
		if t.Exit != "" {
			want = "`run` (a shell script) or `command` (an argv)"
		}
		c.fail(o.path, o.node, Problem{Message: "the task does nothing", Want: want})
		return
	}
	e := does[0]
	t.does = e.name
	switch e.name {
	case "run":
		t.Run = c.script(e)
	case "command":
		t.Command = c.argv(e)
	case "tasks":
		c.group(e, t)
	case "wait":
		t.Wait = c.pause(e, t)
	case "signal":
		t.Signal = c.signal(e, t)
	case "approve":
		t.Approve = c.approve(e, t)
	case "pipeline":
		t.Pipeline = c.nested(e, o, t)
	}
	if t.Pipeline == nil {
		c.checkNotNested(o, t)
	}
}

func (c *compiler) failSecondKind(first, second entry) {
	hint := fmt.Sprintf("`%s` stands in line %d", first.name, first.key.Line)
	if second.name == "command" {
		hint += "; `command` is an argv without a shell"
	}
	c.fail(second.path, second.key, Problem{
		Message: fmt.Sprintf("a task has `%s` or `%s`, not both", first.name, second.name), Hint: hint,
	})
}

// doesLater reports a task of a kind that was refused by name already.
func doesLater(o object) bool {
	kinds := []string{"tasks", "wait", "signal", "approve", "pipeline", "promote", "ray", "spark"}
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
	if e, ok := o.get("artifacts"); ok && !t.runsNothing() {
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
