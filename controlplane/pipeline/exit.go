package pipeline

import (
	"fmt"
	"strconv"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// readExit reads `on_exit`. Handlers become tasks at the end of the plan.
func (c *compiler) readExit(o object) {
	e, ok := o.get("on_exit")
	if !ok {
		return
	}
	items, ok := c.list(e, "handlers, as in [{when: failed, task: {run: ./page.sh}}]", MaxTasks)
	if ok && len(c.order)+len(items) > MaxTasks {
		c.fail(e.path, e.where(), Problem{
			Message: "too many tasks", Want: fmt.Sprintf("at most %d, exit handlers included", MaxTasks),
			Got: strconv.Itoa(len(c.order) + len(items)),
		})
		return
	}
	for i, item := range items {
		c.readHandler(item, "on-exit-"+strconv.Itoa(i+1))
	}
}

// readHandler reads `{when: failed, name: page, task: {run: …}}`.
func (c *compiler) readHandler(item entry, name string) {
	o, ok := c.object(item, exitKeys)
	if !ok {
		return
	}
	at := item
	if e, ok := o.get("name"); ok {
		if given, ok := c.name(e, taskName); ok {
			name, at = given, e
		}
	}
	if other := c.tasks[name]; other != nil {
		c.fail(at.path, at.where(), Problem{
			Message: fmt.Sprintf("a task `%s` exists already", name), Hint: "give the handler another `name:`",
		})
		return
	}
	t := c.add(name, item, nil)
	t.Exit, t.Rule = plan.ExitAlways, plan.RuleAlways
	if e, ok := o.get("when"); ok {
		t.Exit, _ = choice(c, e, plan.ExitAlways, plan.ExitSucceeded, plan.ExitFailed, plan.ExitCanceled)
	}
	work, ok := o.get("task")
	if !ok {
		c.missing(o, "task", "what the handler does, as in `task: {run: ./page.sh}`")
		return
	}
	if to, ok := c.object(work, exitTaskKeys); ok {
		c.readTask(to, t)
	}
	t.Tolerate = false // it never changes the run's outcome anyway
}
