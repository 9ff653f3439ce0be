package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// edge is why one task waits for another, and where the file says so.
type edge struct {
	at     entry
	reason string
	reads  bool // takes a value or an artifact, not only the order
}

// span is where to point: for what is read, the expression. Looking for it is not
// free, so only problems do.
func (c *compiler) span(e edge) span {
	if e.reads {
		return c.src.find(e.at.value, exprOpen, 0)
	}
	return c.src.spanOf(e.at.value)
}

// link ties the tasks together once all of them are known: it looks up what they
// name, infers dependencies, types what passes between them and numbers it all.
func (c *compiler) link() {
	scope := c.scope()
	for _, t := range c.order {
		c.linkNeeds(t)
		c.linkEnv(t, scope)
		for _, in := range t.inputs {
			c.linkInput(t, in, scope)
		}
		c.checkReadable(t)
		t.Needs = slices.Sorted(maps.Keys(t.edges))
	}
	c.checkCycles()
	c.checkSize()
	c.warnUnread()
	for _, t := range c.order {
		c.plan.Tasks = append(c.plan.Tasks, t.Task)
	}
}

func (c *compiler) linkNeeds(t *task) {
	for _, item := range t.needs {
		name, ok := c.text(item, "the name of a task")
		if !ok {
			continue
		}
		c.wait(t, name, edge{at: item, reason: "`needs` it"})
	}
}

// wait makes t wait for the task of that name. Of several reasons the first is
// kept, unless a later one reads something.
func (c *compiler) wait(t *task, name string, e edge) bool {
	up := c.tasks[name]
	if up == nil || up == t || up.Exit != "" {
		if !c.full() {
			c.failAt(e.at.path, c.span(e), c.cannotWait(t, name))
		}
		return false
	}
	if first, ok := t.edges[up.index]; !ok || e.reads && !first.reads {
		t.edges[up.index] = e
	}
	return true
}

// cannotWait says why t cannot wait for the task of that name.
func (c *compiler) cannotWait(t *task, name string) Problem {
	switch c.tasks[name] {
	case nil:
		return Problem{Message: fmt.Sprintf("there is no task `%s`", clip(name)), Hint: didYouMean(name, c.mainTasks(t))}
	case t:
		return Problem{Message: "a task cannot wait for itself"}
	default:
		return Problem{Message: fmt.Sprintf("`%s` is an exit handler; it runs after all tasks", name)}
	}
}

// mainTasks names what t could have meant.
func (c *compiler) mainTasks(t *task) []string {
	var names []string
	for _, o := range c.order {
		if o.Exit == "" && o != t {
			names = append(names, o.Name)
		}
	}
	return names
}

// linkEnv checks the templates of t's environment and notes what they read.
func (c *compiler) linkEnv(t *task, s *scope) {
	if len(t.settings.env) == 0 {
		return
	}
	t.Env = map[string]string{}
	reads := plan.Reads{}
	for _, name := range slices.Sorted(maps.Keys(t.settings.env)) {
		e := t.settings.env[name]
		t.Env[name] = e.value.Value
		c.readTemplate(t, e, s, &reads)
	}
	slices.Sort(reads.Params)
	reads.Params = slices.Compact(reads.Params)
	slices.SortFunc(reads.Outputs, func(a, b plan.OutputRef) int {
		return strings.Compare(a.Task+"\x00"+a.Output, b.Task+"\x00"+b.Output)
	})
	reads.Outputs = slices.Compact(reads.Outputs)
	t.Reads = reads
}

// checkReadable refuses rules under which what a task reads can never be there.
func (c *compiler) checkReadable(t *task) {
	if t.Rule != plan.RuleAlways && t.Rule != plan.RuleAllFailed && t.Rule != plan.RuleAllSkipped {
		return
	}
	for _, up := range slices.Sorted(maps.Keys(t.edges)) {
		if e := t.edges[up]; e.reads {
			c.failAt(e.at.path, c.span(e), Problem{
				Message: fmt.Sprintf("with `rule: %s` nothing that `%s` leaves can be read", t.Rule, c.order[up].Name),
				Hint:    "use `needs` for the order alone, or another rule",
			})
		}
	}
}

// checkSize refuses a plan that is many times its source: `defaults` are written
// once and stand in every task.
func (c *compiler) checkSize() {
	size := 0
	for _, t := range c.order {
		for _, m := range []map[string]string{t.Env, t.Secrets, t.Labels, t.Select} {
			for k, v := range m {
				size += len(k) + len(v)
			}
		}
	}
	if size > MaxPlanBytes {
		c.failAt("defaults", span{1, 1, 1}, Problem{
			Message: "the tasks inherit too much",
			Want:    fmt.Sprintf("env, secrets and labels of at most %d MiB in all tasks together", MaxPlanBytes>>20),
			Got:     fmt.Sprintf("%d MiB", size>>20),
		})
	}
}

// warnUnread finds params that reach no task: the only way to a step is its env.
func (c *compiler) warnUnread() {
	for _, t := range c.order {
		for _, name := range t.Reads.Params {
			if p := c.params[name]; p != nil {
				p.read = true
			}
		}
	}
	for _, p := range c.plan.Params {
		if declared := c.params[p.Name]; !declared.read {
			c.warn(declared.at.path, declared.at.key, Problem{
				Message: fmt.Sprintf("no task reads `%s`", p.Name),
				Hint:    fmt.Sprintf("env: {%s: \"${{ params.%s }}\"}", strings.ToUpper(p.Name), p.Name),
			})
		}
	}
}
