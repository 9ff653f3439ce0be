package pipeline

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/signalboxhq/signalbox/proto/expr"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// edge is why one task waits for another, and where the file says so.
type edge struct {
	at     entry
	reason string
	reads  bool // says so in an expression, not in `needs`
	takes  bool // … a value or an artifact, not only how it ended
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
	c.see()
	c.linkHandedOut()
	c.linkLeft()
	for _, t := range c.order { // a group comes before its tasks, which may read its item
		c.linkItems(t)
	}
	for _, t := range c.order {
		c.linkNeeds(t)
		c.linkDecisions(t)
		c.linkEnv(t)
		for _, in := range t.inputs {
			c.linkInput(t, in)
		}
		tidy(&t.Reads)
		tidy(&t.Asked)
	}
	for _, t := range c.order { // what is inside may have made its group wait
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
		up := c.lookUp(t, name)
		if up == nil {
			if !c.full() {
				c.failAt(item.path, c.src.spanOf(item.value), c.unknownTask(t, name))
			}
			continue
		}
		c.wait(t, up, edge{at: item, reason: "`needs` it"})
	}
}

// lookUp is the task that t means by a name: of its own group, else of the
// groups around it. The pipeline itself is around all.
func (c *compiler) lookUp(t *task, name string) *task {
	for group := t.parent; group != nil; group = group.parent {
		if found := c.tasks[group.Name+"/"+name]; found != nil {
			return found
		}
	}
	if strings.Contains(name, "/") {
		return nil
	}
	return c.tasks[name]
}

// wait makes t wait for up. Where up stands outside of t's group, the group
// waits; what is inside a loop's own task is there when its condition is asked.
// Of several reasons the first is kept, unless a later one reads something.
func (c *compiler) wait(t, up *task, e edge) bool {
	waiting := t
	for waiting != nil && waiting.parent != up.parent {
		waiting = waiting.parent
	}
	if waiting == nil || waiting == up || up.Exit != "" || up.Template || t.Template {
		if !c.full() {
			c.failAt(e.at.path, c.span(e), cannotWait(t, up))
		}
		return false
	}
	if first, ok := waiting.edges[up.index]; !ok || e.reads && !first.reads || e.takes && !first.takes {
		waiting.edges[up.index] = e
	}
	return true
}

// cannotWait says why t cannot wait for up.
func cannotWait(t, up *task) Problem {
	switch {
	case t == up:
		return Problem{Message: "a task cannot wait for itself"}
	case up.Exit != "":
		return Problem{Message: fmt.Sprintf("`%s` is an exit handler; it runs after all tasks", up.Name)}
	case up.Template:
		return Problem{Message: fmt.Sprintf("`%s` is a template; only steps add instances of it, in $SB_PLAN", up.Name)}
	case t.Template:
		return Problem{Message: "a template waits for nothing; the step that adds an instance of it says in $SB_PLAN what it needs"}
	default:
		return Problem{Message: fmt.Sprintf("`%s` ends when `%s` has ended: what is inside cannot wait for it", up.Name, t.Name)}
	}
}

// unknownTask says that t's group knows no task of that name.
func (c *compiler) unknownTask(t *task, name string) Problem {
	for _, other := range c.order {
		if other.parent != nil && (other.ShortName() == name || other.Name == name) {
			return Problem{
				Message: fmt.Sprintf("`%s` is inside the group `%s`", clip(name), other.parent.Name),
				Hint:    fmt.Sprintf("wait for the group: `needs: [%s]`", other.parent.ShortName()),
			}
		}
	}
	return Problem{Message: fmt.Sprintf("there is no task `%s`", clip(name)), Hint: didYouMean(name, c.mainTasks(t))}
}

// mainTasks names what t could have meant.
func (c *compiler) mainTasks(t *task) []string {
	var names []string
	for _, o := range c.order {
		if o.Exit == "" && o != t && c.lookUp(t, o.ShortName()) == o {
			names = append(names, o.ShortName())
		}
	}
	return names
}

// linkEnv checks the templates of t's environment and notes what they read.
func (c *compiler) linkEnv(t *task) {
	if len(t.settings.env) == 0 {
		return
	}
	t.Env = map[string]string{}
	place := expr.In(c.view, t.index)
	for _, name := range slices.Sorted(maps.Keys(t.settings.env)) {
		e := t.settings.env[name]
		t.Env[name] = e.value.Value
		c.readTemplate(t, e, place, &t.Reads)
	}
}

// tidy sorts what is read, without repeats.
func tidy(reads *plan.Reads) {
	slices.Sort(reads.Params)
	reads.Params = slices.Compact(reads.Params)
	slices.SortFunc(reads.Outputs, func(a, b plan.OutputRef) int {
		return cmp.Or(cmp.Compare(a.Task, b.Task), cmp.Compare(a.Output, b.Output))
	})
	reads.Outputs = slices.Compact(reads.Outputs)
	slices.SortFunc(reads.Artifacts, func(a, b plan.ArtifactRef) int {
		return cmp.Or(cmp.Compare(a.Task, b.Task), cmp.Compare(a.Artifact, b.Artifact))
	})
	reads.Artifacts = slices.Compact(reads.Artifacts)
	slices.Sort(reads.States)
	reads.States = slices.Compact(reads.States)
}

// checkReadable refuses rules under which what a task reads can never be there.
func (c *compiler) checkReadable(t *task) {
	if t.Rule != plan.RuleAlways && t.Rule != plan.RuleAllFailed && t.Rule != plan.RuleAllSkipped {
		return
	}
	for _, up := range slices.Sorted(maps.Keys(t.edges)) {
		if e := t.edges[up]; e.takes {
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
		for _, name := range slices.Concat(t.Reads.Params, t.Asked.Params) {
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
